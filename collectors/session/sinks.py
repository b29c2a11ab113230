"""The sinks that a user can choose: one file, a series of rotated files, a stream."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from collectors.model.workloads import Frame
from collectors.session.format import HEADER, HEADER_SIZE, PREFIX, SUFFIX, Gap, SessionError
from collectors.session.storage import FileStorage, StreamStorage, is_written, new_file
from collectors.session.writer import Writer

_STAMP = "%Y%m%d-%H%M%S"


def file_writer(path: Path, is_forced: bool = False) -> Writer:
    """Return a writer of a new file.

    Raises:
        SessionError: The file cannot be created.
    """
    return Writer(FileStorage(new_file(path, is_forced)))


def stream_writer(descriptor: int) -> Writer:
    """Return a writer into a pipe."""
    return Writer(StreamStorage(descriptor))


def default_name(host: str, wall: float) -> str:
    """Return a file name for a session: the host and the local time, without characters special to a shell."""
    safe_host = re.sub(r"[^A-Za-z0-9.-]+", "-", host).strip("-.") or "host"
    return f"vmtop-{safe_host[:64]}-{time.strftime(_STAMP, time.localtime(wall))}{SUFFIX}"


@dataclass(frozen=True, slots=True)
class Rotation:
    """When the next file begins, and how many are kept. 0 means no limit."""

    size: int = 0
    """Bytes of one file."""
    age_s: float = 0.0
    """Seconds of wall time in one file."""
    keep: int = 0
    """Files kept; the oldest are removed first. 0 keeps all."""

    @property
    def is_wanted(self) -> bool:
        return bool(self.size or self.age_s)


class Rotating:
    """Files `NAME-20261124-031200.vmtop.gz`, one after the other.

    Args:
        path: `NAME.vmtop.gz`, in the folder to write to.
        rotation: When the next file begins, and how many are kept.
    """

    def __init__(self, path: Path, rotation: Rotation) -> None:
        self._path = path
        self._rotation = rotation
        self._writer: Writer | None = None
        self._finished = 0
        self.files = 0
        self.newest: Path | None = None
        if not path.parent.is_dir():
            raise SessionError(f"{path.parent} is not a folder: create it or choose another")

    @property
    def size(self) -> int:
        """Bytes written, to all files."""
        return self._finished + (self._writer.size if self._writer else 0)

    def write(self, frame: Frame, gap: Gap | None = None) -> None:
        """Append a frame to the current file, or to a new one when that is due."""
        if self._writer is not None and self._is_due(self._writer):
            writer, self._writer = self._writer, None
            self._finished += writer.size
            writer.close()
        if self._writer is None:
            self._writer = self._next(frame.wall)
            self._remove_old()
        self._writer.write(frame, gap)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _is_due(self, writer: Writer) -> bool:
        rotation = self._rotation
        return bool(rotation.size and writer.size >= rotation.size) or bool(
            rotation.age_s and writer.span_s >= rotation.age_s
        )

    def _stem(self) -> str:
        return self._path.name.removesuffix(SUFFIX)

    def _next(self, wall: float) -> Writer:
        stamp = time.strftime(_STAMP, time.localtime(wall))
        for number in range(100):
            suffix = f".{number}" if number else ""
            path = self._path.with_name(f"{self._stem()}-{stamp}{suffix}{SUFFIX}")
            if not path.exists():
                self.files, self.newest = self.files + 1, path
                return file_writer(path)
        raise SessionError(f"{self._path.parent} has too many files from the same second")

    def _remove_old(self) -> None:
        """Remove the oldest files of this name, by their content: clock or daylight saving time may have changed."""
        if not self._rotation.keep:
            return
        pattern = re.compile(re.escape(self._stem()) + r"-\d{8}-\d{6}(\.\d+)?" + re.escape(SUFFIX))
        old_paths = [
            path for path in self._path.parent.iterdir() if pattern.fullmatch(path.name) and path != self.newest
        ]
        oldest_first = sorted((start_ms, path) for path in old_paths if (start_ms := _start_ms(path)) is not None)
        for _, path in oldest_first[: max(0, len(oldest_first) - self._rotation.keep + 1)]:
            if not is_written(path):
                path.unlink(missing_ok=True)


def _start_ms(path: Path) -> int | None:
    """Return the wall time at which a session file starts, in ms; `None` if it is not one or cannot be read."""
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
            header = file.read(HEADER_SIZE)
    except OSError:
        return None
    is_session = header.startswith(PREFIX) and len(header) == HEADER_SIZE
    return int(HEADER.unpack_from(header, len(PREFIX))[2]) if is_session else None
