"""A session as rows, for other programs."""
