"""Finds and follows the workloads that a command starts, or one by its name, in the frames of a sampler."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from collectors.kernel.cgroup.hierarchy import Hierarchy
from collectors.model.workloads import Availability, Event, Frame, Kind, Workload, WorkloadId
from collectors.running.followed import Followed

_SLACK_S = 0.5
"""Seconds by which start times of engines and of this host's clock may differ."""
_KINDS = frozenset({Kind.CONTAINER, Kind.VM})
Finder = Callable[[Sequence[Workload]], Workload | None]


class Baseline(NamedTuple):
    """What ran when the command was released."""

    wall: float
    """Seconds since 1970."""
    active: dict[WorkloadId, float | None]
    """Workloads that ran, with their start times."""
    late: tuple[str, ...]
    """Sources that had not answered by then."""


class Follower:
    """Takes frames and keeps the workloads that are followed.

    Args:
        find: Returns the workload that is asked for by name, `None` if it is not there; `None`: all new ones.
        hierarchy: The trees of this host.
    """

    def __init__(self, find: Finder | None, hierarchy: Hierarchy) -> None:
        self._find = find
        self._hierarchy = hierarchy
        self._frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._newest: Frame | None = None
        self._baseline: Baseline | None = None
        self.followed: dict[WorkloadId, Followed] = {}
        self._started: dict[WorkloadId, str] = {}
        """Names of what an engine said has started since."""
        self.frames = 0

    def take(self, frame: Frame) -> None:
        """Take a frame; on any thread."""
        self._frames.put(frame)

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """The sources that have not answered yet."""
        newest = self._newest
        if newest is None:
            return ("the first frame",)
        return tuple(state.title for state in newest.sources if state.availability is Availability.WAITING)

    def begin(self) -> None:
        """Note what runs now: what starts from here on is the command's."""
        workloads = {} if self._newest is None else self._newest.workloads
        active = {key: workload.started_at for key, workload in workloads.items() if workload.state.is_active}
        self._baseline = Baseline(time.time(), active, self.waiting_for)

    def update(self) -> None:
        """Look at the frames that have come, and read the groups of what is followed."""
        while True:
            try:
                frame = self._frames.get_nowait()
            except queue.Empty:
                break
            self._look(frame)
        for followed in self.followed.values():
            followed.sample()

    def notes(self) -> list[str]:
        """Return what could not be followed, or not from the beginning."""
        notes = []
        if self._baseline is not None and (late := self._baseline.late):
            names = " and ".join(late)
            notes.append(f"{names} had not answered when the command started: following began late")
        if self._find is None:
            notes += [
                f"{name} started and ended between two looks: nothing of it was measured"
                for identity, name in self._started.items()
                if identity not in self.followed
            ]
        return notes

    def close(self) -> None:
        """Close the files."""
        for followed in self.followed.values():
            followed.close()

    def _look(self, frame: Frame) -> None:
        self._newest = frame
        self.frames += 1
        if self._baseline is None:
            return
        for wanted in self._wanted(frame, self._baseline):
            if wanted.id in self.followed:
                continue
            if (before := self._known_otherwise(wanted, frame)) is not None:
                self.followed[wanted.id] = self.followed.pop(before)
            else:
                is_new = is_new_run(wanted, self._baseline)
                self.followed[wanted.id] = Followed(wanted, is_new, self._hierarchy)
        for identity, followed in self.followed.items():
            followed.see(frame.workloads.get(identity), frame.samples.get(identity, ()))
        for event in frame.events:
            if is_start(event, self._baseline):
                self._started.setdefault(event.workload, event.name or event.workload.short)

    def _known_otherwise(self, workload: Workload, frame: Frame) -> WorkloadId | None:
        """Return the id under which a workload was followed until its engine gave it another, `None` if there is none.

        The kernel's sources see a new machine before its engine does.
        """
        place = (workload.kind, workload.host_name)
        for identity, followed in self.followed.items():
            earlier = followed.workload
            is_gone = identity not in frame.workloads and (earlier.kind, earlier.host_name) == place
            is_same = earlier.name == workload.name or (
                workload.cgroup is not None and earlier.cgroup == workload.cgroup
            )
            if is_gone and is_same:
                return identity
        return None

    def _wanted(self, frame: Frame, baseline: Baseline) -> list[Workload]:
        if self._find is not None:
            found = self._find(tuple(frame.workloads.values()))
            return [] if found is None or not found.state.is_active else [found]
        candidates = (one for one in frame.workloads.values() if one.kind in _KINDS and not one.is_sandbox)
        return [workload for workload in candidates if is_new_run(workload, baseline)]


def is_new_run(workload: Workload, baseline: Baseline) -> bool:
    """Return whether a workload runs, and has started since: a stopped one that was started again, too.

    Where a source had not answered at the beginning, only a start time can tell.
    """
    if not workload.state.is_active:
        return False
    if workload.id in baseline.active:
        before, now = baseline.active[workload.id], workload.started_at
        return before is not None and now is not None and now > before + _SLACK_S and now > baseline.wall - _SLACK_S
    if workload.started_at is None:
        return not baseline.late
    return workload.started_at >= baseline.wall - _SLACK_S


def is_start(event: Event, baseline: Baseline) -> bool:
    """Return whether an event says that a workload has started since."""
    return event.what == "start" and event.wall >= baseline.wall - _SLACK_S
