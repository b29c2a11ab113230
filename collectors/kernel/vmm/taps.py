"""The network interfaces of virtual machines on this host: tap devices that their VMMs hold open.

What the host receives from a tap the machine has sent. A macvtap is the machine's own interface, seen as it sees it.
User networking (slirp, passt) has no interface. Source: drivers/net/tun.c, tun_chr_show_fdinfo; drivers/net/tap.c.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from collectors.kernel.cgroup import parsers
from collectors.kernel.procfs import read_bytes

_TUN = "/dev/net/tun"
_MACVTAP = re.compile(r"/dev/tap(\d+)")
_MOST_FILES = 4096


class Tap(NamedTuple):
    """An interface of the host that is a machine's."""

    name: bytes
    is_mirrored: bool
    """Whether what it receives is what the machine sends."""


def taps_of(pid: int, proc: str = "/proc", sys: str = "/sys") -> tuple[Tap, ...] | None:
    """Return the taps that a process holds open, each once; `None` if this user may not see its open files."""
    try:
        files = os.listdir(f"{proc}/{pid}/fd")[:_MOST_FILES]
    except OSError:
        return None
    found = (tap for file in files if (tap := _tap(f"{proc}/{pid}", file, sys)) is not None)
    return tuple(sorted(dict.fromkeys(found)))


def _tap(process: str, file: str, sys: str) -> Tap | None:
    try:
        target = os.readlink(f"{process}/fd/{file}")
    except OSError:
        return None
    if target == _TUN:
        info = read_bytes(f"{process}/fdinfo/{file}") or b""
        name = info.partition(b"\niff:")[2].partition(b"\n")[0].strip()
        return Tap(name, True) if name else None
    number = _MACVTAP.fullmatch(target)
    name = _interface(int(number[1]), sys) if number else b""
    return Tap(name, False) if name else None


def _interface(number: int, sys: str) -> bytes:
    """Return the name of the interface of an index; empty if there is none."""
    folder = f"{sys}/class/net"
    try:
        names = os.listdir(folder)
    except OSError:
        return b""
    is_it = (name for name in names if (read_bytes(f"{folder}/{name}/ifindex") or b"").strip() == b"%d" % number)
    return os.fsencode(next(is_it, ""))


def traffic(taps: tuple[Tap, ...], rows: dict[bytes, list[bytes]]) -> parsers.Network | None:
    """Add up the traffic of a machine as it sees it; `None` if none of its interfaces is in the table."""
    own = parsers.traffic([rows[tap.name] for tap in taps if not tap.is_mirrored and tap.name in rows])
    mirrored = parsers.traffic([rows[tap.name] for tap in taps if tap.is_mirrored and tap.name in rows])
    if not any(tap.name in rows for tap in taps):
        return None
    return parsers.Network(
        own.rx_bytes + mirrored.tx_bytes,
        own.tx_bytes + mirrored.rx_bytes,
        own.rx_packets + mirrored.tx_packets,
        own.tx_packets + mirrored.rx_packets,
        own.drops + mirrored.drops,
    )


class InterfaceTables:
    """The tables of interfaces of network namespaces, each read once in a reading: many machines share the host's."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._rows: dict[str, dict[bytes, list[bytes]]] = {}

    def forget(self) -> None:
        """Begin a reading: the tables are read again."""
        self._rows.clear()

    def of(self, pid: int, namespace: str) -> dict[bytes, list[bytes]]:
        """Return the rows of the namespace of a process, by the names of the interfaces; empty when it has ended."""
        if namespace not in self._rows:
            table = read_bytes(f"{self._proc}/{pid}/net/dev") or b""
            self._rows[namespace] = parsers.interfaces(table) or {}
        return self._rows[namespace]
