"""A log in a file of this host, such as the console of a domain."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator

from collectors.model.errors import AccessDenied, SourceAbsent, SourceError
from collectors.model.logs import LONGEST, LogLine, clean
from collectors.safety.sanitize import sanitize

_BLOCK = 64 * 1024
_POLL_S = 0.3
_RANGE = 1 << 60


class FileLog:
    """Reads a regular file in blocks from wherever it is looked at; follows it through rotation and truncation."""

    def __init__(self, path: str) -> None:
        self.title = sanitize(path)
        self._path = path
        self._stop = threading.Event()
        self._follower: object = None
        """Of the follower that goes on; an earlier one sees that it is not the one."""
        self._base = 0
        """Added to positions: each file that takes the name has its own range."""
        self._file = -1
        self._file = self._open()

    def last(self, count: int) -> list[LogLine]:
        return self._backwards(os.fstat(self._file).st_size, count)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        place = self._place(line)
        return [] if place is None else self._backwards(place, count)

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        lines: list[LogLine] = []
        known = self._place(line)
        place = 0 if known is None else self._end_of(known)
        while len(lines) < count:
            block = os.pread(self._file, _BLOCK, place)
            whole, newline, _ = block.rpartition(b"\n")
            if not newline:
                return lines if len(block) < _BLOCK else [*lines, self._line(place, block)]
            lines += self._split(whole, place)
            place += len(whole) + 1
        return lines[:count]

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        me = self._follower = object()
        known = None if line is None else self._place(line)
        place = os.fstat(self._file).st_size if known is None else self._end_of(known)
        rest = b""
        while not self._stop.is_set() and self._follower is me:
            block = os.pread(self._file, _BLOCK, place + len(rest))
            text = rest + block
            whole, newline, rest = text.rpartition(b"\n")
            if newline:
                yield from self._split(whole, place)
                place += len(whole) + 1
            if len(rest) > LONGEST * 4:
                yield self._line(place, rest)
                place, rest = place + len(rest), b""
            if not block and not self._stop.wait(_POLL_S) and self._has_changed(place + len(rest)):
                place, rest = 0, b""

    def close(self) -> None:
        self._stop.set()

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)

    def _open(self) -> int:
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError:
            raise AccessDenied(f"no permission to read {self.title}", "run vmtop as root") from None
        except OSError as error:
            raise SourceAbsent(f"the log {self.title} cannot be opened: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise SourceError(f"the log {self.title} is not a regular file")
        return file

    def _has_changed(self, place: int) -> bool:
        """Start anew when the file was cut, or another has taken its name."""
        try:
            about = os.stat(self._path, follow_symlinks=False)
            mine = os.fstat(self._file)
            if (about.st_ino, about.st_dev) != (mine.st_ino, mine.st_dev):
                fresh = self._open()
                os.dup2(fresh, self._file, inheritable=False)
                os.close(fresh)
                self._base += _RANGE
                return True
        except (OSError, SourceError):
            return False  # between two names of a rotation: the next look tells
        if mine.st_size >= place:
            return False
        self._base += _RANGE
        return True

    def _backwards(self, end: int, count: int) -> list[LogLine]:
        """Return the last lines that end before a place."""
        start, text = end, b""
        while start > 0 and text.count(b"\n") <= count and len(text) < LONGEST * (count + 1):
            size = min(_BLOCK, start)
            start -= size
            text = os.pread(self._file, size, start) + text
        if start > 0:
            cut = text.find(b"\n") + 1
            if text.count(b"\n", cut) >= count:  # else the first is the end of a very long line, and is shown as one
                start, text = start + cut, text[cut:]
        return self._split(text.removesuffix(b"\n"), start)[-count:] if text else []

    def _place(self, line: LogLine) -> int | None:
        """Return where a line is in the file; `None` if it was in one that had the name before."""
        place = int(line.position) - self._base
        return place if place >= 0 else None

    def _line(self, place: int, raw: bytes) -> LogLine:
        return LogLine(self._base + place, None, False, clean(raw))

    def _split(self, text: bytes, place: int) -> list[LogLine]:
        lines: list[LogLine] = []
        for raw in text.split(b"\n"):
            lines.append(self._line(place, raw))
            place += len(raw) + 1
        return lines

    def _end_of(self, place: int) -> int:
        """Return where the line after the one at a place begins."""
        while block := os.pread(self._file, _BLOCK, place):
            found = block.find(b"\n")
            if found >= 0:
                return place + found + 1
            place += len(block)
        return place
