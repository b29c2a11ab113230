"""The table of workloads: its columns, cells and state."""
