"""The screens of a fleet that a Prometheus scrapes: the table, the charts of one workload, past moments."""
