"""The charts page of a workload: the list of metrics, the chart of one of them, and its numbers. Plain, no Textual."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from textwrap import wrap
from typing import NamedTuple

from rich.cells import cell_len

from collectors.alerts.told import BEGAN
from collectors.analysis.rates import Moment, Reading
from collectors.comparison.workload_history import WorkloadHistory
from collectors.model.metrics import METRICS, Metric
from collectors.model.workloads import Event
from tui.presenters.area import columns
from tui.presenters.charts.chart import Chart, chart_lines, column_words, gap_words, peak_of, plot_width
from tui.presenters.charts.limits import limit_of
from tui.presenters.charts.overlay import TONES, Overlay, Series, paint_overlay
from tui.presenters.formatting import fit, stamp
from tui.presenters.pages.empty_reason import why_empty
from tui.presenters.pages.metric_groups import (
    NAME_WIDTH,
    SETTINGS,
    Entry,
    entries_of,
    explanation,
    value_text,
    value_tone,
)
from tui.presenters.scale import steady_top, top_of
from tui.presenters.sparkline import spark_line
from tui.presenters.styled_lines import Line, Run, plain_text

SPANS: tuple[tuple[str, float | None], ...] = (("1m", 60.0), ("10m", 600.0), ("1h", 3600.0), ("all", None))
"""What a chart may show, by the word for it: seconds, `None` for all that there is."""
FLEET_SPANS: tuple[tuple[str, float | None], ...] = (
    ("1h", 3600.0), ("6h", 6 * 3600.0), ("1d", 86400.0), ("1w", 7 * 86400.0), ("all", None)
)  # fmt: skip
"""The same where a server keeps the past."""
_SPARKS = ((110, 12), (72, 9), (0, 0))
"""Cells of the screen from which on the list has sparklines of so many cells."""
_SHORTEST_S = 60.0
_ROOMY = 16
"""Rows from which there is room for a blank line and events."""
_RESTARTS = ("start", "restart")
_FAILURES = ("die", "oom", BEGAN)


class Subject(NamedTuple):
    """What a page is about at one moment."""

    reading: Reading
    moment: Moment
    history: WorkloadHistory
    events: Sequence[Event]
    """Of the workload, oldest first."""
    span_s: float | None
    """`None` for all."""
    is_live: bool
    ascii_only: bool = False
    width: int = 80
    """Cells of the screen."""

    @property
    def end_wall(self) -> float:
        return self.moment.frame.wall

    @property
    def shown_s(self) -> float:
        """Seconds that a chart shows, at least."""
        first = self.history.first_wall
        return self.span_s or max(_SHORTEST_S, self.end_wall - (self.end_wall if first is None else first))


def step_words(seconds: float) -> str:
    """Return how far apart values are: `15s`, `10m`, `1h`."""
    for size, word in ((3600, "h"), (60, "m")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{word}"
    return f"{seconds:g}s"


def spark_width(width: int) -> int:
    """Return the cells of a sparkline in the list; 0 where the chart needs them."""
    return next(cells for least, cells in _SPARKS if width >= least)


def list_width(width: int) -> int:
    """Return the cells of the list of metrics on a screen of so many cells."""
    spark = spark_width(width)
    return 2 + NAME_WIDTH + 7 + (spark + 1 if spark else 0)


def list_lines(subject: Subject) -> tuple[list[Line], list[Entry | None]]:
    """Return the lines of the list, and the metric of each; `None` for a heading."""
    lines: list[Line] = []
    rows: list[Entry | None] = []
    group = ""
    for entry in entries_of(subject.reading.workload.kind):
        if entry.group != group:
            group = entry.group
            lines.append([(f" {group}", "muted bold")])
            rows.append(None)
        lines.append(_list_line(entry, subject))
        rows.append(entry)
    return lines, rows


def _list_line(entry: Entry, subject: Subject) -> Line:
    metric = entry.metric
    value = subject.reading.value(metric.key)
    name = (f"  {fit(entry.name, NAME_WIDTH - 1)}", "muted" if value is None else "text")
    number = (f"{value_text(metric, value):>7} ", value_tone(metric, value))
    cells = spark_width(subject.width)
    if not cells:
        return [name, number]
    seconds = subject.history.column_s(subject.shown_s, cells)
    means = subject.history.columns(metric.key, subject.end_wall, seconds, cells).means
    limit = limit_of(metric, subject.reading, subject.moment)
    top = top_of(peak_of(means, ()), metric.unit, None if limit is None else limit.value)
    return [name, number, *spark_line(means, top, cells, subject.ascii_only)]


class Page:
    """Draws charts one after another: the scale of a metric grows at once, and shrinks only when all is below half."""

    def __init__(self) -> None:
        self._tops: dict[tuple[str, float | None], float] = {}

    def lines(
        self, entry: Entry, subject: Subject, is_overlay: bool, width: int, height: int, note: str = ""
    ) -> list[Line]:
        """Return a metric's chart and numbers as lines that fit; a note, such as of the progress, ends the title."""
        below = _numbers(entry, subject, width)[: max(1, height - 8)]
        roomy = height >= _ROOMY
        chart_height = height - 1 - len(below) - (2 if roomy else 0)
        partners = partners_of(entry, subject) if is_overlay else []
        if len(partners) > 1:
            title, body = _overlay(partners, subject, width, chart_height)
        else:
            title, body = self._chart(entry, subject, width, chart_height)
        lines: list[Line] = [_fitting(title, width, note), *([[]] if roomy else []), *body]
        lines += [_event_line(subject, width)] if roomy else []
        return lines + below

    def _chart(self, entry: Entry, subject: Subject, width: int, height: int) -> tuple[list[Line], list[Line]]:
        chart = self._measured(entry, subject, columns(plot_width(width), subject.ascii_only))
        words = [explanation(entry.metric)]
        if chart.limit is not None and chart.limit.value > chart.top:
            words.append(f"{chart.limit.words}, above")
        if chart.highest:
            words += column_words(chart.column_s, subject.history.longest_interval_s).split(" · ")
        title: list[Line] = [[(f" {_long_name(entry)}", "title")]]
        return title + [[(word, "muted")] for word in words if word], chart_lines(
            chart, width, height, subject.ascii_only
        )

    def _measured(self, entry: Entry, subject: Subject, count: int) -> Chart:
        metric, history, end = entry.metric, subject.history, subject.end_wall
        count = max(1, count)
        seconds = history.column_s(subject.shown_s, count)
        repeat = max(1, int(count * seconds // max(subject.shown_s, seconds)))
        measured = history.columns(metric.key, end, seconds, ceil(count / repeat))
        means, highest = (_repeated(values, repeat, count) for values in measured)
        has_band = seconds > max(history.longest_interval_s, 1.0) * 1.5 or (0 < history.longest_interval_s < 0.9)
        peak = peak_of(means, highest if has_band else ())
        limit = limit_of(metric, subject.reading, subject.moment)
        wanted = top_of(peak, metric.unit, None if limit is None else limit.value)
        key = (metric.key, subject.span_s)
        top = self._tops[key] = steady_top(self._tops.get(key), wanted, peak)
        right = (end // seconds + 1) * seconds
        return Chart(
            entry.name, metric.unit, entry.graph, means, highest if has_band else (),
            seconds / repeat, right, top, limit,
            [event.wall for event in subject.events if event.what in _RESTARTS],
            "now" if subject.is_live else stamp(end, "%H:%M:%S"),
        )  # fmt: skip


def partners_of(entry: Entry, subject: Subject) -> list[Entry]:
    """Return the metrics that share an overlay with one, itself first: of its group and unit, with values."""
    alike = [
        other
        for other in entries_of(subject.reading.workload.kind)
        if other is not entry and other.metric.unit is entry.metric.unit and _belongs(other, entry)
    ]
    alike.sort(key=lambda other: not entry.metric.chart or other.metric.chart != entry.metric.chart)
    return [entry, *(other for other in alike if subject.history.has(other.metric.key))][: len(TONES)]


def _belongs(other: Entry, entry: Entry) -> bool:
    return other.group == entry.group or (bool(entry.metric.chart) and other.metric.chart == entry.metric.chart)


def _overlay(partners: Sequence[Entry], subject: Subject, width: int, height: int) -> tuple[list[Line], list[Line]]:
    history, end = subject.history, subject.end_wall
    count = max(2, plot_width(width))
    seconds = history.column_s(subject.shown_s, count)
    count = max(2, min(count, ceil(subject.shown_s / seconds)))
    series = [
        Series(entry.name, history.columns(entry.metric.key, end, seconds, count).means, tone)
        for entry, tone in zip(partners, TONES, strict=False)
    ]
    start = end - count * seconds
    form = "%H:%M:%S" if subject.shown_s <= 600 else "%H:%M"
    times = (stamp(start, form), stamp((start + end) / 2, form), "now" if subject.is_live else stamp(end, form))
    mark = "#" if subject.ascii_only else "━"
    title: list[Line] = [[(" Overlay", "title")], *([(f"{mark} {line.label}", f"{line.tone} bold")] for line in series)]
    return title, paint_overlay(Overlay(series, partners[0].metric.unit, times), width, height, subject.ascii_only)


def _repeated(values: Sequence[float], times: int, count: int) -> list[float]:
    return [value for value in values for _ in range(times)][-count:]


def _long_name(entry: Entry) -> str:
    return (
        entry.name
        if entry.group in ("OTHER", SETTINGS) or entry.name in ("CPU%", "MEM")
        else f"{entry.group} {entry.name}"
    )


def _fitting(parts: Sequence[Line], width: int, note: str) -> Line:
    """Join parts while there is room; the note is always there."""
    runs: list[Run] = []
    room = width - (cell_len(note) + 3 if note else 0)
    for index, part in enumerate(parts):
        gap = "  " if index < 2 or part[0][1] != "muted" else " · "
        size = cell_len(plain_text(part)) + (len(gap) if index else 0)
        if size > room and index:
            break
        runs += [*([(gap, "muted")] if index else []), *part]
        room -= size
    return [*runs, (f"  {note}", "accent")] if note else runs


def _event_line(subject: Subject, width: int) -> Line:
    """Return the newest event that the chart shows, at the right."""
    start = subject.end_wall - subject.shown_s
    shown = [event for event in subject.events if start <= event.wall <= subject.end_wall + 1]
    if not shown:
        return []
    event = shown[-1]
    signs = ("!", "o") if subject.ascii_only else ("▲", "↻")
    is_failure = event.what in _FAILURES
    words = (
        f"{signs[0] if is_failure else signs[1]} {stamp(event.wall, '%H:%M:%S')} {event.what} {event.detail}".rstrip()
    )
    return [(fit(words, width).rstrip().rjust(width), "bad" if is_failure else "muted")]


def _numbers(entry: Entry, subject: Subject, width: int) -> list[Line]:
    """Return the numbers of the span, the gaps in it, and what the metric is and where it comes from."""
    metric, history = entry.metric, subject.history
    start, end = subject.end_wall - subject.shown_s, subject.end_wall
    value = subject.reading.value(metric.key)
    summary = history.statistics(metric.key, start, end)
    numbers: list[Line] = [[("now ", "muted"), (value_text(metric, value), f"{value_tone(metric, value)} bold")]]
    if summary is not None:
        for word, number in (("mean", summary.mean), ("p95", summary.p95), ("highest", summary.max)):
            numbers.append([(f"{word} ", "muted"), (value_text(metric, number), "title")])
    gaps = gap_words(history.gaps(metric.key, start, end))
    numbers += [[(gaps, "muted")]] if gaps else []
    lines = _flowing(numbers, width)
    sentence = _origin(metric, subject) if value is not None else f"Not known: {_why(metric, subject)}."
    return lines + [[(f" {line}", "muted")] for line in wrap(sentence, max(10, width - 2))]


def _why(metric: Metric, subject: Subject) -> str:
    return why_empty(metric.key, subject.reading, subject.moment)


def _origin(metric: Metric, subject: Subject) -> str:
    """Return what a metric is, from where it comes, and how old it is."""
    supplier = subject.reading.supplier(metric.key)
    made_of = " and ".join(METRICS[key].label for key in metric.made_of)
    if supplier is None:
        return metric.help + (f" From {made_of}." if made_of else "")
    age = max(0.0, (subject.moment.frame.at_ns - supplier.at_ns) / 1e9)
    origin = metric.origins.get(supplier.source, supplier.source)
    return f"{metric.help} From {origin}, read {age:.1f} s ago."


def _flowing(parts: Sequence[Line], width: int) -> list[Line]:
    """Put parts next to each other, in as many lines as they need."""
    lines: list[list[Run]] = [[]]
    room = width
    for part in parts:
        size = cell_len(plain_text(part)) + 3
        if lines[-1] and size > room:
            lines.append([])
            room = width
        lines[-1] += [("   " if lines[-1] else " ", "text"), *part]
        room -= size
    return list(lines)
