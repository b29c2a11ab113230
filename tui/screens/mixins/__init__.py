"""Keys that several screens share, and their actions."""
