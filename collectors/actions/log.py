"""The action log: a JSON line for every action, in a file that only its owner can read."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

import msgspec

from collectors.safety import private_file

log = logging.getLogger(__name__)

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
            private_file.append(self.path, msgspec.json.encode(entry) + b"\n")
        except OSError as error:
            self.problem = f"the action log {self.path} cannot be written: {error.strerror}"
            log.warning("%s", self.problem)

    def recent(self, count: int) -> list[Entry]:
        """Return the newest entries, oldest first: of earlier runs too where the file can be read."""
        entries: list[Entry] = []
        for line in private_file.tail(self.path, _TAIL) if self.path else ():
            with suppress(msgspec.DecodeError):  # a line cut by a crash, or not ours
                entries.append(msgspec.json.decode(line, type=Entry))
        return (entries or self._entries)[-count:]
