"""The action log: a JSON line for every action, in a file that only its owner can read."""

from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

LARGEST = 1 << 20
"""A longer file is set aside once, as `.1`."""
_TAIL = 256 * 1024


class Entry(msgspec.Struct, frozen=True):
    """One action."""

    time: float
    """Wall time of its beginning, seconds since 1970."""
    who: str
    verb: str
    kind: str
    name: str
    engine: str
    id: str
    command: str
    """The command that would have done the same."""
    result: str
    sentence: str
    seconds: float


class ActionLog:
    """Appends to a file; keeps this run's entries in memory too.

    Args:
        path: The file; `None` keeps them in memory only.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.problem = ""
        """Why the file could not be written, if so."""
        self._entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        """Append an entry. A file that cannot be written is told once, in `problem`."""
        self._entries.append(entry)
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._set_aside(self.path)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
            file = os.open(self.path, flags, 0o600)
            try:
                os.write(file, msgspec.json.encode(entry) + b"\n")
            finally:
                os.close(file)
        except OSError as error:
            self.problem = f"the action log {self.path} cannot be written: {error.strerror}"
            log.warning("%s", self.problem)

    def recent(self, count: int) -> list[Entry]:
        """Return the newest entries, oldest first: of earlier runs too where the file can be read."""
        entries: list[Entry] = []
        for line in self._lines():
            with suppress(msgspec.DecodeError):  # a line cut by a crash, or not ours
                entries.append(msgspec.json.decode(line, type=Entry))
        return (entries or self._entries)[-count:]

    def _lines(self) -> list[bytes]:
        if self.path is None:
            return []
        try:
            file = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return []  # not there yet; a problem in writing is told by `write`
        try:
            size = os.fstat(file).st_size
            return os.pread(file, _TAIL, max(0, size - _TAIL)).splitlines()
        finally:
            os.close(file)

    def _set_aside(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            about = path.lstat()
            if stat.S_ISREG(about.st_mode) and about.st_size > LARGEST:
                path.replace(path.with_name(f"{path.name}.1"))
