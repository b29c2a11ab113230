"""Tells by the host's interfaces which tables of other network namespaces need not be read.

What a container sends and receives passes the host's end of its pair, which counts the same bytes and packets with
the directions swapped (veth_get_stats64 of the kernel's drivers/net/veth.c): as long as these stand still, so does the
other end. One table of the host replaces one of each container. Its names tell whether a container may have been
given another interface: engines make them on the host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.processes import network_namespace
from collectors.kernel.links import namespace_id, pair_ends
from collectors.kernel.procfs import read_bytes

REST_AT_MOST = 4
"""Readings in a row without the table: what leaves no trace on the host, such as an interface that a process in the
namespace made for itself, shows after them."""
_LOOK_EVERY = 60
"""Tables without a known end after which it is looked for again."""
_RX_BYTES, _RX_PACKETS, _TX_BYTES, _TX_PACKETS = 0, 1, 8, 9
"""Columns of a `net/dev` table."""

Columns = Sequence[bytes]
"""What a `net/dev` table has of one interface."""


class Outside(NamedTuple):
    """What the host shows of one namespace."""

    changes: int
    """How often the host's interfaces have come or gone."""
    columns: Columns | None
    """The counters of its pair's end on the host; `None`: no such end is known."""


class HostEnds:
    """The host's interfaces, of which some are ends of pairs that lead into other namespaces.

    Args:
        proc: The path of procfs.
        host_network: Identity of the host's network namespace; the ends are found only from inside it.
    """

    def __init__(self, proc: str, host_network: str | None) -> None:
        self._table = f"{proc}/1/net/dev"
        self._sees_links = host_network is not None and network_namespace(proc, "self") == host_network
        self._text: bytes | None = None
        self._rows: Mapping[bytes, Columns] = {}
        self._changes = 0
        self._ends: Mapping[int, Sequence[bytes]] | None = None
        self._is_read = False

    def refresh(self) -> None:
        """Let what the host has be read again, by the first that asks: before any of the tables that it tells of."""
        self._is_read = False
        self._ends = None

    def outside(self, end: bytes | None) -> Outside | None:
        """Return what the host shows of a namespace; `None` if its interfaces cannot be read.

        Args:
            end: The name of its pair's end on the host, if known.
        """
        if not self._is_read:
            self._is_read = True
            self._read()
        if self._text is None:
            return None
        return Outside(self._changes, None if end is None else self._rows.get(end))

    def _read(self) -> None:
        text = read_bytes(self._table)
        if text != self._text:
            rows = parsers.interfaces(text or b"") or {}
            self._changes += rows.keys() != self._rows.keys()
            self._text, self._rows = text, rows

    def find(self, process: int) -> bytes | None:
        """Return the host's end of the pair that leads into a process's namespace; `None` unless there is one only.

        Args:
            process: A descriptor of its directory in procfs.
        """
        if not self._sees_links:
            return None
        if self._ends is None:
            self._ends = pair_ends()
        number = namespace_id(process) if self._ends else None
        names = self._ends.get(number, ()) if number is not None else ()
        return names[0] if len(names) == 1 else None


class NetworkRest:
    """Tells of one namespace whether its table is as it was.

    Args:
        host: The host's interfaces.
        find: Looks for the name of its pair's end on the host.
    """

    __slots__ = ("_before", "_end", "_find", "_host", "_known", "_rested", "_until_look")

    def __init__(self, host: HostEnds, find: Callable[[], bytes | None]) -> None:
        self._host = host
        self._find = find
        self._end: bytes | None = None
        self._until_look = 0
        self._before: Outside | None = None
        self._known: Outside | None = None
        """What the host showed before a table that it agreed with; `None`: it tells nothing."""
        self._rested = 0

    def is_unmoved(self, is_idle: bool) -> bool:
        """Whether the table need not be read; to be asked before each reading of it.

        Args:
            is_idle: Whether the group has used no CPU time since: a process that ends, and takes its namespace with
                it, uses some.
        """
        self._before = self._host.outside(self._end)
        is_same = is_idle and self._known is not None and self._before == self._known
        self._rested = self._rested + 1 if is_same and self._rested < REST_AT_MOST else 0
        return self._rested > 0

    def note(self, interfaces: Sequence[Columns]) -> None:
        """Take over what was read after that, without the loopback and what the kernel puts into each namespace."""
        self._known = None
        if not interfaces:
            self._known = self._before
        elif len(interfaces) == 1:
            if self._before is not None and _mirrors(interfaces[0], self._before.columns):
                self._known = self._before
            elif self._before is None or self._before.columns is None:
                self._look()

    def _look(self) -> None:
        self._until_look -= 1
        if self._until_look < 0:
            self._until_look = _LOOK_EVERY
            self._end = self._find()


def _mirrors(inner: Columns, outer: Columns | None) -> bool:
    """Whether two ends have counted the same. Traffic that is led past the host's end, as BPF can, shows here."""
    return outer is not None and (
        (inner[_RX_BYTES], inner[_RX_PACKETS], inner[_TX_BYTES], inner[_TX_PACKETS])
        == (outer[_TX_BYTES], outer[_TX_PACKETS], outer[_RX_BYTES], outer[_RX_PACKETS])
    )
