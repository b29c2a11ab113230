"""Commands on workloads that exist now."""
