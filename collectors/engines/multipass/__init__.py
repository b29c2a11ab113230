"""Multipass."""
