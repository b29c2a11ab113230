"""Slow facts of workloads, read on demand for the comparison of classes: each with how it was found, or why not."""
