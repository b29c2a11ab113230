"""When workloads came and when their states changed, as far as frames showed it. Bounded."""

from __future__ import annotations

from typing import NamedTuple

from collectors.analysis.rates import Moment
from collectors.model.workloads import State, WorkloadId

_CHANGES_KEPT = 8
"""Changes kept of one workload: the last ones."""
_ABSENT_S = 600.0
"""Seconds for which a workload that is gone is remembered: one that comes back by then is not a new one."""
_CHECK_TICKS = 60
_SETTLES_S = 10.0
"""Seconds after the first frame in which workloads are not new but listed by sources that answer later."""
_LISTED_LATE_S = 30.0
"""Seconds after which a workload that ended is listed as ended at the latest: meanwhile it is gone."""


class Change(NamedTuple):
    """The state of a workload from an instant on."""

    wall: float | None
    """Wall time in seconds since 1970; `None`: it was so before it was first seen."""
    state: State | None
    """`None`: it was gone."""
    health: str | None
    is_first: bool
    """Whether this is the first that was seen of the workload."""


class StateLog:
    """Notes the changes of state between frames. One log takes the frames of a session in order."""

    def __init__(self) -> None:
        self._changes: dict[WorkloadId, list[Change]] = {}
        self._ticks = 0
        self._began = 0.0

    def push(self, moment: Moment) -> None:
        """Take in the next moment."""
        wall = moment.frame.wall
        if not self._ticks:
            self._began = wall
        self._ticks += 1
        is_settled = wall - self._began >= _SETTLES_S
        logged = self._changes
        for identity, reading in moment.readings.items():
            workload = reading.workload
            changes = logged.get(identity)
            if changes is None:
                is_new = is_settled and workload.state.is_active  # at rest: who knows for how long
                logged[identity] = [Change(wall if is_new else None, workload.state, workload.health, True)]
            elif changes[-1].state is not workload.state or changes[-1].health != workload.health:
                since = _since(changes, workload.state, wall)
                changes.append(Change(since, workload.state, workload.health, False))
                del changes[:-_CHANGES_KEPT]
        if len(logged) > len(moment.readings):
            self._note_absent(moment)

    def _note_absent(self, moment: Moment) -> None:
        for identity, changes in self._changes.items():
            if identity not in moment.readings and changes[-1].state is not None:
                changes.append(Change(moment.frame.wall, None, None, False))
        if self._ticks % _CHECK_TICKS == 0:
            oldest = moment.frame.wall - _ABSENT_S
            self._changes = {
                identity: changes
                for identity, changes in self._changes.items()
                if changes[-1].state is not None or (changes[-1].wall or 0.0) > oldest
            }

    def last_change(self, identity: WorkloadId, wall: float) -> Change | None:
        """Return the last change of a workload up to a wall time; `None` if it was not there yet."""
        for change in reversed(self._changes.get(identity, ())):
            if change.wall is None or change.wall <= wall:
                return change
        return None

    def changed_at(self, identity: WorkloadId, wall: float) -> float | None:
        """Return the wall time of that change; `None` if it was not seen."""
        change = self.last_change(identity, wall)
        return None if change is None else change.wall

    def is_new(self, identity: WorkloadId, wall: float, within_s: float) -> bool:
        """Return whether a workload was first seen less than so many seconds before a wall time."""
        first = next(iter(self._changes.get(identity, ())), None)
        return first is not None and first.is_first and first.wall is not None and 0 <= wall - first.wall < within_s


def _since(changes: list[Change], state: State, wall: float) -> float | None:
    """Return since when a workload has been in a state in which a frame first shows it at a wall time.

    One that ended may be gone until it is listed as ended. One that was gone and then is at rest has been so for an
    unknown time: its source was away.
    """
    last = changes[-1]
    if state.is_active or (last.state is not None and last.state.is_active):
        return wall
    if last.state is not None:
        return last.wall
    was_active = len(changes) > 1 and changes[-2].state is not None and changes[-2].state.is_active
    return last.wall if was_active and last.wall is not None and wall - last.wall < _LISTED_LATE_S else None
