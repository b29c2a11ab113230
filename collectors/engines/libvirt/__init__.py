"""libvirt daemons."""
