"""What the host's tasks wait for, and what vmtop reads at which cost."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.analysis.rates import Moment
from collectors.kernel.self_usage import Cost
from collectors.model.machine import Pressure
from collectors.model.metrics import Unit
from collectors.model.workloads import Availability, SourceState
from tui.presenters.formatting import text
from tui.presenters.host_page.layout import Column, Part, table
from tui.presenters.styled_lines import Line, Run

_HIGH_PERCENT = 10.0
_TONES = {
    Availability.OK: "good",
    Availability.WAITING: "muted",
    Availability.STALE: "warn",
    Availability.DENIED: "warn",
    Availability.ABSENT: "muted",
    Availability.DOWN: "bad",
}
_NOW = (("CPU", "cpu_wait_percent"), ("memory", "memory_wait_percent"), ("I/O", "io_wait_percent"))


def pressure_part(moment: Moment, pressures: Sequence[Pressure]) -> Part:
    """Return the shares of time that some task waited; of a recording those of the moment only."""
    lines: list[Line]
    if pressures:
        columns = (Column("", 8, False), *(Column(span, 6) for span in ("10 s", "1 min", "5 min")))
        lines = table(columns, [_pressure(pressure) for pressure in pressures])
    else:
        values = [(name, moment.host.value(key)) for name, key in _NOW]
        known = [(name, value) for name, value in values if value is not None]
        rows: list[list[Run]] = [[(name, "muted"), _percent(value)] for name, value in known]
        lines = table((Column("", 8, False), Column("now", 6)), rows)
        if not known:
            lines = [[("  this kernel does not measure it (PSI: CONFIG_PSI, psi=1)", "muted")]]
    return Part("Waiting", "Waiting", " % of time some task waited (PSI)", "", lines)


def _pressure(pressure: Pressure) -> list[Run]:
    return [(pressure.resource, "muted"), *map(_percent, pressure.some)]


def _percent(value: float) -> Run:
    return f"{value:.1f}", "warn" if value >= _HIGH_PERCENT else "text" if value >= 0.05 else "muted"


def sources_part(moment: Moment, cost: Cost | None) -> Part:
    """Return what is read, when it was read, how long that took, and what the daemon behind it used."""
    columns = (
        Column("SOURCE", 10, False), Column("STATE", 8, False), Column("READ", 10), Column("TOOK", 7),
        Column("DAEMON", 7),
    )  # fmt: skip
    rows = [_source(state, moment.frame.at_ns) for state in moment.sources]
    right = ""
    if cost is not None and cost.cpu_percent is not None:
        memory = text(cost.resident_bytes, Unit.BYTES, 5).strip()
        right = f"vmtop itself {cost.cpu_percent:.1f}% {memory}"
    return Part("Sources", "Sources", " ! says what helps", right, table(columns, rows))


def _source(state: SourceState, now_ns: int) -> list[Run]:
    age = None if state.read_at_ns is None else max(0, now_ns - state.read_at_ns) / 1e9
    took = None if state.cost_ns is None else state.cost_ns / 1e6
    daemon = state.daemon_cores
    return [
        (state.name, "text"),
        (state.availability.value, _TONES[state.availability]),
        ("-" if age is None else f"{age:.1f} s ago" if age < 99 else f"{age:.0f} s ago", "muted"),
        ("-" if took is None else f"{took:.1f} ms" if took < 10 else f"{took:.0f} ms", "text" if took else "muted"),
        ("-" if daemon is None else f"{daemon * 100:.1f}%", "muted"),
    ]
