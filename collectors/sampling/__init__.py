"""Reads all sources regularly, each on its own thread, and joins their readings into frames."""
