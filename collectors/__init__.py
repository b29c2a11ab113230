"""Reads a host and its workloads: everything but the screen and the command line."""

__version__ = "0.2.0"
"""The one place of it: packaging reads it from here. A copy on another host has no metadata to be asked instead."""
