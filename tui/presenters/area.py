"""The one painter of areas: values as a filled area of braille dots (or ASCII), in the tones of roles. Pure.

The topmost cell of each column has the graph's own tone and the cells below it a dim one, so that the eye follows
a line. A gap (NaN) is `·` on the base line, a measured zero is one dot, and what is before the first value is blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import isnan, nan
from typing import NamedTuple

from tui.presenters.sparkline import levels_of
from tui.presenters.styled_lines import Line, Run

GRAPHS = ("cpu", "mem", "disk", "net")
"""The graphs that have tones of their own: `graph-cpu` and `fill-cpu`, ..."""
MUTED, BAD = "muted", "bad"
_DOTS = 4
_LEFT = (0x40, 0x04, 0x02, 0x01)
"""Braille dots of the left column, from the bottom up (Unicode 15.1, chapter 21.1)."""
_RIGHT = (0x80, 0x20, 0x10, 0x08)
_ASCII = " .:-=+*#"
_ASCII_STEPS = len(_ASCII) - 1
_NEAR = 0.95
"""From this share of the limit on, its line is an alarm."""
_SAME = re.compile(r"(.)\1*")
_FILL, _GRAPH, _OTHER = "f", "g", "m"


class Area(NamedTuple):
    """What to paint."""

    values: Sequence[float]
    """Oldest first, one per column of dots (`columns`); NaN is a gap. Of too many, the newest are painted."""
    top: float
    """The value at the upper edge; higher ones are cut there."""
    graph: str = "cpu"
    """One of `GRAPHS`."""
    highest: Sequence[float] = ()
    """As long as the values: the highest sample of each column, where a value is the mean of several."""
    limit: float | None = None
    """Drawn as a line if it is not above the top; at the top it has a row of its own."""
    limit_label: str = ""
    """Text on the line of the limit."""


def columns(width: int, ascii_only: bool = False) -> int:
    """Return how many values fill `width` cells."""
    return width if ascii_only else width * 2


def area_rows(area: Area, height: int) -> int:
    """Return how many of `height` rows are the area's; one may be the limit's."""
    return height - 1 if _has_limit_row(area) and height > 1 else height


def row_of(value: float, top: float, rows: int) -> int:
    """Return the row, counted from 0 at the top, in which an area of so many rows ends at a value."""
    dots = min(rows * _DOTS - 1, max(0, int(value / top * (rows * _DOTS - 1) + 0.5))) if top > 0 else 0
    return rows - 1 - dots // _DOTS


def paint_area(area: Area, width: int, height: int, ascii_only: bool = False) -> list[Line]:
    """Paint exactly `height` lines of exactly `width` cells, the top one first."""
    if width <= 0 or height <= 0:
        return [[] for _ in range(max(0, height))]
    rows = area_rows(area, height)
    lines = list(_rows(area, width, rows, ascii_only))
    if area.limit is not None and area.limit <= area.top:
        line = _limit_line(area, width, ascii_only)
        if rows < height:
            lines.insert(0, line)
        else:
            lines[row_of(area.limit, area.top, rows)] = line
    return lines


def axis_line(width: int, restarts: Sequence[int] = (), marks: Sequence[int] = (), ascii_only: bool = False) -> Line:
    """Return the time axis under an area, with `↻` (`o`) at the cells of restarts and `┬` (`+`) at those of times."""
    rule, sign, mark = ("-", "o", "+") if ascii_only else ("─", "↻", "┬")
    cells = [rule] * max(0, width)
    for symbol, places in ((mark, marks), (sign, restarts)):
        for cell in places:
            if 0 <= cell < width:
                cells[cell] = symbol
    pieces = _SAME.finditer("".join(cells))
    return [(piece[0], MUTED if piece[1] == sign else "border") for piece in pieces]


def _has_limit_row(area: Area) -> bool:
    return area.limit is not None and area.limit == area.top


def _limit_line(area: Area, width: int, ascii_only: bool) -> Line:
    rule = "-" if ascii_only else "┄"
    label = f" {area.limit_label} " if area.limit_label and len(area.limit_label) + 4 <= width else ""
    text = f"{rule * 2}{label}" if label else ""
    newest = next((value for value in reversed(area.values) if not isnan(value)), nan)
    is_near = area.limit is not None and newest >= area.limit * _NEAR
    return [((text + rule * width)[:width], BAD if is_near else MUTED)]


def _rows(area: Area, width: int, height: int, ascii_only: bool) -> Iterator[Line]:
    steps, count = height * (_ASCII_STEPS if ascii_only else _DOTS), columns(width, ascii_only)
    means = levels_of(area.values, area.top, steps, count)
    peaks = levels_of(area.highest, area.top, steps, count) if area.highest else means
    started = next((index for index, level in enumerate(means) if level), count)
    if ascii_only:
        painted = [
            _ascii_column(mean, peak, height, index > started)
            for index, (mean, peak) in enumerate(zip(means, peaks, strict=True))
        ]
    else:
        painted = [
            _braille_column(means[index], means[index + 1], peaks[index], peaks[index + 1], height, index > started)
            for index in range(0, count, 2)
        ]
    texts, tones = zip(*painted, strict=True)
    graph, fill = f"graph-{area.graph}", f"fill-{area.graph}"
    for row in range(height):
        cells, codes = (("".join([column[row] for column in part])) for part in (texts, tones))
        yield _runs(cells, codes, graph, fill)


def _runs(text: str, codes: str, graph: str, fill: str) -> list[Run]:
    by_code = {_FILL: fill, _GRAPH: graph, _OTHER: MUTED}
    return [(text[match.start() : match.end()], by_code[match[1]]) for match in _SAME.finditer(codes)]


@lru_cache(8192)
def _braille_column(
    left: int, right: int, left_peak: int, right_peak: int, height: int, is_after_start: bool
) -> tuple[str, str]:
    """Return the cells of a column, the top one first, and the code of each one's tone."""
    if not left and not right:
        return (" " * (height - 1) + ("·" if is_after_start else " "), _FILL * (height - 1) + _OTHER)
    cells, codes = [], []
    contour = (max(left, right) - 1) // _DOTS
    for row in range(height - 1, -1, -1):
        base = row * _DOTS
        dots = _dots(left, left_peak, base, _LEFT) + _dots(right, right_peak, base, _RIGHT)
        cells.append(chr(0x2800 + dots) if dots else " ")
        codes.append(_GRAPH if row == contour else _FILL if row < contour or not dots else _OTHER)
    return "".join(cells), "".join(codes)


def _dots(mean: int, peak: int, base: int, bits: Sequence[int]) -> int:
    """Return the dots of a column in a row: all up to the mean, every second one from there to the peak."""
    return sum(bit for level, bit in enumerate(bits, base + 1) if level <= mean or (level <= peak and level % 2))


@lru_cache(8192)
def _ascii_column(mean: int, peak: int, height: int, is_after_start: bool) -> tuple[str, str]:
    if not mean:
        return (" " * (height - 1) + ("_" if is_after_start else " "), _FILL * (height - 1) + _OTHER)
    contour, highest = (mean - 1) // _ASCII_STEPS, (peak - 1) // _ASCII_STEPS
    cells, codes = [], []
    for row in range(height - 1, -1, -1):
        is_band = contour < row <= highest
        cells.append("'" if is_band else _ASCII[max(0, min(_ASCII_STEPS, mean - row * _ASCII_STEPS))])
        codes.append(_GRAPH if row == contour else _OTHER if is_band else _FILL)
    return "".join(cells), "".join(codes)
