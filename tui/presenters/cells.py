"""From a line of the table to the texts and tones of its cells. Plain, no Textual: the table only paints them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from collectors.analysis.history import History
from collectors.analysis.rates import Moment, Reading
from collectors.engines.registry import engines_told_by
from collectors.model.metrics import METRICS, Unit
from collectors.model.workloads import Availability, Kind, Sample, State, Workload, WorkloadId
from tui.presenters.columns import Column
from tui.presenters.formatting import duration, fit, text
from tui.presenters.sparkline import samples_wanted, spark
from tui.presenters.table_state import Line, Scale

STALE_S, STALE_INTERVALS = 8.0, 2.5
"""Seconds and intervals; numbers older than both are shown as stale."""
_SIGNS = {
    State.RUNNING: ("●", "*", "good"),
    State.PAUSED: ("‖", "=", "warn"),
    State.STARTING: ("◐", "+", "warn"),
    State.RESTARTING: ("◐", "+", "warn"),
    State.STOPPING: ("◐", "-", "warn"),
    State.STOPPED: ("○", "o", "muted"),
    State.CREATED: ("○", "o", "muted"),
    State.CRASHED: ("✗", "x", "bad"),
    State.SUSPENDED: ("‖", "=", "warn"),
    State.BLOCKED: ("✗", "x", "bad"),
    State.UNKNOWN: ("·", ".", "muted"),
}
_SHORT_KINDS = {Kind.VM: "vm", Kind.CONTAINER: "ct", Kind.SERVICE: "svc", Kind.HOST: "host"}
_SHORT_REASONS = frozenset({"saved", "out of memory", "watchdog", "timed out"})
"""Reasons for being at rest that say more in the column STATE than the state does."""
_APPROXIMATE = frozenset({"process-io"})


class Cell(NamedTuple):
    """One cell: exactly its column's width of text, and its tone."""

    text: str
    tone: str


