"""Reads all sources regularly, each on a thread of its own, and joins their answers to frames."""
