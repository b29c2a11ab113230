"""Processes of this host, of a workload and one by one, from procfs."""
