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
    from collectors.model.workloads import WorkloadId
    from tui.presenters.comparison.sizes import Sizes
    from tui.screens.sizes import SetLimits

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

    def set_limits(self) -> SetLimits | None:
        """Return what opens the form of a workload's limits; `None` where nothing can be set."""
        return None

    def open_workload(self, identity: WorkloadId) -> None:
        """Open the detail screen of a workload."""
        raise NotImplementedError

    def action_sizes(self) -> None:
        """Show what would fit, by the session up to the moment on screen."""
        from tui.screens.sizes import SizesScreen

        if self.shown_moment is not None:
            work = partial(_sizes, self.frames_since, self.shown_moment.frame.wall)
            self.app.push_screen(SizesScreen(work, self.set_limits(), self.open_workload, self.is_ascii))

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


def _sizes(frames_since: Callable[[float], Iterable[Frame]], until: float, advance: Callable[[float], None]) -> Sizes:
    """Read the session up to a wall time, and return what would fit each workload."""
    from collectors.analysis.rates import Deriver
    from collectors.comparison.other_kind import as_other_kind, kinds_of, overheads, recorded_overheads
    from collectors.comparison.sizing import HEADROOM, freed, sizings
    from collectors.comparison.sizing_evidence import Survey
    from tui.presenters.comparison.sizes import Sizes

    survey, deriver = Survey(), Deriver()
    for frame in frames_since(0.0):
        if frame.wall > until:
            break
        survey.feed(deriver.feed(frame))
        first = survey.first_wall or frame.wall
        advance((frame.wall - first) / (until - first) if until > first else 1.0)
    found = sizings(survey)
    measured = overheads(recorded_overheads(survey), kinds_of(found))
    return Sizes(
        found,
        freed(found, survey.hosts),
        {sizing.workload.id: as_other_kind(sizing, measured) for sizing in found},
        HEADROOM,
        (survey.first_wall or 0.0, survey.last_wall),
        [evidence.workload for evidence in survey.evidence.values()],
    )
