"""A formatted row of the table taken apart again: its gutter, and the text of each column."""

from __future__ import annotations

from collections.abc import Sequence

from tui.presenters.table.cell import Cell
from tui.presenters.table.columns import GUTTER, Column


def fields(cells: Sequence[Cell], columns: Sequence[Column]) -> dict[str, str]:
    """Return the text of each column by key, and that of the gutter under `gutter`."""
    row = "".join(cell.text for cell in cells)
    texts, start = {"gutter": row[:GUTTER]}, GUTTER
    for column in columns:
        texts[column.key] = row[start + column.gap : start + column.gap + column.width]
        start += column.gap + column.width
    assert len(row) == start, "a row fills its columns exactly"
    return texts


def tone_of(cells: Sequence[Cell], text: str) -> str:
    """Return the tone of the run that has a text."""
    return next(cell.tone for cell in cells if text in cell.text)
