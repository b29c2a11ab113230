"""Where a session's bytes go: a file that is whole at every instant, or a stream.

A file is always a new one, of its owner alone, locked while it is written. A write that fails is taken back.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from collectors.session.format import SessionError

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Storage(Protocol):
    """Takes a session's bytes in order."""

    size: int
    """Bytes so far, without the standing end."""

    @property
    def has_end(self) -> bool:
        """Whether there is an end that the next data would replace."""

    def append(self, data: bytes, end: bytes) -> None:
        """Write data after what there is, then an end that the next data replaces.

        Raises:
            OSError: Nothing was written; what there was is as before.
        """

    def finish(self, end: bytes) -> None:
        """Let the end stand."""

    def patch(self, offset: int, data: bytes) -> None:
        """Replace bytes that were written before, where that is possible."""

    def close(self) -> None:
        """Let go."""


class FileStorage:
    """A regular file, written in place.

    Args:
        descriptor: Open for reading and writing, empty.
    """

    def __init__(self, descriptor: int) -> None:
        self._file = descriptor
        self.size = 0
        self._end = b""

    def append(self, data: bytes, end: bytes) -> None:
        """Write data and end in one call, over the end that stood there."""
        try:
            self._write(data + end, self.size)
        except OSError:
            with suppress(OSError):  # the first error is the one to tell
                os.ftruncate(self._file, self.size + len(self._end))
                self._write(self._end, self.size)
            raise
        self.size += len(data)
        self._end = end

    @property
    def has_end(self) -> bool:
        return bool(self._end)

    def _write(self, data: bytes, offset: int) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._file, view, offset)
            if not written:
                raise OSError(errno.EIO, "nothing more can be written")
            view, offset = view[written:], offset + written

    def finish(self, end: bytes) -> None:
        self.size += len(self._end)
        self._end = b""

    def patch(self, offset: int, data: bytes) -> None:
        self._write(data, offset)

    def close(self) -> None:
        os.close(self._file)


class StreamStorage:
    """A pipe or a terminal: nothing can be taken back, so that an end is written only where it stays."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.size = 0
        self.has_end = False

    def append(self, data: bytes, end: bytes) -> None:
        self._stream.write(data)
        self._stream.flush()
        self.size += len(data)

    def finish(self, end: bytes) -> None:
        self._stream.write(end)
        self._stream.flush()
        self.size += len(end)

    def patch(self, offset: int, data: bytes) -> None:
        """What is in the pipe cannot be changed; readers find such members by looking through the file."""

    def close(self) -> None:
        """The stream is not ours."""


def new_file(path: Path, is_forced: bool = False) -> int:
    """Create a file for a session, 0600 and locked, and return its descriptor.

    Args:
        path: Where. Nothing is overwritten.
        is_forced: Remove a regular file that is there, unless it is being written.

    Raises:
        SessionError: It cannot be made; the message says why and what to do.
    """
    if is_forced:
        _make_way(path)
    try:
        descriptor = os.open(path, _FLAGS, 0o600)
    except FileExistsError as error:
        raise SessionError(_in_the_way(path)) from error
    except OSError as error:
        raise SessionError(f"{path} cannot be made: {error.strerror}") from error
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _in_the_way(path: Path) -> str:
    if path.is_symlink():
        return f"{path} is a symbolic link, and vmtop writes through none: choose another name"
    if path.is_file():
        used = " and is being written" if is_written(path) else ""
        return f"{path} exists already{used}: choose another name" + ("" if used else ", or --force to replace it")
    return f"{path} exists already and is no regular file: choose another name"


def _make_way(path: Path) -> None:
    try:
        about = path.lstat()
    except OSError:
        return  # nothing in the way; creating it tells of anything else
    if not stat.S_ISREG(about.st_mode) or is_written(path):
        raise SessionError(_in_the_way(path))
    try:
        path.unlink()
    except OSError as error:
        raise SessionError(f"{path} cannot be replaced: {error.strerror}") from error


def is_written(path: Path) -> bool:
    """Return whether a vmtop is writing a file (or holds a folder) at this moment."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
