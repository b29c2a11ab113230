"""Reads a host and its workloads: everything but the screen and the command line."""
