"""What the columns dialog shows and changes: which columns, in which order, and from which width. Plain, no Textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tui.presenters.styled_lines import Line
from tui.presenters.table.columns import CHOICES, column_of, describe, lay_out, parts_of

_WIDEST = 320
_STEP = 5
"""Widths are tried in steps of so many cells."""


class ColumnRow(NamedTuple):
    """One line of the dialog: a column, or a set of columns."""

    key: str
    """Of the column; empty for a set."""
    preset: str
    """Name of the set; empty for a column."""
    line: Line


class ColumnChoice:
    """The columns as they are being chosen.

    Args:
        keys: The columns of the table, in its order; the name is always the first.
        width: The terminal's, in cells.
        presets: Sets of columns by name.
    """

    def __init__(self, keys: Sequence[str], width: int, presets: Mapping[str, Sequence[str]]) -> None:
        self.keys = list(keys)
        self.width = width
        self.presets = presets
        self._order = [*keys, *(key for key in CHOICES if key not in keys)]
        self._from = self._widths()

    def rows(self, typed: str = "") -> list[ColumnRow]:
        """Return what is offered for a text: columns in their order, then the sets."""
        words = typed.casefold().split()
        rows = [ColumnRow(key, "", self._line(key)) for key in self._order if _has(describe(key), words)]
        for name, keys in self.presets.items():
            labels = " ".join(column_of(key).label for key in keys)
            if _has(f"{name} {labels}", words):
                mark = " (x) " if list(keys) == self.keys else " ( ) "
                rows.append(ColumnRow("", name, [(mark, "accent"), (f"{name:<10} ", "title"), (labels, "muted")]))
        return rows

    def choose(self, row: ColumnRow) -> None:
        """Take a set of columns, or show or hide a column; the name stays."""
        if row.preset:
            self.keys = list(self.presets[row.preset])
            self._order = [*self.keys, *(key for key in CHOICES if key not in self.keys)]
        elif row.key in self.keys and row.key != "name":
            self.keys.remove(row.key)
        elif row.key != "name":
            shown = set(self.keys) | {row.key}
            self.keys = [key for key in self._order if key in shown]
        self._from = self._widths()

    def move(self, key: str, step: int) -> None:
        """Move a column to the left (-1) or to the right (1); the name stays the first."""
        index = self._order.index(key) if key in self._order else 0
        target = index + step
        if index > 0 and 0 < target < len(self._order):
            self._order[index], self._order[target] = self._order[target], self._order[index]
            self.keys = [key for key in self._order if key in self.keys]
            self._from = self._widths()

    def summary(self) -> str:
        """Return how many of the columns there is room for."""
        shown = sum(1 for key in self.keys if self._from.get(key, 0) <= self.width)
        return f"{shown} of {len(self.keys)} fit into {self.width} columns of the terminal"

    def _line(self, key: str) -> Line:
        is_shown = key in self.keys
        wide = self._from.get(key, 0)
        where = "" if not is_shown or wide <= self.width else f"  (from {wide} columns)" if wide else "  (no room)"
        label = f"{column_of(key).label:<10}"
        tone = "title" if is_shown and not where else "text"
        return [
            (" [x] " if is_shown else " [ ] ", "accent" if is_shown else "muted"),
            (label, tone),
            (where, "warn"),
            (describe(key)[len(label) :], "muted"),
        ]

    def _widths(self) -> dict[str, int]:
        """Return the width from which each column is shown; columns that never are have none."""
        found: dict[str, int] = {}
        for width in (self.width, *range(self.width - self.width % _STEP + _STEP, _WIDEST, _STEP)):
            for column in lay_out(tuple(self.keys), width):
                for key in parts_of(column.key):
                    found.setdefault(key, width)
            if len(found) >= len(self.keys) and all(key in found for key in self.keys):
                break
        return {key: found.get(key, _WIDEST) for key in self.keys}


def _has(text: str, words: Sequence[str]) -> bool:
    text = text.casefold()
    return all(word in text for word in words)
