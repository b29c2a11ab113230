"""Writes recordings of several hosts as one session file."""

from __future__ import annotations

import os
from collections.abc import Iterator

from msgspec.structs import replace

from collectors.model.workloads import Event, Frame
from collectors.session.format import Gap, SessionError
from collectors.session.frame_sequence import FrameSequence
from collectors.session.storage import FileStorage
from collectors.session.writer import Writer


def write_joined(session: FrameSequence, start: float, stop: float, target: int) -> Iterator[int]:
    """Write the frames of a span of wall time into an empty file; yield how many members are done.

    Args:
        session: The recordings.
        start: Wall time of the span's start; minus infinity begins with the first frame.
        stop: Wall time of the span's end.
        target: Descriptor of the empty file, open for writing; it stays open.

    Raises:
        SessionError: The span holds no frame.
        OSError: The file cannot be written.
    """
    writer = Writer(FileStorage(os.dup(target)))
    try:
        for index, member in enumerate(session.outline):
            if member.first_ms / 1000 <= stop + 1 and member.last_ms / 1000 >= start - 1:
                _write_member(writer, session, index, start, stop)
            yield index + 1
        if not writer.frames:
            raise SessionError("no frame lies in this span; 'vmtop info' shows what the session covers")
    finally:
        writer.close()


def _write_member(writer: Writer, session: FrameSequence, index: int, start: float, stop: float) -> None:
    gaps: list[Gap] = []
    for item in session.contents(index):
        if isinstance(item, Gap):
            gaps.append(item)
        elif start <= item.wall <= stop:
            writer.write(_with_gaps(item, gaps))
            gaps = []


def _with_gaps(frame: Frame, gaps: list[Gap]) -> Frame:
    """Return a frame with an event for each gap: a gap of the file would be one of all hosts."""
    events = [Event(gap.until, frame.host.id, "gap", f"{gap.frames} frames lost: {gap.why}") for gap in gaps]
    return replace(frame, events=(*events, *frame.events)) if events else frame
