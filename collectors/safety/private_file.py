"""Logs of a user's own: files that only their owner can read, that never grow past a bound, and that follow no link.

Opened for each line: another vmtop may write to the same file, set it aside, or remove it, at any time.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

LARGEST = 1 << 20
"""Bytes; a longer file is set aside once, as `.1`, so that both together stay below two of it and a line."""
_GUARDS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""O_NONBLOCK: a named pipe in the file's place must not hold anyone up."""


def append(path: Path, line: bytes, makes_folder: bool = True) -> None:
    """Append a line to a file, 0600, made where there is none; so is its folder, unless a person named the place.

    Raises:
        OSError: It cannot be written, or a link, or somebody else's file, is in its place.
    """
    if makes_folder:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _set_aside(path)
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
        return []  # not there yet; a problem in writing is told by whoever writes
    try:
        length = os.fstat(descriptor).st_size
        return os.pread(descriptor, size, max(0, length - size)).splitlines()
    finally:
        os.close(descriptor)


def _set_aside(path: Path) -> None:
    with suppress(FileNotFoundError):
        about = path.lstat()
        if stat.S_ISREG(about.st_mode) and about.st_size > LARGEST:
            path.replace(path.with_name(f"{path.name}.1"))