class Cells:
    """Formats lines. Holds what a cell needs in addition to its own line: the moment, the history, the scale."""

    def __init__(self, history: History, ascii_only: bool = False) -> None:
        self.history = history
        self.ascii_only = ascii_only
        self.moment: Moment | None = None
        self.scale = Scale.CORE
        self.acting: dict[WorkloadId, str] = {}
        """The action in progress on a workload, with the seconds since it began."""
        self._stale_ns = STALE_S * 1e9
        self._silent_engines: frozenset[str] = frozenset()
        """Engines whose source is stale, so that it is unknown whether their workloads still run."""
        self._memory_top = 1.0
        self._cpu_top = 100.0

    def at(self, moment: Moment, scale: Scale, interval_s: float = 1.0) -> None:
        """Take a new moment."""
        self.moment, self.scale = moment, scale
        self._stale_ns = max(STALE_S, STALE_INTERVALS * interval_s) * 1e9
        stale_sources = (state.name for state in moment.sources if state.availability is Availability.STALE)
        self._silent_engines = frozenset[str]().union(
            *(engines_told_by(name.partition(" ")[0]) for name in stale_sources)
        )
        readings = moment.readings.values()
        memory_values = [reading.value("memory_host_bytes") or 0.0 for reading in readings]
        self._memory_top = max(memory_values, default=1.0) or 1.0
        # values up to the lowest top need no quota lookup
        above_one_core = [
            (value, reading) for reading in readings if (value := reading.value("cpu_percent") or 0.0) > 100.0
        ]
        self._cpu_top = max((value for value, reading in above_one_core if not self._quota(reading)), default=100.0)

    def _quota(self, reading: Reading) -> float | None:
        """Return the cores that a workload is limited to; `None` if only the host's size limits it."""
        cores = reading.value("cpu_limit_cores")
        return cores if cores and self.moment is not None and cores < self.moment.frame.cpus else None

    def line(self, line: Line, columns: list[Column], is_marked: bool) -> list[Cell]:
        """Format one line: the mark and sign, then one cell per column."""
        if line.reading is None:
            return self._group(line, columns)
        is_stale = self._is_stale(line.reading) and line.id not in self.acting
        is_doubtful = any(
            self._is_old(pair.current) or pair.current.source in _APPROXIMATE for pair in line.reading.pairs
        )
        cells = [self._sign(line.reading, is_marked, is_stale)]
        for column in columns:
            cell = self._cell(line, line.reading, column, is_doubtful)
            tone = "stale" if is_stale and column.key != "name" else cell.tone
            cells.append(Cell(cell.text + " ", tone))
        return cells

    def _is_stale(self, reading: Reading) -> bool:
        """Return whether all its numbers are old; without any, whether its engine is in `_silent_engines`."""
        if reading.pairs:
            return all(self._is_old(pair.current) for pair in reading.pairs)
        return reading.workload.id.engine in self._silent_engines

    def _sign(self, reading: Reading, is_marked: bool, is_stale: bool) -> Cell:
        unicode_sign, ascii_sign, tone = _SIGNS[reading.workload.state]
        if is_stale or reading.workload.is_listed is False:
            unicode_sign, ascii_sign, tone = "?", "?", "warn"
        elif reading.workload.is_faulted or _is_unhealthy(reading.workload):
            unicode_sign, ascii_sign, tone = "!", "!", "bad"
        mark = (">" if self.ascii_only else "▌") if is_marked else " "
        return Cell(mark + (ascii_sign if self.ascii_only else unicode_sign), "accent bold" if is_marked else tone)

    def _is_old(self, sample: Sample) -> bool:
        return self.moment is not None and self.moment.frame.at_ns - sample.at_ns > self._stale_ns

    def _group(self, line: Line, columns: list[Column]) -> list[Cell]:
        cells = [Cell("v " if self.ascii_only else "▾ ", "title")]
        for column in columns:
            if column.key == "name":
                cell_text = f"{line.label} ({len(line.members)})"
                cells.append(Cell(fit(cell_text, column.width) + " ", "title"))
            elif column.metric and not column.is_spark:
                unit = METRICS[column.metric].unit
                value = line.value(column.metric)
                if column.metric == "cpu_percent" and value is not None and self.moment is not None:
                    scales = {Scale.CORE: value, Scale.HOST: value / self.moment.frame.cpus}
                    value = scales.get(self.scale)
                cell_text = " " * column.width if value is None else text(value, unit, column.width)
                cells.append(Cell(cell_text + " ", "title"))
            else:
                cells.append(Cell(" " * (column.width + 1), "title"))
        return cells

    def _cell(self, line: Line, reading: Reading, column: Column, is_doubtful: bool) -> Cell:
        if column.is_spark:
            return self._spark(reading, column)
        if column.metric:
            return self._number(reading, column, is_doubtful)
        return _FACT_CELLS[column.key](self, line, reading, column.width)

    def _spark(self, reading: Reading, column: Column) -> Cell:
        key = column.metric or ""
        values = self.history.recent(reading.workload.id, key, samples_wanted(column.width, self.ascii_only))
        if key == "cpu_percent":
            quota = self._quota(reading)
            top = quota * 100 if quota else self._cpu_top
            return Cell(spark(values, top, column.width, self.ascii_only), "spark")
        top = reading.value("memory_limit_bytes") or self._memory_top
        return Cell(spark(values, top, column.width, self.ascii_only), "graph-mem")

    def _number(self, reading: Reading, column: Column, is_doubtful: bool) -> Cell:
        """Format a metric; `is_doubtful`: a number of the line may be old or approximate."""
        key = column.metric or ""
        value = reading.value(key)
        if key == "cpu_percent" and value is not None:
            value = self._scaled(reading, value)
        value_text = text(value, METRICS[key].unit, column.width)
        if value is None:
            return Cell(value_text, "muted")
        supplier = reading.supplier(key) if is_doubtful else None
        if supplier is not None and supplier.source in _APPROXIMATE and value >= 1 and value_text.startswith(" "):
            value_text = "~".rjust(len(value_text) - len(value_text.lstrip())) + value_text.lstrip()
        if supplier is not None and self._is_old(supplier):
            return Cell("?" + value_text[1:] if value_text.startswith(" ") else value_text, "stale")
        return Cell(value_text, self._tone(reading, key, value))

    def _scaled(self, reading: Reading, value: float) -> float | None:
        if self.scale is Scale.HOST and self.moment is not None:
            return value / self.moment.frame.cpus
        return reading.value("cpu_of_limit_percent") if self.scale is Scale.LIMIT else value

    def _tone(self, reading: Reading, key: str, value: float) -> str:
        if key == "cpu_percent":
            share = reading.value("cpu_of_limit_percent")
            warn, bad, value = 80.0, 95.0, share if share is not None else min(value, 79.0)
        elif key == "memory_of_limit_percent" and reading.workload.kind is Kind.VM:
            return "text"  # the balloon target is not a hard limit: the hypervisor's own memory comes on top of it
        elif (thresholds := METRICS[key].thresholds) is not None:
            warn, bad = thresholds
        else:
            return "text" if value >= 0.05 or METRICS[key].unit is Unit.COUNT else "muted"
        if value >= bad:
            return "bad"
        return "warn" if value >= warn else "text" if value >= 0.05 else "muted"

    def name(self, line: Line, reading: Reading, width: int) -> Cell:
        """Format the name; a name that is only a shortened id is dim."""
        name = ("  " if line.depth else "") + reading.workload.name
        acting = self.acting.get(line.id)
        if acting:
            return Cell(fit(name, max(1, width - len(acting) - 1)) + " " + acting[-(width - 2) :], "warn")
        tone = "text" if reading.workload.state.is_active and reading.workload.name_is_known else "muted"
        return Cell(fit(name, width), tone)

    def uptime(self, line: Line, reading: Reading, width: int) -> Cell:
        """Format the time since the start."""
        started = reading.workload.started_at
        if started is None or self.moment is None or not reading.workload.state.is_active:
            return Cell("-".rjust(width), "muted")
        return Cell(duration(max(0.0, self.moment.frame.wall - started), width), "text")


