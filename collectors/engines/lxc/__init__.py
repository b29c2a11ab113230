"""Containers of plain LXC."""
