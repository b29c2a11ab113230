"""Protects against hostile text, unsafe files and leaked secrets."""
