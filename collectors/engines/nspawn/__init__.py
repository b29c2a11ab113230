"""Containers of systemd-nspawn."""
