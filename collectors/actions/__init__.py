"""What can be done to a workload: what is offered and why not, who is protected, the runner, the log."""
