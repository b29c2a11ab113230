"""The comparison's title, the rule over its pictures, and what stands below the table. Plain, no Textual."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from rich.cells import cell_len

from collectors.comparison.side_by_side import Column
from tui.presenters.charts.overlay import TONES, Overlay, Series, paint_overlay
from tui.presenters.comparison.multiples import Multiples, multiples, peak
from tui.presenters.comparison.table import LABEL_WIDTH, Layout, Row
from tui.presenters.formatting import duration, stamp
from tui.presenters.scale import tick_text, top_of
from tui.presenters.styled_lines import Line, Run, cut, plain_text, rule_line

Ends = tuple[float, float, bool]
"""Wall times of the first and the last value, and whether the last one is now."""
_STATISTICS = {"mean": "mean", "p95": "95th percentile", "max": "highest"}


class Picture(Enum):
    """What is drawn below the table; one key goes through them."""

    SAME_SCALE = "the same scale for all"
    OWN_SCALES = "each on a scale of its own"
    OVERLAY = "over each other"

    def next(self, count: int) -> Picture:
        """Return the picture after this one; lines over each other are for as many workloads as there are tones."""
        pictures = [picture for picture in Picture if picture is not Picture.OVERLAY or count <= len(TONES)]
        return pictures[(pictures.index(self) + 1) % len(pictures)]


def title(sides: Sequence[Column], stat: str, seconds: float | None, reference: int, width: int) -> Line:
    """Return the title: what is compared, over which time, with what."""
    span = "all there is" if seconds is None else f"{seconds / 60:g} min"
    walls = [wall for side in sides for wall in side.past.walls]
    available = max(walls) - min(walls) if walls else 0.0
    if seconds is not None and available < seconds * 0.9:
        span += f" ({duration(available, 6).strip()} so far)"
    words = f"  {len(sides)} workloads · {_STATISTICS.get(stat, stat)} of {span} · differences to "
    line = [(" Compare", "title"), (words, "muted"), (f"{reference + 1} {sides[reference].label}", "title")]
    hint = f" · 1-{len(sides)} choose another"
    return cut([*line, (hint, "muted")] if cell_len(plain_text(line)) + len(hint) <= width else line, width)


def rule(
    row: Row | None,
    lines: Sequence[Sequence[float]],
    picture: Picture,
    ends: Ends,
    width: int,
    ascii_only: bool,
) -> Line:
    """Return the rule over the pictures: the metric, the scale, and the time."""
    if row is None:
        return rule_line([], "", width, ascii_only)
    words = ""
    if row.entry is not None:
        words = f"  {picture.value}"
        if picture is Picture.SAME_SCALE:
            unit = row.entry.metric.unit
            words += f", 0 to {tick_text(top_of(peak(lines), unit), unit)}"
    name = row.name if row.name in ("CPU%", "MEM") or row.entry is None else f"{row.group} {row.name}"
    first, last, is_live = ends
    times = f"{stamp(first, '%H:%M:%S')} to {'now' if is_live else stamp(last, '%H:%M:%S')}"
    return rule_line([(name, "title"), (words, "muted")], times, width, ascii_only)


def bottom_lines(
    row: Row,
    sides: Sequence[Column],
    lines: Sequence[Sequence[float]],
    picture: Picture,
    layout: Layout,
    size: tuple[int, int],
    ends: Ends,
    ascii_only: bool,
) -> list[Line]:
    """Return what stands below the table: pictures of a metric or, of a setting, each one's whole text."""
    width, height = size
    if row.entry is None:
        return [_whole(index, side, row, width) for index, side in enumerate(sides)]
    differences = [] if layout.has_differences or len(sides) < 2 else [_differences(row, sides, width)]
    height -= len(differences)
    if picture is not Picture.OVERLAY:
        drawn = Multiples(row.entry, lines, picture is Picture.OWN_SCALES)
        return differences + multiples(drawn, layout, height, ascii_only)
    series = [Series(side.label, line, tone) for side, line, tone in zip(sides, lines, TONES, strict=False)]
    mark = "#" if ascii_only else "━"
    legend: list[Run] = [(" " * LABEL_WIDTH, "text")]
    legend += [(f"{mark} {index} {line.label}  ", f"{line.tone} bold") for index, line in enumerate(series, 1)]
    first, last, is_live = ends
    times = (stamp(first, "%H:%M:%S"), "", "now" if is_live else stamp(last, "%H:%M:%S"))
    drawing = paint_overlay(Overlay(series, row.entry.metric.unit, times), width, height - 1, ascii_only)
    return [*differences, cut(legend, width), *drawing]


def _whole(index: int, side: Column, row: Row, width: int) -> Line:
    return cut([(f"  {index + 1} {side.label}  ", "muted"), (row.values[index], "text")], width)


def _differences(row: Row, sides: Sequence[Column], width: int) -> Line:
    """Return the differences of a row, where the columns have no room for them."""
    runs: list[Run] = [("  ", "text")]
    for index, (side, difference) in enumerate(zip(sides, row.differences, strict=True), 1):
        if difference:
            runs += [(f"{index} {side.label} ", "muted"), (f"{difference}   ", "text")]
    return cut(runs, width)
