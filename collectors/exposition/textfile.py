"""The text as a file for the textfile collector of node_exporter, replaced as a whole."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

NAME = "vmtop.prom"
_MODE = 0o644
"""node_exporter usually runs as another user."""


def write(folder: Path, text: bytes) -> Path:
    """Replace the file in a folder; a reader sees the old text or the new one. Return its path.

    Raises:
        OSError: It cannot be written.
    """
    path = folder / NAME
    beside = folder / f".{NAME}.{os.getpid()}"
    with suppress(FileNotFoundError):
        beside.unlink()  # of a process that was ended while it wrote
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, _MODE)
            file.write(text)
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    return path


def remove(folder: Path) -> None:
    """Remove the file, so that the numbers of a vmtop that has ended do not stay."""
    with suppress(OSError):
        (folder / NAME).unlink()
