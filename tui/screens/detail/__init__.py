"""One workload in full, live and in replay."""
