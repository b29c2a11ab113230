"""The compare key: marked workloads side by side or, without marks, the classes of a host."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from collectors.analysis.rates import Moment
from collectors.model.workloads import Frame
from tui.presenters.formatting import stamp
from tui.presenters.table.state import TableState

if TYPE_CHECKING:
    from textual.screen import Screen

    from collectors.comparison.workload_classes import Classes

    Base = Screen[None]
else:
    Base = object

CLASSES_S = 60.0
"""Seconds of the past that the comparison of classes covers, as far as there are so many."""


class CompareKeys(Base):
    """A screen of workloads that can be compared."""

    view: TableState
    where: str
    is_ascii: bool
    shown_moment: Moment | None

    def frames_since(self, wall: float) -> Iterable[Frame]:
        """Return the frames from a wall time to the moment on screen. Blocking."""
        raise NotImplementedError

    def seen(self, moment: Moment) -> Moment:
        """Return what is looked at of a moment: that of one host, or of all."""
        raise NotImplementedError

    def classified(self, moment: Moment, advance: Callable[[int], None]) -> Classes:
        """Measure bare metal, virtual machines and containers. Blocking; `tell` gets the number of workloads read."""
        raise NotImplementedError

    def action_compare(self) -> None:
        """Compare the marked workloads, in table order; without marks, the classes."""
        from collectors.comparison.side_by_side import MOST
        from tui.screens.compare import CompareScreen
        from tui.screens.workload_classes import ClassesScreen

        if self.shown_moment is None:
            return
        moment = self.seen(self.shown_moment)
        lines = self.view.lines
        readings = [reading for line in lines for reading in ((line.reading,) if line.reading else line.members)]
        workloads = {reading.workload.id: reading.workload for reading in readings}.values()
        chosen = [workload for workload in workloads if workload.id in self.view.marks]
        if not self.view.marks:
            active = sum(1 for workload in moment.frame.workloads.values() if workload.state.is_active)
            span = f"of the minute before {stamp(moment.frame.wall, '%H:%M:%S')}"
            self.app.push_screen(ClassesScreen(partial(self.classified, moment), active, span, self.is_ascii))
        elif not 2 <= len(chosen) <= MOST:
            self.notify(f"Mark 2 to {MOST} workloads to compare; {len(chosen)} marked.", timeout=4)
        else:
            screen = CompareScreen(chosen, self.frames_since, self.where, self.is_ascii)
            screen.follow(moment, moment.frame.interval_s)
            self.app.push_screen(screen)
