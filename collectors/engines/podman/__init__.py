"""Podman: root's, and that of every user."""
