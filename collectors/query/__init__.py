"""The filter language, patterns, and points in time."""
