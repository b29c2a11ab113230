"""Workloads side by side as a table: a number each, and its difference to the one chosen as reference. Plain."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from rich.cells import cell_len

from collectors.comparison.side_by_side import Column, MetricRow
from tui.presenters.formatting import fit
from tui.presenters.pages.metric_groups import ENTRIES, NAME_WIDTH, SETTINGS, Entry, is_share, value_text, value_tone
from tui.presenters.styled_lines import Line, Run

LABEL_WIDTH = NAME_WIDTH + 1
_WIDE, _NARROW = (10, "reference"), (8, "ref")
"""Cells of a difference, and what stands above those of the reference."""
_LEAST_WIDE, _LEAST_WITH_DIFFERENCE = 18, 16
_WIDEST = 34
SAME, DIFFERS = "same", "differs"
_SMALL = 0.005
"""Values that differ by less than this share are the same."""
_TIMES = 3.0
"""From this factor on a difference is written as one: `x3.1`."""
_KINDS = {"vm": "vm", "container": "ct", "service": "svc"}


class Row(NamedTuple):
    """One row of the table."""

    name: str
    group: str
    values: tuple[str, ...]
    """One per side."""
    tones: tuple[str, ...]
    differences: tuple[str, ...]
    """To the reference; empty for itself, and where one of the two is unknown."""
    metric: MetricRow | None = None
    entry: Entry | None = None

    @property
    def key(self) -> str:
        """What identifies it while values change."""
        return self.entry.metric.key if self.entry is not None else self.name

    @property
    def is_different(self) -> bool:
        """Whether a side differs from the reference, or is unknown where another is known."""
        return (
            any(difference not in ("", SAME) for difference in self.differences)
            or len({value == "-" for value in self.values}) > 1
        )


class Layout(NamedTuple):
    """The widths of a table."""

    column: int
    """Cells of one side."""
    has_differences: bool
    """Whether there is room for a difference next to each number."""

    @property
    def difference(self) -> int:
        """Cells of a difference, right-aligned; 0 where there is none."""
        return self._form[0] if self.has_differences else 0

    @property
    def number(self) -> int:
        """Cells of a number, right-aligned."""
        return self.column - self.difference

    @property
    def reference(self) -> str:
        """The word above the column of the reference."""
        return self._form[1]

    @property
    def _form(self) -> tuple[int, str]:
        return _WIDE if self.column >= _LEAST_WIDE else _NARROW


def layout_of(count: int, width: int) -> Layout:
    """Return the widths for some sides in so many cells."""
    column = max(1, min(_WIDEST, (width - LABEL_WIDTH) // max(1, count)))
    return Layout(column, column >= _LEAST_WITH_DIFFERENCE and count > 1)


def rows_of(sides: Sequence[Column], metrics: Sequence[MetricRow], stat: str, reference: int = 0) -> list[Row]:
    """Return the rows that at least one side has a value for, in groups."""
    by_key = {row.metric.key: row for row in metrics if row.is_known}
    rows = [
        _metric_row(entry, by_key[entry.metric.key], stat, reference) for entry in ENTRIES if entry.metric.key in by_key
    ]
    images = tuple(side.past.workload.image or "-" for side in sides)
    if any(image != "-" for image in images):
        index = next((index for index, row in enumerate(rows) if row.group == SETTINGS), len(rows))
        rows.insert(index, _text_row("image", images, reference))
    return rows


def _text_row(name: str, values: tuple[str, ...], reference: int) -> Row:
    differences = tuple(
        "" if index == reference else SAME if value == values[reference] else DIFFERS
        for index, value in enumerate(values)
    )
    return Row(name, SETTINGS, values, ("text",) * len(values), differences)


def _metric_row(entry: Entry, row: MetricRow, stat: str, reference: int) -> Row:
    values = [None if cell.stats is None else cell.stats.of(stat) for cell in row.cells]
    return Row(
        entry.name,
        entry.group,
        tuple(value_text(entry.metric, value) for value in values),
        tuple(value_tone(entry.metric, value) for value in values),
        tuple(
            "" if index == reference else difference_text(entry, value, values[reference])
            for index, value in enumerate(values)
        ),
        row,
        entry,
    )


def difference_text(entry: Entry, value: float | None, base: float | None) -> str:
    """Return how a value differs from another: `-79%`, `-12 pt`, `x3.1`, `+1.3M` from nothing; empty if unknown."""
    if value is None or base is None:
        return ""
    delta = value - base
    if abs(delta) <= max(entry.metric.least_visible, abs(base) * _SMALL):
        return SAME
    if is_share(entry.metric):
        return f"{delta:+.{0 if abs(delta) >= 9.95 else 1}f} pt"
    if not base:
        return ("-" if delta < 0 else "+") + value_text(entry.metric, abs(delta))
    if value / base >= _TIMES:
        factor = value / base
        return f"x{factor:.1f}" if factor < 99.5 else f"x{factor:.0f}" if factor < 9999.5 else "x>9999"
    return f"{delta / base * 100:+.0f}%"


def heading(sides: Sequence[Column], layout: Layout, reference: int = 0) -> Line:
    """Return the line of names, each above its numbers."""
    runs: list[Run] = [(" " * LABEL_WIDTH, "text")]
    for index, side in enumerate(sides):
        kind = str(side.past.workload.kind)
        word = f" {_KINDS.get(kind, kind)}"
        room = layout.number - 1
        has_kind = room >= 14
        name = fit(
            f"{index + 1} {side.label}",
            min(room - (len(word) if has_kind else 0), cell_len(f"{index + 1} {side.label}")),
        )
        blank = layout.number - cell_len(name) - (len(word) if has_kind else 0)
        runs += [(" " * blank, "text"), (name, "title")]
        runs += [(word, f"kind-{kind}")] if has_kind else []
        if layout.has_differences:
            runs.append((f"{layout.reference if index == reference else '':>{layout.difference}}", "muted"))
    return runs


def line_of(row: Row, layout: Layout) -> Line:
    """Return the line of a row."""
    runs: list[Run] = [(f"  {fit(row.name, LABEL_WIDTH - 2)}", "text")]
    for value, tone, difference in zip(row.values, row.tones, row.differences, strict=True):
        room = layout.number - 1
        cell = value if cell_len(value) <= room else fit(value, room)
        runs.append((" " * (layout.number - cell_len(cell)), "text"))
        runs.append((cell, tone))
        if layout.has_differences:
            tone = "muted" if difference in ("", SAME) else "warn" if difference == DIFFERS else "text"
            runs.append((f"{difference:>{layout.difference}}", tone))
    return runs


def table_lines(rows: Sequence[Row], layout: Layout) -> tuple[list[Line], list[str | None]]:
    """Return the lines of the rows under the headings of their groups, and the key of each; `None` for a heading."""
    lines: list[Line] = []
    keys: list[str | None] = []
    for group, members in groupby(rows, lambda row: row.group):
        lines.append([(f" {group}", "muted bold")])
        keys.append(None)
        for row in members:
            lines.append(line_of(row, layout))
            keys.append(row.key)
    return lines, keys
