"""Which groups have not moved, as a BPF program tells."""
