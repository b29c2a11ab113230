"""What shells complete: their scripts, names of workloads, session files."""
