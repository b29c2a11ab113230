"""A log of which only some lines are read: those that contain a text, or those that do not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from collectors.model.logs import AT_ONCE, Log, LogLine

_CHUNK = 1000


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


class FilteredLog:
    """Reads a log chunk by chunk until enough lines pass a filter, or the log ends.

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
        self._stop = threading.Event()
        self.has_reached_end = False
        """Whether the last call read up to the end of the log in its direction."""

    def last(self, count: int) -> list[LogLine]:
        return self._backward(self._log.last(_CHUNK), count)

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return self._backward(self._log.before(line, _CHUNK), count)

    def until(self, wall: float, count: int) -> list[LogLine]:
        return self._backward(self._log.until(wall, _CHUNK), count)

    def first(self, count: int) -> list[LogLine]:
        return self._forward(self._log.first(_CHUNK), count)

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return self._forward(self._log.after(line, _CHUNK), count)

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        return filter(self._filter.passes, self._log.follow(line))

    def close(self) -> None:
        """End a read that goes on; the whole log stays open."""
        self._stop.set()

    def _forward(self, chunk: list[LogLine], count: int) -> list[LogLine]:
        """Return the first lines that pass, of a chunk and of those after it."""
        kept: list[LogLine] = []
        read = 0
        while chunk and not self._stop.is_set():
            kept += filter(self._filter.passes, chunk)
            if len(kept) >= count or sum(len(line.text) for line in kept) >= AT_ONCE:
                break
            read += len(chunk)
            self._progress(read)
            chunk = self._log.after(chunk[-1], _CHUNK)
        self.has_reached_end = not chunk
        return kept[:count]

    def _backward(self, chunk: list[LogLine], count: int) -> list[LogLine]:
        """Return the last lines that pass, of a chunk and of those before it."""
        kept: list[LogLine] = []
        read = 0
        while chunk and not self._stop.is_set():
            kept[:0] = filter(self._filter.passes, chunk)
            if len(kept) >= count or sum(len(line.text) for line in kept) >= AT_ONCE:
                break
            read += len(chunk)
            self._progress(read)
            chunk = self._log.before(chunk[0], _CHUNK)
        self.has_reached_end = not chunk
        return kept[-count:]
