"""Full-size charts by plotext: the only place that imports it, when the first chart is drawn.

plotext has one global figure, so all of this runs on the screen's thread. Its output is parsed and coloured
again with the theme's tones: its own palette has a background of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from collectors.model.metrics import Unit
from tui.presenters.formatting import text
from tui.presenters.sparkline import nice_top

AXIS, LIMIT = "muted", "bad"
"""Tones of everything but series."""
_LIMIT_COLOUR = 9
_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_TO_ASCII = str.maketrans("┌┐└┘├┤┬┴┼─│┈", "+++++++++-|-")
_TICKS, _ROWS_A_TICK = 5, 3
_LEAST = (20, 5)
_LABEL_WIDTH = 7
_FAR = 4.0
"""A limit this many times above all values would flatten them: it is named, and not drawn to scale."""


class Series(NamedTuple):
    """One line of a chart."""

    label: str
    values: Sequence[float]
    """Oldest first, one per tick; NaN where nothing was sampled."""
    tone: str


class Chart(NamedTuple):
    """What to draw."""

    series: Sequence[Series]
    """At most eight, all of one length."""
    unit: Unit
    span_s: float
    """Seconds from the first value to the last."""
    limit: float | None = None
    top: float | None = None
    """The value at the upper edge; without it, a round number above all values."""


Painted = list[list[tuple[str, str]]]
"""Lines of runs: text and tone."""


def paint(chart: Chart, width: int, height: int, ascii_only: bool = False) -> Painted:
    """Draw a chart as exactly `height` lines of `width` cells. An area that is too small stays empty."""
    if width < _LEAST[0] or height < _LEAST[1]:
        return [[(" " * max(0, width), AXIS)] for _ in range(max(0, height))]
    present = [value for series in chart.series for value in series.values if not math.isnan(value)]
    if not present:
        return _empty("no values yet", width, height)
    top = chart.top or _top(present, chart.limit, chart.unit)
    figure = _figure()
    figure.clear()
    figure.plot_size(width, height)
    count = max(len(series.values) for series in chart.series)
    for colour, series in enumerate(chart.series, 1):
        for start, piece in _pieces(series.values):
            signal = figure.signal(
                list(range(start, start + len(piece))), piece, marker=_marker("*" if ascii_only else "braille", colour)
            )
            figure.draw(signal.lines(True) if len(piece) > 1 else signal)
    if chart.limit is not None and chart.limit <= top:
        figure.line(chart.limit, style="dotted", pixel=_LIMIT_COLOUR)
    _rule(figure, chart, top, count, height)
    tones = {str(colour): series.tone for colour, series in enumerate(chart.series, 1)} | {str(_LIMIT_COLOUR): LIMIT}
    return _exact(_runs(figure.build().string(), tones, ascii_only), width, height)


def limit_words(chart: Chart) -> str:
    """Return a sentence with the limit if it is too far above the values to be drawn; else an empty string."""
    present = [value for series in chart.series for value in series.values if not math.isnan(value)]
    if chart.limit is None or not present or chart.limit <= (chart.top or _top(present, chart.limit, chart.unit)):
        return ""
    return f"the limit, {text(chart.limit, chart.unit, _LABEL_WIDTH).strip()}, is far above"


def _top(present: Sequence[float], limit: float | None, unit: Unit) -> float:
    is_binary = unit in (Unit.BYTES, Unit.BYTES_PER_SECOND)
    floor = {Unit.PERCENT: 10.0, Unit.BYTES: float(1 << 20), Unit.BYTES_PER_SECOND: 1024.0}.get(unit, 1.0)
    top = nice_top(present, floor, is_binary)
    return max(top, limit) if limit is not None and limit <= _FAR * max(present) else top


def _pieces(values: Sequence[float]) -> list[tuple[int, list[float]]]:
    """Split at gaps: each piece with the index of its first value."""
    pieces: list[tuple[int, list[float]]] = []
    previous_is_gap = True
    for index, value in enumerate(values):
        if math.isnan(value):
            previous_is_gap = True
            continue
        if previous_is_gap:
            pieces.append((index, []))
        pieces[-1][1].append(value)
        previous_is_gap = False
    return pieces


def _rule(figure: Any, chart: Chart, top: float, count: int, height: int) -> None:
    ticks = _TICKS if height >= _TICKS * _ROWS_A_TICK else (_TICKS + 1) // 2
    tick_values = [top * step / (ticks - 1) for step in range(ticks)]
    vertical, horizontal = figure.ruler(1, 0), figure.ruler(0, 0)
    vertical.lim(0, top)
    vertical.ticks(tick_values, [text(tick_value, chart.unit, _LABEL_WIDTH) for tick_value in tick_values])
    horizontal.lim(0, max(1, count - 1))
    shares = (0.0, 0.5, 1.0)
    labels = [f"-{text(chart.span_s * (1 - share), Unit.SECONDS, 6).strip()}" for share in shares[:-1]]
    horizontal.ticks([share * max(1, count - 1) for share in shares], [*labels, "now"])


def _figure() -> Any:
    import plotext

    plotext.terminal.limit(False, False)  # it limits plots to the size the terminal had when it was imported
    return plotext.figure


def _marker(symbol: str, colour: int) -> Any:
    import plotext

    return plotext.marker(symbol, pixel=colour)


def _runs(painted: str, tones: dict[str, str], ascii_only: bool) -> Painted:
    """Parse plotext's colours: those of series and limit become tones, all others the axis's tone."""
    lines: Painted = []
    for line in painted.split("\n"):
        runs: list[tuple[str, str]] = []
        tone = AXIS
        position = 0
        for match in _SGR.finditer(line):
            _add(runs, line[position : match.start()], tone, ascii_only)
            position = match.end()
            if match[1].startswith("38;5;"):
                tone = tones.get(match[1][5:], AXIS)
            elif match[1] in ("", "0"):
                tone = AXIS
        _add(runs, line[position:], tone, ascii_only)
        lines.append(runs)
    return lines


def _add(runs: list[tuple[str, str]], piece: str, tone: str, ascii_only: bool) -> None:
    if piece:
        runs.append((piece.translate(_TO_ASCII) if ascii_only else piece, tone))


def _exact(lines: Painted, width: int, height: int) -> Painted:
    """Cut or pad a picture to its exact size, whatever size plotext made it."""
    exact: Painted = []
    for line in lines[:height]:
        room, cut_runs = width, []
        for piece, tone in line:
            cut_runs.append((piece[:room], tone))
            room -= len(piece[:room])
        exact.append([*cut_runs, (" " * room, AXIS)] if room else cut_runs)
    return exact + [[(" " * width, AXIS)] for _ in range(height - len(exact))]


def _empty(message: str, width: int, height: int) -> Painted:
    lines: Painted = [[(" " * width, AXIS)] for _ in range(height)]
    lines[height // 2] = [(message.center(width)[:width], AXIS)]
    return lines
