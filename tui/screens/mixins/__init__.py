"""Keys that several screens share, and what they do."""
