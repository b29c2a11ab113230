"""A user's own logs: files that only their owner can read, bounded in size, never written through a link.

A file is opened for each line: another vmtop may write to it, rotate it, or remove it, at any time.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

LARGEST = 1 << 20
"""Bytes; a longer file is renamed to `.1`, replacing the last one: both together stay below twice this and a line."""
_GUARDS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""O_NONBLOCK: a named pipe in place of the file must not block."""


def append(path: Path, line: bytes, makes_folder: bool = True) -> None:
    """Append a line to a file, which is created with mode 0600 if missing.

    Args:
        path: The file.
        line: The line, with its line end.
        makes_folder: Create the folder too if missing; not for a path that the user named.

    Raises:
        OSError: The file cannot be written, or its path is a link or another user's file.
    """
    if makes_folder:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _rotate(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _GUARDS, 0o600)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode) and mode & 0o077:  # /dev/null keeps its mode
            os.fchmod(descriptor, 0o600)
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def tail(path: Path, size: int) -> list[bytes]:
    """Return the lines in the last `size` bytes of a file, the first of which may be cut; none without a file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _GUARDS)
    except OSError:
        return []  # not there yet; problems with writing are reported by `append`
    try:
        length = os.fstat(descriptor).st_size
        return os.pread(descriptor, size, max(0, length - size)).splitlines()
    finally:
        os.close(descriptor)


def _rotate(path: Path) -> None:
    with suppress(FileNotFoundError):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_size > LARGEST:
            path.replace(path.with_name(f"{path.name}.1"))
