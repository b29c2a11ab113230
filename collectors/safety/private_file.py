"""A user's own logs and state: files that only their owner can read, bounded in size, never written through a link.

A log is opened for each line: another vmtop may write to it, rotate it, or remove it, at any time.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import suppress
from pathlib import Path

from collectors.safety.own_folder import make_own_folder

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
        OSError: The file cannot be written, its path is a link or another user's file, or the folder is not the user's
            own.
    """
    if makes_folder:
        make_own_folder(path.parent)
    _rotate(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _GUARDS, 0o600)
    try:
        status = os.fstat(descriptor)
        is_regular = stat.S_ISREG(status.st_mode)
        if is_regular and status.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, f"it belongs to another user (uid {status.st_uid})")
        if makes_folder and not is_regular:
            raise PermissionError(errno.EPERM, "it is not a regular file")
        if is_regular and status.st_mode & 0o077:  # /dev/null keeps its mode
            os.fchmod(descriptor, 0o600)
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def replace(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Write a whole file into a folder of the user's own, at once: a reader sees the old or the new one.

    A link in its place is replaced, not followed.

    Args:
        path: The file.
        data: What it is to hold.
        mode: Its permissions.

    Raises:
        OSError: It cannot be written, or the folder is not the user's own.
    """
    make_own_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    with suppress(FileNotFoundError):  # of a process that was killed while it wrote, and had this number
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _GUARDS, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def tail(path: Path, size: int) -> list[bytes]:
    """Return the lines in the last `size` bytes of a file, the first of which may be cut; none without a file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _GUARDS)
    except OSError:
        return []  # not there yet; problems with writing are reported by `append`
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            return []  # nothing that vmtop wrote
        return os.pread(descriptor, size, max(0, status.st_size - size)).splitlines()
    finally:
        os.close(descriptor)


def _rotate(path: Path) -> None:
    with suppress(FileNotFoundError):
        status = path.lstat()
        is_own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        if is_own and status.st_size > LARGEST:
            path.replace(path.with_name(f"{path.name}.1"))
