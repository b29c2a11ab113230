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

    def push(self, moment: Moment) -> None:
        """Take in the next moment."""
        wall = moment.frame.wall if self._ticks else None
        self._ticks += 1
        logged = self._changes
        for identity, reading in moment.readings.items():
            workload = reading.workload
            changes = logged.get(identity)
            if changes is None:
                first_wall = wall if workload.state.is_active else None  # at rest: who knows for how long
                logged[identity] = [Change(first_wall, workload.state, workload.health, True)]
            elif changes[-1].state is not workload.state or changes[-1].health != workload.health:
                changes.append(Change(wall, workload.state, workload.health, False))
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
