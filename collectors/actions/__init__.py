"""Actions on workloads: which ones are possible, which workloads are protected, the runner and the action log."""
