"""Which network namespaces have not moved, as the host shows."""
