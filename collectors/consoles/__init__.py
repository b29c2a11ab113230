"""A person's way into a workload: a shell in a container, the serial console of a domain."""
