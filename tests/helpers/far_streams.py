"""What vmtop on another host sends, prepared for `tests.helpers.far_player`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from collectors.model.workloads import Frame
from collectors.session.sinks import stream_writer

PLAYER = Path(__file__).with_name("far_player.py")


def write_stream(path: Path, frames: Iterable[Frame]) -> None:
    """Write frames as `vmtop record -` sends them, and where each piece ends."""
    ends = []
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o644)
    try:
        writer = stream_writer(descriptor)
        for frame in frames:
            writer.write(frame)
            ends.append(os.fstat(descriptor).st_size)
        writer.close()
    finally:
        os.close(descriptor)
    Path(f"{path}.ends").write_text(" ".join(map(str, ends)))


def play_command(path: Path) -> str:
    """Return the command that plays a stream, for a shell; options may follow."""
    return f"{sys.executable} -S -E {PLAYER} {path}"
