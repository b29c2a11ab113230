"""Reads control groups, versions 1 and 2."""
