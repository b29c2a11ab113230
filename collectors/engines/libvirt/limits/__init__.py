"""Limits of domains: of their virtual CPUs, their memory, their disks and their network interfaces."""
