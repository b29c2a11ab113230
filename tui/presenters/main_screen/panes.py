"""The panes below the table: what the row under the cursor uses of CPU, memory, disk and network, and how that went.

A workload has the scale of its limits, a group the sums of its members against what is assigned to them. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from collectors.analysis.history import History
from collectors.analysis.hosts import size_of_host
from collectors.analysis.last_minute import LastMinute
from collectors.analysis.rates import Moment, Reading
from collectors.model.metrics import METRICS, Unit
from collectors.model.workloads import Kind
from tui.presenters.area import Area, area_rows, columns, paint_area, row_of
from tui.presenters.formatting import duration, text
from tui.presenters.main_screen.numbers import change_run, tone_of
from tui.presenters.main_screen.row_words import fitted
from tui.presenters.scale import steady_top, tick_text, ticks, top_of
from tui.presenters.styled_lines import Line, Run
from tui.presenters.table.state import Scale

ROWS = (14, 10, 6, 4, 3)
"""The heights of graphs; below the least there are numbers only."""
AXIS_FROM = 6
"""Height of a graph from which it has a time axis and a line for its limit."""
_LEAST_FOR = ((50, 6), (40, 4), (30, 3))
"""Height of the screen, and of the graphs that a table keeps free which does not fit anyway."""
_LABEL = 5
_SLACK = 1.2
"""What a peak may be above its limit, as a factor, without another scale: two clocks are never read at one instant."""
_CPU, _MEMORY = "cpu_percent", "memory_host_bytes"
_READ, _WRITE = "disk_read_bytes_per_second", "disk_write_bytes_per_second"
_RX, _TX = "net_rx_bytes_per_second", "net_tx_bytes_per_second"


class Source(NamedTuple):
    """Where the numbers of the panes come from."""

    readings: Sequence[Reading]
    """One workload, the host, or the members of a group of which none is inside another."""
    moment: Moment
    history: History
    minute: LastMinute
    scale: Scale


class Pane(NamedTuple):
    """One pane: its numbers, and what its graph shows."""

    title: Line
    keys: tuple[str, ...]
    """Metrics, added up."""
    unit: Unit
    graph: str
    factor: float = 1.0
    """What the values are multiplied by."""
    limit: float | None = None
    """In the unit of the graph."""
    least: float | None = None
    """The lowest top of the scale."""


def graph_rows(height: int, taken: int, lines: int, is_enlarged: bool) -> int:
    """Return the height of the graphs: the most that leaves room for the table, at most a third of the screen.

    Args:
        height: Lines of the screen.
        taken: Lines of everything but the table's rows, the time axis and the graphs.
        lines: Rows of the table.
        is_enlarged: Whether the user wants large ones: then up to half of the screen, whatever the table has.
    """
    room = height - taken
    if is_enlarged:
        return next((rows for rows in ROWS if rows <= height // 2 and _with_axis(rows) <= room - 4), 0)
    fitting = (rows for rows in ROWS if rows <= height // 3 and _with_axis(rows) <= room - lines)
    least = next((rows for least, rows in _LEAST_FOR if height >= least), 0)
    return max(next(fitting, 0), least)


def _with_axis(rows: int) -> int:
    return rows + (rows >= AXIS_FROM)


def panes_of(source: Source) -> list[Pane]:
    """Return the four panes."""
    return [_cpu(source), _memory(source), _flow(source, "DISK", "disk", ("r", _READ), ("w", _WRITE)),
            _flow(source, "NET", "net", ("rx", _RX), ("tx", _TX))]  # fmt: skip


def pane_lines(
    panes: Sequence[Pane], source: Source, width: int, rows: int, tops: dict[str, float], ascii_only: bool
) -> list[Line]:
    """Return the line of numbers, the graphs and the time axis.

    Args:
        panes: What to paint.
        source: Where the values come from.
        width: Cells of a line.
        rows: Height of the graphs; 0 for numbers only.
        tops: The tops of the scales as they were painted last, by graph; updated.
        ascii_only: Use no character beyond ASCII.
    """
    pane_width = width // len(panes)
    graph_width = pane_width - _LABEL - 2
    lines: list[list[Run]] = [_row([fitted(pane.title, pane_width) for pane in panes], pane_width)]
    if not rows:
        return list(lines)
    count = columns(graph_width, ascii_only)
    painted = [_painted(pane, source, count, graph_width, rows, tops, ascii_only) for pane in panes]
    lines += [_row([graph[row] for graph in painted], pane_width) for row in range(rows)]
    if rows >= AXIS_FROM:
        start = f"-{duration(source.history.span_s(count, source.moment.frame.interval_s), 5).strip()}"
        axis = [(" " * (_LABEL + 1) + start + "now".rjust(max(0, graph_width - len(start))), "muted")]
        lines.append(_row([axis] * len(panes), pane_width))
    return list(lines)


def _row(parts: Sequence[Line], pane_width: int) -> list[Run]:
    """Put the parts of panes next to each other, each cut or padded to the width of a pane."""
    row: list[Run] = []
    for part in parts:
        room = pane_width
        for run_text, tone in part:
            cut = run_text[:room]
            row.append((cut, tone))
            room -= cell_len(cut)
        if room > 0:
            row.append((" " * room, "text"))
    return row


def _painted(
    pane: Pane, source: Source, count: int, width: int, rows: int, tops: dict[str, float], ascii_only: bool
) -> list[Line]:
    """Return the rows of a graph with the labels of its scale."""
    values = _values(source, pane.keys, count)
    if pane.factor != 1.0:
        values = [value * pane.factor for value in values]
    peak = max((value for value in values if value == value), default=0.0)
    if pane.limit is not None and pane.limit < peak <= pane.limit * _SLACK:
        peak = pane.limit
    wanted = top_of(peak, pane.unit, pane.limit, pane.least)
    top = tops[pane.graph] = steady_top(tops.get(pane.graph), wanted, peak)
    limit = pane.limit if rows >= AXIS_FROM and pane.limit is not None and pane.limit <= top else None
    area = Area(values, top, pane.graph, limit=limit)
    first = rows - area_rows(area, rows)
    marks = [tick for tick in ticks(top, pane.unit, rows) if tick < top]
    labels = {first + row_of(tick, top, rows - first): tick_text(tick, pane.unit) for tick in marks}
    labels |= {rows - 1: "0", 0: tick_text(top, pane.unit)}
    graph = paint_area(area, width, rows, ascii_only)
    return [[(f"{labels.get(row, ''):>{_LABEL}} ", "muted"), *graph[row]] for row in range(rows)]


def _values(source: Source, keys: Sequence[str], count: int) -> list[float]:
    """Return the last values, added up over keys and readings; only a gap of all readings is one."""
    recent = source.history.recent
    rings = [
        [sum(values) for values in zip(*(recent(reading.workload.id, key, count) for key in keys), strict=True)]
        for reading in source.readings
    ]
    if len(rings) == 1:
        return rings[0]
    sums = []
    for values in zip(*rings, strict=True):
        known = [value for value in values if value == value]
        sums.append(sum(known) if known else float("nan"))
    return sums


def _total(source: Source, key: str) -> float | None:
    """Return the sum of a metric over the readings; `None` if no reading has it."""
    known = [value for reading in source.readings if (value := reading.value(key)) is not None]
    return sum(known) if known else None


def _of_hosts(source: Source) -> tuple[int, int]:
    """Return the cores and the bytes of memory of the host of the readings, or of the hosts that they are."""
    readings, frame = source.readings, source.moment.frame
    hosts = [reading for reading in readings if reading.workload.is_host] or list(readings[:1])
    sizes = [size_of_host(frame, reading.workload.id) for reading in hosts]
    return sum(cpus for cpus, _ in sizes) or frame.cpus, sum(memory for _, memory in sizes) or frame.memory_bytes


def _assigned(source: Source, key: str, host: float) -> float | None:
    """Return what a workload is limited to, or all members of a group together; `None` if one has no limit of its own.

    `host` is what the host has: a limit that is not below it is none, but for a machine.
    """
    limits = []
    for reading in source.readings:
        limit = reading.value(key)
        if reading.workload.is_host:
            return host
        if reading.workload.is_sandbox:
            continue  # what it may use is the pod's, as of every other member
        if not limit or (limit >= host and reading.workload.kind is not Kind.VM):
            return None
        limits.append(limit)
    return sum(limits) if limits else None


def _number(value: str, is_bad: bool = False) -> Run:
    return value, "muted" if value == "-" else "bad" if is_bad else "title"


def _cpu(source: Source) -> Pane:
    cpus, _ = _of_hosts(source)
    cores = _assigned(source, "cpu_limit_cores", cpus)
    factor = {Scale.CORE: 1.0, Scale.HOST: 1 / cpus, Scale.LIMIT: 1 / (cores or cpus)}[source.scale]
    used = _total(source, _CPU)
    limit = cores * 100 * factor if cores else None
    is_bad = bool(used is not None and limit and used * factor >= limit * 0.95)
    words = {
        Scale.CORE: f" of {limit:g}%" if limit else "",
        Scale.HOST: " of the host",
        Scale.LIMIT: " of its limit" if cores else " of the host",
    }[source.scale]
    value = "-" if used is None else f"{text(used * factor, Unit.PERCENT, 6).strip()}%"
    least = {Scale.CORE: 10.0}.get(source.scale, 100.0)
    title = [(" CPU ", "muted"), _number(value, is_bad and len(source.readings) == 1), (words, "muted")]
    return Pane(title, (_CPU,), Unit.PERCENT, "cpu", factor, limit, least)


def _memory(source: Source) -> Pane:
    held = _total(source, _MEMORY)
    limit = _assigned(source, "memory_limit_bytes", _of_hosts(source)[1])
    title = [(" MEM ", "muted"), _number(text(held, Unit.BYTES, 6).strip())]
    if len(source.readings) == 1 and source.readings[0].is_machine:
        title, limit = [*title, *_guest(source.readings[0])], None
    elif limit:
        title.append((f" of {text(limit, Unit.BYTES, 6).strip()}", "muted"))
    changes = [source.minute.change(reading.workload.id, _MEMORY) for reading in source.readings]
    known = [change for change in changes if change is not None]
    change, tone = change_run(sum(known) if known else None, held, limit if len(changes) == 1 else None, 6)
    if change.strip() not in ("-", "0"):
        title.append((f"  {change.strip()}/min", tone))
    return Pane(title, (_MEMORY,), Unit.BYTES, "mem", 1.0, limit, float(16 << 20))


def _guest(machine: Reading) -> list[Run]:
    """Return how much of its memory a guest uses, unlike what its hypervisor holds; nothing if it does not say."""
    metric = METRICS["memory_of_limit_percent"]
    share = machine.value(metric.key)
    return [] if share is None else [("  guest uses ", "muted"), (f"{share:.0f}%", tone_of(machine, metric, share))]


def _flow(source: Source, name: str, graph: str, *parts: tuple[str, str]) -> Pane:
    title: list[Run] = [(f" {name}", "muted")]
    for word, key in parts:
        value = text(_total(source, key), Unit.BYTES_PER_SECOND, 6).strip()
        title += [(f" {word} ", "muted"), _number(value)]
    return Pane(title, tuple(key for _, key in parts), Unit.BYTES_PER_SECOND, graph)
