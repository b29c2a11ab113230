"""A log of which only some lines are read: those that contain a text, or those that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from collectors.model.logs import Interruptible, LineTail, Log, LogLine, is_full

_CHUNK = 1000
_CHUNKS = 5
"""Chunks that are read backwards; if too few lines pass, the log is read in one pass: an engine that can count lines
from the end only would read it again for each chunk."""


class LineFilter(NamedTuple):
    """Which lines pass."""

    needle: str
    """Text that a line must contain, ignoring case."""
    is_inverted: bool = False
    """Whether the lines that contain it are left out instead."""

    @classmethod
    def parse(cls, typed: str) -> LineFilter:
        """Return the filter of what was typed: a text, or `!` and a text, as in less."""
        return cls(typed[1:], True) if typed.startswith("!") and len(typed) > 1 else cls(typed)

    def passes(self, line: LogLine) -> bool:
        """Return whether a line passes."""
        return (self.needle.lower() in line.text.lower()) is not self.is_inverted

    def __str__(self) -> str:
        return f'{"all but" if self.is_inverted else "only"} "{self.needle}"'


class FilteredLog(Interruptible):
    """Reads a log until enough lines pass a filter, or the log ends.

    Args:
        log: The whole log; it is not closed together with this one.
        line_filter: Which lines pass.
        progress: Told how many lines have been read for one call, from the thread of the call.
    """

    def __init__(
        self, log: Log, line_filter: LineFilter, progress: Callable[[int], object] = lambda count: None
    ) -> None:
        self.title = log.title
        self._log = log
        self._filter = line_filter
        self._progress = progress
        self.has_reached_end = False
        """Whether the last call read up to the end of the log in its direction."""

    def first(self, count: int) -> list[LogLine]:
        return self._forward(self._log.first(_CHUNK), count)

    def last(self, count: int) -> list[LogLine]:
        return self._backward(self._log.last(_CHUNK), count, lambda line: False)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        reached = _up_to(line)
        return self._backward(self._log.before(line, _CHUNK), count, reached)

    def until(self, wall: float, count: int) -> list[LogLine]:
        return self._backward(self._log.until(wall, _CHUNK), count, lambda line: (line.at or 0.0) > wall)

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return self._forward(self._log.after(line, _CHUNK), count)

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        return filter(self._filter.passes, self._log.written(line))

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        return filter(self._filter.passes, self._log.follow(line))

    def interrupt(self) -> None:
        super().interrupt()
        self._log.interrupt()

    def close(self) -> None:
        """End the reads under way; the whole log stays open."""
        self.interrupt()

    def _forward(self, chunk: list[LogLine], count: int) -> list[LogLine]:
        """Return the first lines that pass, of a chunk and of those after it."""
        kept: list[LogLine] = []
        read, interrupts = 0, self._interrupts
        while chunk and self._interrupts == interrupts:
            kept += filter(self._filter.passes, chunk)
            if is_full(kept, count):
                break
            read += len(chunk)
            self._progress(read)
            chunk = self._log.after(chunk[-1], _CHUNK)
        self.has_reached_end = not chunk
        return kept[:count]

    def _backward(self, chunk: list[LogLine], count: int, is_beyond: Callable[[LogLine], bool]) -> list[LogLine]:
        """Return the last lines that pass, of a chunk and of those before it."""
        kept: list[LogLine] = []
        read, interrupts = 0, self._interrupts
        for _ in range(_CHUNKS):
            if not chunk or self._interrupts != interrupts:
                break
            kept[:0] = filter(self._filter.passes, chunk)
            if is_full(kept, count):
                break
            read += len(chunk)
            self._progress(read)
            chunk = self._log.before(chunk[0], _CHUNK)
        else:
            return self._last_of_all(count, is_beyond)
        self.has_reached_end = not chunk and self._interrupts == interrupts
        return kept[-count:]

    def _last_of_all(self, count: int, is_beyond: Callable[[LogLine], bool]) -> list[LogLine]:
        """Return the last lines that pass, read in one pass from the beginning up to one that is beyond."""
        kept, interrupts = LineTail(count), self._interrupts
        for read, line in enumerate(_while_not(is_beyond, self._log.written()), 1):
            if read % _CHUNK == 0:
                self._progress(read)
            if self._filter.passes(line):
                kept.add(line)
        self.has_reached_end = not kept.is_full and self._interrupts == interrupts
        return kept.lines


def _up_to(anchor: LogLine) -> Callable[[LogLine], bool]:
    """Return what is true of a line that is read again, whose neighbours may be known less well than before."""
    wanted = _own(anchor)
    return lambda line: _own(line) == wanted


def _own(line: LogLine) -> tuple[object, ...]:
    """Return what identifies a line in its own log: of a merged line, the place in the log that it comes from."""
    return (line.workload, getattr(line.position, "own", line)[:2], line.text)


def _while_not(is_beyond: Callable[[LogLine], bool], lines: Iterable[LogLine]) -> Iterator[LogLine]:
    for line in lines:
        if is_beyond(line):
            return
        yield line
