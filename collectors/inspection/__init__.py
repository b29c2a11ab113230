"""Inspection of one workload, on demand: details, raw description, logs, console."""
