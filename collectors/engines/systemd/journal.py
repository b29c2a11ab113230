"""The journal of a service, read with journalctl: systemd advises against reading the journal files directly."""

from __future__ import annotations

import json
import re
import shutil
import subprocess  # noqa: TID251  # see docs/decisions/0005-journalctl.md
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from collectors.engines.line_splitter import LineSplitter
from collectors.model.errors import AccessDenied, SourceAbsent, SourceError
from collectors.model.logs import Interruptible, LogLine, clean, first_lines, last_lines
from collectors.safety.permissions import join_remedy
from collectors.safety.sanitize import sanitize

_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}\.(?:service|scope|slice)")
_FORMAT = ("--output=json", "--output-fields=MESSAGE,PRIORITY", "--all")
"""Without `--all` the JSON of journalctl has null for a message of more than 4,096 bytes."""
_LONGEST_ENTRY = 4 << 20
"""Bytes of an entry that are read. One that is not UTF-8 takes up to five for a byte of the message."""
_CURSOR = re.compile(rb'"__CURSOR"\s*:\s*"([!-~]{1,500}?)"')
_CHUNK = 1 << 16
_ERROR = 3
"""Priority of errors (RFC 5424); lower is worse."""
_GROUP = "systemd-journal"


class JournalLog(Interruptible):
    """Reads the journal of a unit; the position of a line is the journal's cursor.

    Args:
        unit: Name of the unit, such as `ssh.service`.
        user_id: The user whose own service manager has the unit; `None` for a unit of the system manager.
        options: More options for journalctl, such as `--directory=...`.
    """

    def __init__(self, unit: str, options: Sequence[str] = (), user_id: int | None = None) -> None:
        if not _UNIT.fullmatch(unit):
            raise SourceError(f"{sanitize(unit)} is not a valid unit name")
        program = shutil.which("journalctl")
        if program is None:
            raise SourceAbsent("journalctl is not installed: without it the journal cannot be read")
        self.title = f"journal of {unit}"
        of_unit = [f"--unit={unit}"] if user_id is None else _of_user_unit(unit, user_id)
        self._argv = [program, *of_unit, *_FORMAT, "--no-pager", "--quiet", *options]
        self._lock = threading.Lock()
        self._is_closed = False
        self._follower: subprocess.Popen[bytes] | None = None

    def last(self, count: int) -> list[LogLine]:
        return last_lines(self._read(f"--lines={count}"), count)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        # With --reverse the cursor's own entry comes first.
        newest_first = self._read(f"--cursor={line.position}", "--reverse", f"--lines={count + 1}")
        return first_lines((entry for entry in newest_first if entry.position != line.position), count)[::-1]

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return first_lines(self._read(f"--after-cursor={line.position}", "--lines=all"), count)

    def first(self, count: int) -> list[LogLine]:
        return first_lines(self._read(), count)

    def until(self, wall: float, count: int) -> list[LogLine]:
        # backwards: else journalctl counts the lines from the journal's end; and a microsecond on, to include the time
        newest_first = self._read("--reverse", f"--until=@{wall + 1e-6:.6f}", f"--lines={count + 1}")
        return first_lines((line for line in newest_first if (line.at or 0.0) <= wall), count)[::-1]

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        return self._read(*([f"--after-cursor={line.position}"] if line is not None else []))

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        start = [f"--after-cursor={line.position}", "--lines=all"] if line is not None else ["--lines=0"]
        return self._read("--follow", *start, keep=True)

    def close(self) -> None:
        self.interrupt()
        with self._lock:
            self._is_closed = True
        self._hand_over(None)

    def _hand_over(self, child: subprocess.Popen[bytes] | None) -> None:
        """End the previous follower, and the new one too if the log was closed in the meantime."""
        with self._lock:
            obsolete = [self._follower, child if self._is_closed else None]
            self._follower = child
        for old_child in obsolete:
            if old_child is not None:
                old_child.kill()

    def _read(self, *options: str, keep: bool = False) -> Iterator[LogLine]:
        """Run journalctl and yield its entries; the process ends with the iteration."""
        child = subprocess.Popen(  # noqa: S603  # a list of arguments, and the unit's name is checked
            [*self._argv, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if keep else subprocess.PIPE,  # a follower's complaints must not fill a pipe
        )
        if keep:
            self._hand_over(child)
        try:
            assert child.stdout is not None  # noqa: S101  # a pipe, by construction
            splitter, interrupts = LineSplitter(longest=_LONGEST_ENTRY), self._interrupts
            while chunk := child.stdout.read1(_CHUNK):  # type: ignore[attr-defined]  # a buffered reader
                if not keep and self._interrupts != interrupts:
                    return
                for _, raw in splitter.feed(chunk):
                    yield from _lines(raw)
            message = sanitize(child.stderr.read(2000)).strip() if child.stderr is not None else "journalctl ended"
            if child.wait() > 0:
                failure = AccessDenied if "permission" in message.lower() else SourceError
                raise failure(f"the journal cannot be read: {message}", join_remedy(_GROUP))
        finally:
            child.kill()
            child.communicate()


def _of_user_unit(unit: str, user_id: int) -> list[str]:
    """Return the matches for what a user's unit and the user's manager say; two users may have units of one name."""
    owner = f"_UID={user_id}"
    return [f"_SYSTEMD_USER_UNIT={unit}", owner, "+", f"USER_UNIT={unit}", owner]


def _lines(raw: bytes) -> Iterator[LogLine]:
    """Yield the line of an entry. One that cannot be decoded and has no cursor is left out: nothing could follow it."""
    try:
        entry: Any = json.loads(raw)
        message = entry.get("MESSAGE")
    except (ValueError, AttributeError):
        cursor = _CURSOR.search(raw)
        entry = {"__CURSOR": cursor[1].decode()} if cursor else {}
        message = f"(an entry of {len(raw)} bytes or more that cannot be shown)"
    if isinstance(message, list):  # not UTF-8: a list of bytes
        message = bytes(byte for byte in message if isinstance(byte, int) and 0 <= byte < 256)
    if not entry.get("__CURSOR"):
        return
    at = str(entry.get("__REALTIME_TIMESTAMP") or "")
    priority = str(entry.get("PRIORITY") or "6")
    yield LogLine(
        sanitize(str(entry["__CURSOR"]), 1000),
        int(at) / 1e6 if at.isdigit() else None,
        priority.isdigit() and int(priority) <= _ERROR,
        *clean(message if isinstance(message, bytes | str) else ""),
    )
