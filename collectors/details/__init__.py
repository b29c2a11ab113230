"""All that can be told of one workload when someone looks closer: read on demand, never by the sampler."""
