"""The logs of one workload, read on demand: the engine's, a file's, the journal's."""
