"""Workloads beside each other: any kind with any other, now or in a session, by the same metrics over one window."""
