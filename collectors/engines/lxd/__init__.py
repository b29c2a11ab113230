"""System containers and virtual machines of LXD and Incus, which have one API."""
