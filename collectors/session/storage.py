"""Where a session's bytes go: a file that is valid at every instant, or a stream.

A file is always new, readable by its owner only, and locked while it is written. A write that fails is undone.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from collectors.session.format import SessionError

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Storage(Protocol):
    """Takes a session's bytes in order."""

    size: int
    """Bytes so far, without the end that the next data replaces."""

    @property
    def has_end(self) -> bool:
        """Whether there is an end that the next data would replace."""

    def append(self, data: bytes, end: bytes) -> None:
        """Write data, then an end that the next data replaces.

        Raises:
            OSError: Nothing was written; the storage is unchanged.
        """

    def finish(self, end: bytes) -> None:
        """Make the end permanent."""

    def patch(self, offset: int, data: bytes) -> None:
        """Replace bytes that were already written, where that is possible."""

    def close(self) -> None:
        """Release resources."""


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
        """Write data and end in one call, over the previous end."""
        try:
            self._write(data + end, self.size)
        except OSError:
            with suppress(OSError):  # the first error is the one to report
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
        descriptor, self._file = self._file, -1
        if descriptor >= 0:
            os.close(descriptor)


class StreamStorage:
    """A pipe: nothing can be undone, so an end is written only when it is permanent, and a failure is final.

    Args:
        descriptor: Open for writing; it stays open.
    """

    has_end = False

    def __init__(self, descriptor: int) -> None:
        self._stream = descriptor
        self._failure: OSError | None = None
        self.size = 0

    def append(self, data: bytes, end: bytes) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            write_all(self._stream, data)
        except OSError as error:
            self._failure = error
            raise
        self.size += len(data)

    def finish(self, end: bytes) -> None:
        if self._failure is None:
            self.append(end, b"")

    def patch(self, offset: int, data: bytes) -> None:
        """Bytes in a pipe cannot be changed; readers find such members by scanning the file."""

    def close(self) -> None:
        """Leaves the descriptor open: it belongs to the caller."""


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of the data to a descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def new_file(path: Path, is_forced: bool = False) -> int:
    """Create a file for a session, 0600 and locked, and return its descriptor.

    Args:
        path: Name of the file. An existing file is not overwritten.
        is_forced: Replace an existing regular file, unless it is being written.

    Raises:
        SessionError: The file cannot be created; the message says why and what to do.
    """
    descriptor, hidden = _hidden_file(path)
    try:
        _put_in_place(hidden, path, is_forced)
    except BaseException:
        os.close(descriptor)
        hidden.unlink(missing_ok=True)
        raise
    return descriptor


@contextmanager
def finished_file(path: Path, is_forced: bool = False) -> Iterator[int]:
    """Yield the descriptor of a file that appears under its name only once it is complete; otherwise nothing is left.

    Raises:
        SessionError: The file cannot be written; an existing one is unchanged.
    """
    _refuse(path, is_forced)
    descriptor, hidden = _hidden_file(path)
    try:
        yield descriptor
        _put_in_place(hidden, path, is_forced)
    except OSError as error:
        raise SessionError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        os.close(descriptor)
        hidden.unlink(missing_ok=True)


def _hidden_file(path: Path) -> tuple[int, Path]:
    """Create a locked file under a hidden name in the folder of a path."""
    hidden = path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}")
    try:
        descriptor = os.open(hidden, _FLAGS, 0o600)
    except OSError as error:
        raise SessionError(f"{path} cannot be created: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        hidden.unlink(missing_ok=True)
        raise SessionError(f"{path} cannot be locked: {error.strerror}") from error
    return descriptor, hidden


def _put_in_place(hidden: Path, path: Path, is_forced: bool) -> None:
    """Give a hidden file its final name; replace an existing file only if forced."""
    _refuse(path, is_forced)
    try:
        if is_forced:
            hidden.replace(path)
        else:
            os.link(hidden, path, follow_symlinks=False)
            hidden.unlink()
    except FileExistsError as error:
        raise SessionError(_taken_message(path)) from error
    except OSError as error:
        if is_forced or error.errno not in _NO_LINKS:
            raise SessionError(f"{path} cannot be created: {error.strerror}") from error
        hidden.rename(path)  # a file system without hard links; the path was free just before


_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV})


def _refuse(path: Path, is_forced: bool) -> None:
    """Raise `SessionError` if the path is taken."""
    try:
        status = path.lstat()
    except OSError:
        return  # the path is free; creating the file reports any other problem
    if not is_forced or not stat.S_ISREG(status.st_mode) or is_written(path):
        raise SessionError(_taken_message(path))


def _taken_message(path: Path) -> str:
    if path.is_symlink():
        return f"{path} is a symbolic link, which vmtop does not follow: choose another name"
    if path.is_file():
        if is_written(path):
            return f"{path} already exists and is being written: choose another name"
        return f"{path} already exists: choose another name, or --force to replace it"
    return f"{path} already exists and is not a regular file: choose another name"


def is_written(path: Path) -> bool:
    """Return whether a vmtop is writing a file, or using a spool folder, at this moment."""
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
