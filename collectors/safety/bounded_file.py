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
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):  # ValueError: a path with a null byte
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > largest or owner not in (None, status.st_uid):
            return None
        content = os.read(descriptor, largest + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return content if len(content) <= largest else None
