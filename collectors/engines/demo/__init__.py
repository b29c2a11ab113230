"""A fleet that does not exist."""
