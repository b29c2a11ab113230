"""Writes recordings of several hosts as one session file."""

from __future__ import annotations

import os
from collections.abc import Iterator

from collectors.model.workloads import Frame
from collectors.session.format import SessionError
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
    for item in session.contents(index):
        if isinstance(item, Frame) and start <= item.wall <= stop:
            writer.write(item)
