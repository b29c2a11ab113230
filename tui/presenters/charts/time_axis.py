"""The time axis under a graph: round wall-clock times at the cells where they are. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

from tui.presenters.formatting import stamp

_STEPS = (
    5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800,
)  # fmt: skip
"""Seconds between two labels."""
_SPACE, _MOST = 4, 8
"""Cells between two labels, at least, and how many labels there are at most."""


class TimeAxis(NamedTuple):
    """What a row of cells stands for."""

    start_wall: float
    """Wall time of the left edge of the first cell."""
    cell_s: float
    """Seconds that a cell covers."""
    width: int
    """Cells."""
    end_label: str = "now"
    """Stands at the right end."""

    def cell(self, wall: float) -> int:
        """Return the cell of a wall time; outside of 0 to `width` - 1 it is not shown."""
        return int((wall - self.start_wall) // self.cell_s)

    def labels(self) -> tuple[str, list[int]]:
        """Return the line of labels, and the cells that they begin at."""
        line = [" "] * max(0, self.width)
        end = min(len(self.end_label), self.width)
        line[self.width - end :] = self.end_label[:end]
        cells = []
        for wall, label in self.times():
            cell = self.cell(wall)
            if cell >= 0 and cell + len(label) + 1 < self.width - end:
                line[cell : cell + len(label)] = label
                cells.append(cell)
        return "".join(line), cells

    def times(self) -> Iterator[tuple[float, str]]:
        """Yield the round wall times of the axis with their labels, which have room between them."""
        step = self._step()
        offset = time.localtime(self.start_wall).tm_gmtoff
        wall = ceil((self.start_wall + offset) / step) * step - offset
        while self.cell(wall) < self.width:
            yield wall, stamp(wall, _form(step))
            wall += step

    def _step(self) -> float:
        return next(
            (step for step in _STEPS if step / self.cell_s >= len(stamp(self.start_wall, _form(step))) + _SPACE),
            max(_STEPS[-1], self.cell_s * 2 * self.width),
        )


def _form(step: float) -> str:
    return "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b"
