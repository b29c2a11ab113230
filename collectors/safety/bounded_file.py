"""Reads files that anybody may have put there: never through a link, never one that blocks, never more than a bound."""

from __future__ import annotations

import os
import stat


def read_bounded(path: str, largest: int, owner: int | None = None) -> bytes | None:
    """Return the content of a regular file; `None` when there is none, or it is refused.

    Args:
        path: The file. A symbolic link in its last part is refused.
        largest: Bytes; a longer file is refused.
        owner: The user whose file it has to be; `None` accepts any.
    """
    content = _read(path, largest + 1, owner)
    return content if content is None or len(content) <= largest else None


def read_tail(path: str, size: int, owner: int | None = None) -> bytes | None:
    """Return the last `size` bytes of a regular file; `None` as for `read_bounded`, whose arguments are the others."""
    return _read(path, size, owner, from_end=True)


def _read(path: str, size: int, owner: int | None, from_end: bool = False) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):  # ValueError: a path with a null byte
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or owner not in (None, status.st_uid):
            return None
        return os.pread(descriptor, size, max(0, status.st_size - size) if from_end else 0)
    except OSError:
        return None
    finally:
        os.close(descriptor)
