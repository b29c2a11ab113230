"""Lines of several series over each other, by plotext: the only place that imports it, when the first one is drawn.

plotext has one global figure, so all of this runs on the screen's thread. Its output is parsed and coloured
again with the theme's tones: its own palette has a background of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from collectors.model.metrics import Unit
from tui.presenters.area import MUTED
from tui.presenters.scale import tick_text, ticks, top_of
from tui.presenters.styled_lines import Line, Run

TONES = ("text", "kind-vm", "kind-service")
"""Tones of lines, and so the most lines that one picture can have."""
_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_TO_ASCII = str.maketrans("┌┐└┘├┤┬┴┼─│┈", "+++++++++-|-")
_LEAST = (20, 5)


class Series(NamedTuple):
    """One line of a chart."""

    label: str
    values: Sequence[float]
    """Oldest first, one per tick; NaN where nothing was sampled."""
    tone: str


class Overlay(NamedTuple):
    """What to draw."""

    series: Sequence[Series]
    """At most as many as there are `TONES`, all of one length."""
    unit: Unit
    times: tuple[str, str, str]
    """Labels of the left end, the middle and the right end."""


def paint_overlay(overlay: Overlay, width: int, height: int, ascii_only: bool = False) -> list[Line]:
    """Draw lines as exactly `height` lines of `width` cells. An area that is too small stays empty."""
    if width < _LEAST[0] or height < _LEAST[1]:
        return [[(" " * max(0, width), MUTED)] for _ in range(max(0, height))]
    present = [value for series in overlay.series for value in series.values if not math.isnan(value)]
    if not present:
        return _empty("no values yet", width, height)
    figure = _figure()
    figure.clear()
    figure.plot_size(width, height)
    count = max(len(series.values) for series in overlay.series)
    for colour, series in enumerate(overlay.series, 1):
        for start, piece in _pieces(series.values):
            signal = figure.signal(
                list(range(start, start + len(piece))), piece, marker=_marker("*" if ascii_only else "braille", colour)
            )
            figure.draw(signal.lines(True) if len(piece) > 1 else signal)
    _rule(figure, overlay, top_of(max(present), overlay.unit), count, height)
    tones = {str(colour): series.tone for colour, series in enumerate(overlay.series, 1)}
    return _exact(_runs(figure.build().string(), tones, ascii_only), width, height)


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


def _rule(figure: Any, overlay: Overlay, top: float, count: int, height: int) -> None:
    tick_values = ticks(top, overlay.unit, height)
    vertical, horizontal = figure.ruler(1, 0), figure.ruler(0, 0)
    vertical.lim(0, top)
    vertical.ticks(tick_values, [tick_text(value, overlay.unit) for value in tick_values])
    horizontal.lim(0, max(1, count - 1))
    horizontal.ticks([share * max(1, count - 1) for share in (0.0, 0.5, 1.0)], list(overlay.times))


def _figure() -> Any:
    import plotext

    plotext.terminal.limit(False, False)  # it limits plots to the size the terminal had when it was imported
    return plotext.figure


def _marker(symbol: str, colour: int) -> Any:
    import plotext

    return plotext.marker(symbol, pixel=colour)


def _runs(painted: str, tones: dict[str, str], ascii_only: bool) -> list[Line]:
    """Parse plotext's colours: those of series become tones, all others the axis's tone."""
    lines: list[Line] = []
    for line in painted.split("\n"):
        runs: list[Run] = []
        tone = MUTED
        position = 0
        for match in _SGR.finditer(line):
            _add(runs, line[position : match.start()], tone, ascii_only)
            position = match.end()
            if match[1].startswith("38;5;"):
                tone = tones.get(match[1][5:], MUTED)
            elif match[1] in ("", "0"):
                tone = MUTED
        _add(runs, line[position:], tone, ascii_only)
        lines.append(runs)
    return lines


def _add(runs: list[Run], piece: str, tone: str, ascii_only: bool) -> None:
    if piece:
        runs.append((piece.translate(_TO_ASCII) if ascii_only else piece, tone))


def _exact(lines: list[Line], width: int, height: int) -> list[Line]:
    """Cut or pad a picture to its exact size, whatever size plotext made it."""
    exact: list[Line] = []
    for line in lines[:height]:
        room, cut_runs = width, []
        for piece, tone in line:
            cut_runs.append((piece[:room], tone))
            room -= len(piece[:room])
        exact.append([*cut_runs, (" " * room, MUTED)] if room else cut_runs)
    return exact + [[(" " * width, MUTED)] for _ in range(height - len(exact))]


def _empty(message: str, width: int, height: int) -> list[Line]:
    lines: list[Line] = [[(" " * width, MUTED)] for _ in range(height)]
    lines[height // 2] = [(message.center(width)[:width], MUTED)]
    return lines
