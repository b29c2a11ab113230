"""VMware Workstation and Player."""
