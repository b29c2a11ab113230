"""The session so far: a series of bounded segments in a folder of this process, removed when it ends.

What a crash left behind is removed by the next vmtop; a folder belongs to a running process as long as it is locked.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from collectors.model.workloads import Frame
from collectors.safety.own_folder import make_own_folder
from collectors.session.format import SUFFIX, Gap
from collectors.session.sinks import file_writer
from collectors.session.storage import finished_file, is_written, write_all
from collectors.session.writer import Writer

log = logging.getLogger(__name__)

LARGEST = 64 << 20
"""Bytes of all segments together."""
LONGEST_S = 24 * 3600.0
_SEGMENTS = 16
"""The spool has at most this many parts; the oldest is deleted first."""
_SHORTEST_S = 600.0
_COPIED = 1 << 20


class Segment(NamedTuple):
    """A finished part."""

    path: Path
    size: int
    since: float
    """Wall time of its first frame."""
    until: float
    """Wall time of its last frame."""


class Snapshot(NamedTuple):
    """A session that was saved to a file."""

    path: Path
    size: int
    """Bytes."""
    span_s: float


class Sealed(NamedTuple):
    """The session so far, ready to be copied."""

    parts: list[tuple[int, int]]
    """Descriptors, each with the number of bytes to copy from it."""
    span_s: float

    def close(self) -> None:
        """Close the parts."""
        while self.parts:
            os.close(self.parts.pop()[0])


class Spool:
    """A sink that keeps the newest frames within bounds.

    Args:
        base: The folder of all spools; created if missing.
        largest: Bytes kept, at most.
        longest_s: Seconds kept, at most.

    Raises:
        OSError: The folder cannot be created, or is not this user's own.
    """

    def __init__(self, base: Path, largest: int = LARGEST, longest_s: float = LONGEST_S) -> None:
        self._largest = largest
        self._longest_s = longest_s
        self._writer: Writer | None = None
        self._path = base
        self._parts: deque[Segment] = deque()
        self._number = 0
        make_own_folder(base)
        _sweep(base)
        self.folder = base / f"{os.getpid()}-{os.urandom(4).hex()}"
        self.folder.mkdir(mode=0o700)
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def size(self) -> int:
        """Bytes kept."""
        return sum(part.size for part in self._parts) + (self._writer.size if self._writer else 0)

    @property
    def span_s(self) -> float:
        """Seconds from the first frame kept to the last."""
        writer = self._writer
        end = (writer.first_wall or 0.0) + writer.span_s if writer and writer.frames else self._parts[-1].until
        start = self._parts[0].since if self._parts else writer.first_wall if writer else None
        return end - (end if start is None else start)

    def write(self, frame: Frame, gap: Gap | None = None) -> None:
        """Append a frame, and remove what is beyond the bounds."""
        if self._writer is not None and self._is_full(self._writer):
            self._finish(self._writer)
        if self._writer is None:
            self._path = self.folder / f"{self._number:08d}{SUFFIX}"
            self._writer = file_writer(self._path)
            self._number += 1
        self._writer.write(frame, gap)
        self._forget(frame.wall)

    def _is_full(self, writer: Writer) -> bool:
        return writer.size >= self._largest // _SEGMENTS or (
            writer.span_s >= max(_SHORTEST_S, self._longest_s / _SEGMENTS)
        )

    def _finish(self, writer: Writer) -> None:
        self._writer = None
        writer.close()
        since = writer.first_wall or 0.0
        self._parts.append(Segment(self._path, writer.size, since, since + writer.span_s))

    def _forget(self, now: float) -> None:
        while self._parts and (self.size > self._largest or now - self._parts[0].until > self._longest_s):
            self._parts.popleft().path.unlink(missing_ok=True)

    def paths(self) -> list[Path]:
        """Return the parts, oldest first."""
        return [part.path for part in self._parts] + ([self._path] if self._writer and self._writer.frames else [])

    def seal(self) -> Sealed:
        """End the current member and open all parts for copying; they stay readable when the spool removes them."""
        if self._writer is not None:
            self._writer.end_member()
        paths = self.paths()
        sizes = [part.size for part in self._parts] + ([self._writer.size] if self._writer else [])
        sealed = Sealed([], self.span_s if paths else 0.0)
        try:
            for path, size in zip(paths, sizes, strict=False):
                sealed.parts.append((os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), size))
        except OSError:
            sealed.close()
            raise
        return sealed

    def close(self) -> None:
        """Remove everything."""
        if self._writer is not None:
            with suppress(OSError):  # the file is removed anyway
                self._writer.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def save(sealed: Sealed, path: Path) -> int:
    """Copy a sealed spool into a new file and close it; return the file's size in bytes.

    Raises:
        SessionError: The file cannot be written; nothing is left behind.
    """
    try:
        with finished_file(path) as target:
            for source, size in sealed.parts:
                _copy(source, target, size)
            return os.fstat(target).st_size
    finally:
        sealed.close()


def _copy(source: int, target: int, size: int) -> None:
    """Copy N bytes: anything written after them in the meantime belongs to later frames."""
    while size > 0:
        data = os.read(source, min(size, _COPIED))
        if not data:
            return
        write_all(target, data)
        size -= len(data)


def _sweep(base: Path) -> None:
    """Remove the spools of processes that ended without removing theirs."""
    for folder in base.iterdir():
        if folder.is_dir() and not folder.is_symlink() and not is_written(folder) and not _is_alive(folder.name):
            log.info("removing the spool %s of a process that ended", folder)
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(name: str) -> bool:
    """Return whether the process that a folder is named after exists: it may not have locked its folder yet."""
    number = name.partition("-")[0]
    return number.isdigit() and Path(f"/proc/{number}").exists()
