"""Reading the files of the configuration folder and the state: bounded, without blocking, owned by the right user."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from collectors.safety.own_folder import check_path

LARGEST = 64 << 10
"""Bytes of a file."""


def read_text(path: Path) -> str:
    """Return the text of a file. A pipe or a device in its place neither blocks nor is read.

    Raises:
        OSError: It cannot be read, another user could change it, or it is no regular file of a reasonable size.
        UnicodeDecodeError: It is not UTF-8.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if status.st_size > LARGEST:
            raise OSError(errno.EFBIG, f"it is longer than {LARGEST >> 10} KiB")
        check_path(path)
        return os.read(descriptor, LARGEST).decode("utf-8")
    finally:
        os.close(descriptor)
