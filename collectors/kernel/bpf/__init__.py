"""A BPF program that tells, in one call, which control groups have not moved; optional, files remain the authority."""
