"""Events as marks of a chart: which of them are drawn, and which have room for their words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from collectors.alerts.rule import Level
from collectors.alerts.told import BEGAN
from collectors.model.workloads import Event
from tui.presenters.event_kind import kind_of
from tui.presenters.formatting import fit, stamp

MOST = 60
"""Events that a chart marks: more cannot be told apart."""
ROWS = 3
"""Lines of words above a chart."""
_LONGEST = 28
_WIDE, _NARROW = 0.72, 2.2
"""Share of the chart in percent that a character takes: of words in a wide window, of a number in a narrow one."""
_RANKS = {"note": 0, "bad": 1, "warn": 2, "": 3}


class Numbered(NamedTuple):
    """An event with its number in the list of all events, from 1."""

    number: int
    event: Event


class Place(NamedTuple):
    """Where words stand."""

    row: int
    """The line, from the top."""
    is_before: bool
    """Whether they end at the mark: beyond it they would leave the chart."""


class Mark(NamedTuple):
    """A line at an instant."""

    at: float
    """Share of the chart's width, 0 to 1."""
    tone: str
    """`note`, `bad`, `warn` or empty."""
    title: str
    words: str
    number: str
    wide: Place | None
    """Where the words stand; `None`: there is no room for them."""
    narrow: Place | None
    """The same for the number, which stands in their place where the window is narrow."""


def tone_of(event: Event) -> str:
    """Return how an event is told: `note`, `bad`, `warn` or empty."""
    if event.what == BEGAN:
        level = event.detail.partition(": ")[0]
        return {Level.CRITICAL.value: "bad", Level.WARNING.value: "warn"}.get(level, "")
    kind = kind_of(event)
    return "" if kind == "event" else kind


def marks_of(events: Sequence[Numbered], first: float, last: float, has_names: bool = True) -> list[Mark]:
    """Return the marks of a span of wall time: notes before what harms, that before the rest; the newest of each.

    Args:
        events: Which events; at most `MOST` get a mark.
        first: Wall time of the left edge.
        last: Wall time of the right edge.
        has_names: Whether the words have the workload's name, which charts of one workload do not need.
    """
    ranked = sorted(events, key=lambda one: (_RANKS[tone_of(one.event)], -one.event.wall))[:MOST]
    span = max(last - first, 1e-9)
    wide, narrow = _Rows(_WIDE), _Rows(_NARROW)
    marks = []
    for number, event in sorted(ranked, key=lambda one: one.event.wall):
        at = min(1.0, max(0.0, (event.wall - first) / span))
        words = _words(event, has_names)
        title = " ".join((f"{number}.", stamp(event.wall), _subject(event), event.what, event.detail))
        places = wide.place(at, words), narrow.place(at, str(number))
        marks.append(Mark(at, tone_of(event), title, words, str(number), *places))
    return marks


class _Rows:
    """Places words from left to right in the first line that has room.

    Args:
        per_cell: Percent of the width that a character takes.
    """

    def __init__(self, per_cell: float) -> None:
        self._per_cell = per_cell
        self._ends = [-1.0] * ROWS

    def place(self, at: float, words: str) -> Place | None:
        """Return where words stand that begin at a share of the width, or end there if they would leave the chart."""
        width = (cell_len(words) + 1.5) * self._per_cell
        is_before = at * 100 + width > 100
        start = at * 100 - (width if is_before else 0)
        for row, end in enumerate(self._ends):
            if start >= end:
                self._ends[row] = start + width
                return Place(row, is_before)
        return None


def _subject(event: Event) -> str:
    return event.workload.named(event.name)


def _words(event: Event, has_names: bool) -> str:
    if event.what == "note":
        words = event.detail or event.what
    else:
        rule = event.detail.partition(": ")[2].partition(": ")[0] if event.what == BEGAN else ""
        words = f"{event.name if has_names else ''} {rule or event.what}".strip()
    return fit(words, min(_LONGEST, cell_len(words)))
