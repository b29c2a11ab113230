"""The cells that say what a workload is and where it can be reached. Pure, no Textual."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.cells import cell_len

from collectors.analysis.empty_facts import why_no_fact
from collectors.model.workloads import Workload
from tui.presenters.formatting import ABSENT, fit
from tui.presenters.styled_lines import Run

_PUBLISHED = re.compile(r"(?:(?P<address>.*):)?(?P<outside>\d+(?:-\d+)?)→[\d-]+/(?P<protocol>\S+)")
_LOOPBACK = re.compile(r"127\.\d+\.\d+\.\d+|\[::1\]|localhost")


class Port(NamedTuple):
    """A port, or neighbouring ports, as the table shows them."""

    text: str
    """`*:443`, `127.0.0.1:8080`, `*:53/udp`; `5432/tcp` for one that is not published."""
    rank: int
    """0: other hosts reach it, 1: only this host does, 2: only the container's networks do."""


def ports_of(text: str | None) -> list[Port]:
    """Return the ports in `Workload.ports`, those that other hosts reach first."""
    ports = [_port(part) for part in (text or "").split(", ") if part]
    return sorted(ports, key=lambda port: port.rank)


def _port(part: str) -> Port:
    match = _PUBLISHED.fullmatch(part)
    if match is None:
        return Port(part, 2)
    address, outside, protocol = match["address"], match["outside"], match["protocol"]
    where = f"{address}:{outside}" if address else outside  # recordings of old versions have no address
    return Port(
        where if protocol == "tcp" else f"{where}/{protocol}",
        1 if address and _LOOPBACK.fullmatch(address) else 0,
    )


def ports_runs(text: str | None, width: int, ellipsis: str = "…") -> list[Run]:
    """Return the cell of a workload's ports: whole entries, then how many more there are. Public ones stand out."""
    ports = ports_of(text)
    if not ports:
        return [(fit(ABSENT, width), "muted")]
    runs: list[Run] = []
    room = width
    for index, port in enumerate(ports):
        before = ", " if index else ""
        rest = len(ports) - index - 1
        more = f", +{rest}" if rest else ""
        if index and cell_len(before + port.text + more) > room:
            word = f", +{rest + 1}"
            runs.append((fit(word, room, ""), "muted"))
            return [run for run in runs if run[0]]
        shown = before + port.text if index else fit(port.text, min(cell_len(port.text), room), ellipsis)
        runs.append((shown, "muted" if port.rank else "text"))
        room -= cell_len(shown)
    return [*runs, (" " * room, "text")] if room else runs


def addresses_text(addresses: Sequence[str], width: int) -> str:
    """Return the first address, and how many more there are: `172.18.0.2 +1`."""
    if not addresses:
        return ABSENT
    more = f" +{len(addresses) - 1}" if len(addresses) > 1 else ""
    return addresses[0] + more if len(addresses[0]) + len(more) <= width else addresses[0]


def _number(value: int | None, width: int) -> str:
    return (ABSENT if value is None else str(value)).rjust(width)


IDENTITY_TEXTS: dict[str, Callable[[Workload, int], str]] = {
    "ip": lambda workload, width: addresses_text(workload.addresses, width),
    "engine": lambda workload, width: workload.id.engine,
    "id": lambda workload, width: workload.short_id,
    "restarts": lambda workload, width: _number(workload.restarts, width),
    "exit": lambda workload, width: _number(workload.exit_code, width),
}
"""The text of each column that has a single tone."""

_FACTS: dict[str, Callable[[Workload], str | None]] = {
    "project": lambda workload: workload.project,
    "ports": lambda workload: workload.ports,
    "ip": lambda workload: ", ".join(workload.addresses),
    "image": lambda workload: workload.image,
    "restarts": lambda workload: None if workload.restarts is None else str(workload.restarts),
    "exit": lambda workload: None if workload.exit_code is None else str(workload.exit_code),
    "health": lambda workload: workload.health,
}


class Fact(NamedTuple):
    """A fact in words."""

    name: str
    """That of its column."""
    text: str
    """Empty where it is not known."""
    why_not: str
    """Why it is not known, as a sentence without capital and full stop; empty where it is."""


def facts_of(workload: Workload) -> list[Fact]:
    """Return what is known of a workload besides numbers, and why the rest is not."""
    texts = {name: read(workload) or "" for name, read in _FACTS.items()}
    return [Fact(name, text, "" if text else why_no_fact(name, workload)) for name, text in texts.items()]
