"""The action log: a JSON line for every action, in a file that only its owner can read."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

import msgspec

from collectors.safety import private_file
from collectors.safety.typed_json import decode

log = logging.getLogger(__name__)

_TAIL = 256 * 1024


class Entry(msgspec.Struct, frozen=True):
    """One finished action."""

    time: float
    """Wall time when it began, seconds since 1970."""
    who: str
    verb: str
    kind: str
    name: str
    engine: str
    id: str
    command: str
    """The equivalent command line."""
    result: str
    sentence: str
    seconds: float
    host: str = ""
    """The other host that it was done on; empty for the host that vmtop ran on."""


class ActionLog:
    """Appends entries to a file and keeps those of this run in memory.

    Args:
        path: The file; `None` keeps entries in memory only.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.problem = ""
        """Why the file could not be written; empty when it could."""
        self._entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        """Append an entry. Never raises: a failure to write is kept in `problem`."""
        self._entries.append(entry)
        if self.path is None:
            return
        try:
            private_file.append(self.path, msgspec.json.encode(entry) + b"\n")
        except OSError as error:
            self.problem = f"the action log {self.path} cannot be written: {error.strerror}"
            log.warning("%s", self.problem)

    def recent(self, count: int) -> list[Entry]:
        """Return up to `count` newest entries, oldest first; with those of earlier runs if the file is readable."""
        entries: list[Entry] = []
        for line in private_file.tail(self.path, _TAIL) if self.path else ():
            with suppress(msgspec.DecodeError):  # a line cut by a crash, or not ours
                entries.append(decode(line, Entry))
        return (entries or self._entries)[-count:]
