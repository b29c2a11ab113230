"""Reading small kernel files whole, by descriptor or path."""

from __future__ import annotations

import os

_WHOLE = 2048
"""A reading this short is the end: seq_file hands out pages of whole records, and none in these files is longer."""

_STACKED_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")


def is_stacked_disk(name: str) -> bool:
    """Return whether a block device is none of this host's disks: in memory, removable, remote or built on others."""
    return name.startswith(_STACKED_DISKS)


def read_bytes(path: str, below: int | None = None) -> bytes | None:
    """Read a small file whole, by its path or below an open directory; `None` when it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=below)
    except OSError:
        return None
    try:
        text = chunk = os.read(descriptor, 65536)
        while len(chunk) > _WHOLE:
            chunk = os.read(descriptor, 65536)
            text += chunk
        return text
    except OSError:
        return None
    finally:
        os.close(descriptor)
