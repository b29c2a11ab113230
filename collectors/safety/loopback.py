"""Whether an address leads to this host alone, so that nobody on a network can read or change what goes there."""

from __future__ import annotations


def is_loopback(host: str) -> bool:
    """Return whether a name or an address is this host, without asking anybody; an empty one is not."""
    from ipaddress import ip_address  # late: it takes some milliseconds, which `vmtop --help` does not have

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
