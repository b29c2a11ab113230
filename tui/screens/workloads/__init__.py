"""The table of workloads, live and in replay."""
