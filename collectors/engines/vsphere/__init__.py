"""vSphere: virtual machines of ESXi hosts and vCenter servers, read through VMware's own API."""
