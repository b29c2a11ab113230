"""Rules, bars and tables that the parts of the host's page are made of."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from rich.cells import cell_len

from collectors.model.metrics import Unit
from tui.presenters.formatting import fit, text
from tui.presenters.styled_lines import Line, Run, plain_text

GAP = 4
"""Cells between two tables side by side."""


class Part(NamedTuple):
    """One part of the page."""

    name: str
    """For the line of parts at the top."""
    title: str
    """Bold, in the rule above it."""
    words: str
    """After the title."""
    right: str
    """At the end of the rule."""
    lines: Sequence[Line]


class Column(NamedTuple):
    """One column of a small table; text is aligned left, numbers right."""

    label: str
    width: int
    is_number: bool = True


def rule(part: Part, width: int, is_ascii: bool) -> Line:
    """Return the line above a part: `─ CPU 26% 8.4 of 32 cores ───── load 9.1 8.4 7.9 ─`."""
    dash = "-" if is_ascii else "─"
    right = f" {part.right} " if part.right else ""
    words = f" {part.words}" if part.words else ""
    room = width - 3 - cell_len(part.title) - cell_len(right) - 2
    words = fit(words, max(0, room)).rstrip() if cell_len(words) > room else words
    filling = max(0, width - 3 - cell_len(part.title + words) - cell_len(right) - 1)
    return [
        (f"{dash} ", "border"),
        (part.title, "title"),
        (words, "muted"),
        (f" {dash * filling}", "border"),
        (right, "muted"),
        (dash if right else "", "border"),
    ]


def bar(share: float, width: int, tone: str, is_ascii: bool, letter: str = "#") -> list[Run]:
    """Draw a share of 1 to scale; what is not zero has at least one cell."""
    cells = min(width, max(1 if share > 0.001 else 0, round(share * width)))
    full, empty = (letter, ".") if is_ascii else ("━", "─")
    return [(full * cells, tone), (empty * (width - cells), "border")]


def table(columns: Sequence[Column], rows: Sequence[Sequence[Run]]) -> list[Line]:
    """Return the headings and the rows, each cell with its own tone."""
    lines: list[Line] = [[("  ", "text"), *_cells(columns, [(column.label, "muted") for column in columns])]]
    return lines + [[("  ", "text"), *_cells(columns, row)] for row in rows]


def _cells(columns: Sequence[Column], row: Sequence[Run]) -> list[Run]:
    runs: list[Run] = []
    for column, (cell, tone) in zip(columns, row, strict=True):
        shown = cell.rjust(column.width)[: column.width] if column.is_number else fit(cell, column.width)
        runs += [(shown, tone), ("  ", "text")]
    return runs[:-1]


def table_width(columns: Sequence[Column]) -> int:
    """Return how many cells a table takes."""
    return 2 + sum(column.width + 2 for column in columns) - 2


def side_by_side(left: Sequence[Line], right: Sequence[Line], left_width: int) -> list[Line]:
    """Put two blocks of lines next to each other."""
    lines: list[Line] = []
    for one, other in zip_longest(left, right, fillvalue=()):
        missing = left_width - cell_len(plain_text(one))
        lines.append([*one, (" " * max(0, missing), "text"), *other])
    return lines


def number(value: float | None, unit: Unit, width: int) -> Run:
    """Return a number with its tone: zero and unknown are muted."""
    shown = text(value, unit, width)
    return shown, "text" if value and shown.strip("0. ") else "muted"