def _is_unhealthy(workload: Workload) -> bool:
    """Return whether a health check fails now; of a workload at rest, the last result no longer counts."""
    return workload.health == "unhealthy" and workload.state.is_active


def _kind(cells: Cells, line: Line, reading: Reading, width: int) -> Cell:
    kind = reading.workload.kind
    return Cell(
        fit(kind.value if width >= 9 else _SHORT_KINDS[kind], width),
        "text" if kind is Kind.HOST else f"kind-{kind.value}",
    )


def _state(cells: Cells, line: Line, reading: Reading, width: int) -> Cell:
    workload = reading.workload
    is_at_rest = not workload.state.is_active
    short_text = workload.state.value
    if is_at_rest and workload.exit_code is not None:
        short_text = f"exit {workload.exit_code}"
    elif workload.is_faulted or (is_at_rest and workload.state_reason in _SHORT_REASONS):
        short_text = workload.state_reason or short_text
    tone = "text" if workload.state is State.RUNNING else "bad" if workload.is_faulted else _SIGNS[workload.state][2]
    return Cell(fit(short_text, width), tone)


_FACT_CELLS: dict[str, Callable[[Cells, Line, Reading, int], Cell]] = {
    "name": Cells.name,
    "kind": _kind,
    "state": _state,
    "uptime": Cells.uptime,
    "image": lambda cells, line, reading, width: Cell(fit(reading.workload.image or "-", width), "text"),
    "health": lambda cells, line, reading, width: Cell(
        fit(reading.workload.health or "-", width), "bad" if reading.workload.health == "unhealthy" else "text"
    ),
}
