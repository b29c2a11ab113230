"""What commands on named workloads do: loaded to run them, not to complete their words."""
