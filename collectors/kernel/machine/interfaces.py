"""The network interfaces of the host. Which of them count is decided in `kernel/network_edge.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collectors.analysis.counter_rates import Rates
from collectors.kernel.cgroup import parsers
from collectors.kernel.network_edge import EDGE, INSIDE, edge_of, roles_by_name
from collectors.kernel.procfs import read_bytes
from collectors.model.machine import InterfaceRow
from collectors.safety.sanitize import sanitize

_LOOK_EVERY = 30
"""Readings after which the roles are determined again, if no interface came or went."""


class InterfaceReader:
    """Reads the interfaces repeatedly; rates are known from the second reading on.

    Args:
        look: Returns the role of each interface; `None` if this user may not see them.
        proc: Where procfs is mounted.
        sys: Where sysfs is mounted.
    """

    def __init__(self, look: Callable[[], Mapping[bytes, str] | None], proc: str = "/proc", sys: str = "/sys") -> None:
        self._look = look
        self._proc, self._sys = proc, sys
        self._rates = Rates()
        self._roles: dict[bytes, str] = {}
        self._readings = 0

    def read(self, at: float) -> tuple[tuple[InterfaceRow, ...], int]:
        """Return the interfaces, those that count first, and how many are left out: the ends that lead into workloads.

        Args:
            at: Now, in monotonic seconds.
        """
        text = read_bytes(f"{self._proc}/1/net/dev") or read_bytes(f"{self._proc}/net/dev") or b""
        table = parsers.interfaces(text) or {}
        if table.keys() != self._roles.keys() or self._readings % _LOOK_EVERY == 0:
            self._roles = self._find_roles(table)
        self._readings += 1
        rows: list[InterfaceRow] = []
        inner = 0
        for name, counters in table.items():
            if name == b"lo":
                continue
            if self._roles[name] == INSIDE:
                inner += 1
            else:
                rows.append(self._row(name, counters, at))
        return tuple(sorted(rows, key=lambda row: (row.role != "", row.name))), inner

    def _find_roles(self, table: Mapping[bytes, list[bytes]]) -> dict[bytes, str]:
        edge = edge_of(table, self._look)
        known = self._look() or roles_by_name(table)
        known = {name: INSIDE if role == EDGE else role for name, role in known.items()}
        return {name: EDGE if name in edge else known.get(name, INSIDE) for name in table}

    def _row(self, name: bytes, counters: list[bytes], at: float) -> InterfaceRow:
        shown, sums = sanitize(name), parsers.traffic([counters])
        role = self._roles[name]
        mbps, why = self._link(name.decode("utf-8", "surrogateescape"))
        return InterfaceRow(
            name=shown,
            role="" if role == EDGE else sanitize(role),
            rx_bps=self._rates.per_second(f"r{shown}", sums.rx_bytes, at),
            tx_bps=self._rates.per_second(f"t{shown}", sums.tx_bytes, at),
            drops=self._rates.per_second(f"d{shown}", sums.drops, at),
            link_mbps=mbps,
            why=why,
        )

    def _link(self, name: str) -> tuple[int | None, str]:
        """Return the speed of a link, or why it has none: drivers report -1, 0, or fail while it is down."""
        folder = f"{self._sys}/class/net/{name}"
        state = (read_bytes(f"{folder}/operstate") or b"").strip()
        if state in (b"down", b"lowerlayerdown", b"notpresent", b"dormant"):
            return None, "down"
        mbps = parsers.number(read_bytes(f"{folder}/speed") or b"")
        if mbps is not None and 0 < mbps < 10_000_000:
            return mbps, ""
        return None, "no speed reported"
