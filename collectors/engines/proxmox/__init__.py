"""Proxmox VE: its virtual machines and containers."""
