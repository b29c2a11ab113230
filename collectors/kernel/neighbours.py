"""IP addresses by hardware address, as this host's kernel has learned them. Costs one file, and asks nobody."""

from __future__ import annotations

from pathlib import Path

from collectors.safety.sanitize import sanitize

_TABLE = Path("/proc/net/arp")
_IS_COMPLETE = 0x2
"""ATF_COM of if_arp.h: the entry has been answered."""


def parse_neighbours(table: str) -> dict[str, list[str]]:
    """Return the IPv4 addresses by hardware address, from the text of /proc/net/arp (proc_net(5)).

    Entries without an answer, and lines of another form, are left out.
    """
    addresses: dict[str, list[str]] = {}
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) < 4 or not columns[2].startswith("0x"):
            continue
        try:
            is_complete = bool(int(columns[2], 16) & _IS_COMPLETE)
        except ValueError:
            continue
        if is_complete:
            addresses.setdefault(columns[3].lower(), []).append(sanitize(columns[0], 45))
    return addresses


def read_neighbours() -> dict[str, list[str]]:
    """Return the table of this network namespace; empty where it cannot be read."""
    try:
        return parse_neighbours(_TABLE.read_text(errors="replace"))
    except OSError:
        return {}
