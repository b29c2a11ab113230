"""A closer look at one workload, read on demand: details, raw description, logs, console."""
