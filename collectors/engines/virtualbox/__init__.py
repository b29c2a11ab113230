"""Oracle VirtualBox."""
