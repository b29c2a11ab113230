"""The pieces that a line of the table is put together from. Plain, no Textual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.presenters.styled_lines import Line as Runs
from tui.presenters.table.columns import Column


class Cell(NamedTuple):
    """A text of some cells and its tone."""

    text: str
    tone: str


def joined(cells: list[Cell], parts: Sequence[tuple[Column, Runs]]) -> list[Cell]:
    """Add the runs of columns, each with the cells before it; what has the same tone becomes one."""
    text, tone = "", ""
    for column, runs in parts:
        gap = " " * column.gap
        for run_text, run_tone in runs:
            if run_tone == tone:
                text += gap + run_text
            else:
                if text:
                    cells.append(Cell(text, tone))
                text, tone = gap + run_text, run_tone
            gap = ""
    if text:
        cells.append(Cell(text, tone))
    return cells


def words_begin(columns: Sequence[Column]) -> int:
    """Return the index of the first column that words stand across: after the sparkline, else the first number."""
    after_spark = next((index + 1 for index, column in enumerate(columns) if column.is_spark), len(columns))
    if after_spark < len(columns):
        return after_spark
    return next((index for index, column in enumerate(columns) if index and column.metric), len(columns))


def summed(minutes: Sequence[Sequence[float]], width: int) -> list[float]:
    """Add up the last minutes of a group's members; a gap of one of them counts nothing, a gap of all is one."""
    sums = []
    for cell in range(width):
        known = [minute[cell] for minute in minutes if minute[cell] == minute[cell]]
        sums.append(sum(known) if known else float("nan"))
    return sums
