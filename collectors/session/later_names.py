"""Names of workloads in frames that were taken before their engine answered: later frames of the session have them."""

from __future__ import annotations

from msgspec.structs import replace

from collectors.model.workloads import Frame, Workload, WorkloadId
from collectors.session.frame_sequence import FrameSequence

_ANSWERS_WITHIN = 30
"""Frames after which an engine that answers at all has usually done so."""


class LaterNames:
    """Names workloads that a frame has short ids for, from a frame soon after it and from the last one.

    Args:
        session: An open session; it may grow.
    """

    def __init__(self, session: FrameSequence) -> None:
        self._session = session
        self._known: dict[WorkloadId, Workload] = {}
        self._asked: set[int] = set()
        """Numbers of the frames whose names are known."""

    def named(self, frame: Frame, number: int, last: int) -> Frame:
        """Return a frame with the names, images and projects that are known later; itself if it lacks none.

        Args:
            frame: The frame.
            number: Its number, from 0.
            last: The number of the session's last frame.
        """
        unnamed = [identity for identity, workload in frame.workloads.items() if not workload.name_is_known]
        if not unnamed:
            return frame
        for later in (min((number // _ANSWERS_WITHIN + 2) * _ANSWERS_WITHIN, last), last):
            if later not in self._asked:
                self._ask(later)
        found = {
            identity: _with_facts(frame.workloads[identity], self._known[identity])
            for identity in unnamed
            if identity in self._known
        }
        return replace(frame, workloads={**frame.workloads, **found}) if found else frame

    def _ask(self, number: int) -> None:
        self._asked.add(number)
        frame = self._session.frame(self._session.position(number))
        for identity, workload in frame.workloads.items() if frame is not None else ():
            if workload.name_is_known:
                self._known[identity] = workload


def _with_facts(workload: Workload, later: Workload) -> Workload:
    """Return a workload with what does not change while it exists."""
    return replace(
        workload,
        name=later.name,
        name_is_known=True,
        image=workload.image or later.image,
        project=workload.project or later.project,
    )
