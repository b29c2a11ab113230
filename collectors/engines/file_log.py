"""A log in a file of this host, such as the console of a domain."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator

from collectors.engines.line_splitter import LineSplitter
from collectors.engines.line_starts import end_of_line, starts_before
from collectors.model.errors import AccessDenied, SourceAbsent, SourceError
from collectors.model.logs import AT_ONCE, LONGEST_BYTES, Interruptible, LogLine, clean, first_lines
from collectors.safety.permissions import as_root
from collectors.safety.sanitize import sanitize

_BLOCK = 64 * 1024
_POLL_S = 0.3
_RANGE = 1 << 60


class FileLog(Interruptible):
    """Reads a regular file in blocks, from any position; follows it through rotation and truncation."""

    def __init__(self, path: str) -> None:
        self.title = sanitize(path)
        self._path = path
        self._stop = threading.Event()
        self._follower: object = None
        """Identifies the current follower, so that an earlier one ends."""
        self._base = 0
        """Added to positions: each file that gets the name has its own range."""
        self._file = -1
        self._file = self._open()

    def last(self, count: int) -> list[LogLine]:
        return self._backwards(os.fstat(self._file).st_size, count)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        offset = self._offset(line)
        return [] if offset is None else self._backwards(offset, count)

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        line_offset = self._offset(line)
        return first_lines(self._forwards(0 if line_offset is None else end_of_line(self._file, line_offset)), count)

    def first(self, count: int) -> list[LogLine]:
        return first_lines(self._forwards(0), count)

    def until(self, wall: float, count: int) -> list[LogLine]:
        raise SourceAbsent(f"the lines of {self.title} have no times")

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        offset = None if line is None else self._offset(line)
        return self._forwards(0 if offset is None else end_of_line(self._file, offset))

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        follower = self._follower = object()
        line_offset = None if line is None else self._offset(line)
        offset = os.fstat(self._file).st_size if line_offset is None else end_of_line(self._file, line_offset)
        splitter = LineSplitter(offset)
        while not self._stop.is_set() and self._follower is follower:
            block = os.pread(self._file, _BLOCK, splitter.offset)
            for start, raw in splitter.feed(block):
                yield self._line(start, raw)
            if not block and not self._stop.wait(_POLL_S) and self._has_changed(splitter.offset):
                splitter = LineSplitter()

    def close(self) -> None:
        self.interrupt()
        self._stop.set()

    def __del__(self) -> None:
        if self._file >= 0:
            os.close(self._file)

    def _open(self) -> int:
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError:
            raise AccessDenied(f"no permission to read {self.title}", as_root()) from None
        except OSError as error:
            raise SourceAbsent(f"the log {self.title} cannot be opened: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise SourceError(f"the log {self.title} is not a regular file")
        return file

    def _has_changed(self, offset: int) -> bool:
        """Return whether the file was truncated or replaced, after moving on to the new one."""
        try:
            named = os.stat(self._path, follow_symlinks=False)
            current = os.fstat(self._file)
            if (named.st_ino, named.st_dev) != (current.st_ino, current.st_dev):
                fresh = self._open()
                os.dup2(fresh, self._file, inheritable=False)
                os.close(fresh)
                self._base += _RANGE
                return True
        except (OSError, SourceError):
            return False  # in the middle of a rotation: the next look decides
        if current.st_size >= offset:
            return False
        self._base += _RANGE
        return True

    def _backwards(self, end: int, count: int) -> list[LogLine]:
        """Return the last lines that end before an offset."""
        lines: list[LogLine] = []
        size, interrupts = 0, self._interrupts
        for start in starts_before(self._file, end):
            if self._interrupts != interrupts:
                break
            lines.append(self._line(start, os.pread(self._file, min(end - start, LONGEST_BYTES), start)))
            size += len(lines[-1].text)
            end = start
            if len(lines) == count or size >= AT_ONCE:
                break
        return lines[::-1]

    def _forwards(self, offset: int) -> Iterator[LogLine]:
        """Yield the lines from an offset to the end of the file; not one that has no end yet."""
        splitter, interrupts = LineSplitter(offset), self._interrupts
        while (block := os.pread(self._file, _BLOCK, splitter.offset)) and self._interrupts == interrupts:
            for start, raw in splitter.feed(block):
                yield self._line(start, raw)

    def _offset(self, line: LogLine) -> int | None:
        """Return the offset of a line in the file; `None` if it was in an earlier file of that name."""
        offset = int(line.position) - self._base
        return offset if offset >= 0 else None

    def _line(self, offset: int, raw: bytes) -> LogLine:
        return LogLine(self._base + offset, None, False, *clean(raw))
