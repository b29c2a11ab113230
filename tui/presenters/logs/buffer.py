"""A window onto a log of any length: a bounded number of lines around the visible ones. Plain, no Textual."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Sequence

from collectors.model.logs import AT_ONCE, LogLine

CAPACITY = 5000
"""Lines kept; beyond it the far end is dropped, and read again when it is scrolled to."""
CHUNK = 1000
"""Lines read at once."""
MOST_CHARACTERS = AT_ONCE
"""Characters of all lines kept; a single line may have more."""


class LogBuffer:
    """The lines in memory, and whether there may be more at either end."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.has_older = True
        self.has_newer = False

    def start(self, lines: Sequence[LogLine]) -> None:
        """Start with the newest lines of the log."""
        self.lines = list(lines)
        self._drop_older()
        self.has_older, self.has_newer = bool(lines), False

    def start_at(self, lines: Sequence[LogLine], has_older: bool) -> None:
        """Start in the middle or at the beginning: there may be newer lines."""
        self.lines = list(lines)
        self.has_older, self.has_newer = has_older, True

    def append(self, lines: Iterable[LogLine]) -> int:
        """Add newer lines; return how many older ones were dropped for them."""
        self.lines.extend(lines)
        excess = self._drop_older()
        if excess:
            self.has_older = True
        return excess

    def prepend(self, lines: Sequence[LogLine]) -> int:
        """Add older lines; return how many were added."""
        self.has_older = bool(lines)
        self.lines[:0] = lines
        excess = _excess_count(self.lines)
        if excess:
            del self.lines[-excess:]
            self.has_newer = True
        return len(lines)

    def _drop_older(self) -> int:
        excess = _excess_count(reversed(self.lines))
        del self.lines[:excess]
        return excess

    def find(self, needle: str, start: int, step: int) -> int | None:
        """Return the index of the next line that contains a text, ignoring case; `None` if there is none."""
        indices = range(start, len(self.lines)) if step > 0 else range(min(start, len(self.lines) - 1), -1, -1)
        lower_needle = needle.lower()
        return next((index for index in indices if lower_needle in self.lines[index].text.lower()), None)

    def matches(self, needle: str, index: int) -> tuple[int, int]:
        """Return which of the matching lines the one at an index is, from 1, and how many there are in memory."""
        lower_needle = needle.lower()
        matching = [place for place, line in enumerate(self.lines) if lower_needle in line.text.lower()]
        return sum(place <= index for place in matching), len(matching)


def _excess_count(lines: Iterable[LogLine]) -> int:
    """Return how many lines at the end do not fit into the capacity."""
    size = excess = 0
    for count, line in enumerate(lines, 1):
        size += len(line.text)
        excess += count > CAPACITY or (size > MOST_CHARACTERS and count > 1)
    return excess


class FollowQueue:
    """New lines of a followed log that wait to be shown. A flood drops the oldest and counts them."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._lock = threading.Lock()
        self._capacity = capacity
        self._lines: deque[LogLine] = deque()
        self._size = 0
        """Characters of the lines."""
        self._skipped = 0
        self.has_ended = False
        """Whether following has ended."""
        self.failure = ""
        """Why following failed; empty if it ended by itself."""

    def put(self, line: LogLine) -> None:
        """Add a line, from any thread."""
        with self._lock:
            self._lines.append(line)
            self._size += len(line.text)
            while len(self._lines) > self._capacity or (self._size > MOST_CHARACTERS and len(self._lines) > 1):
                self._size -= len(self._lines.popleft().text)
                self._skipped += 1

    def take(self) -> list[LogLine]:
        """Return the lines since the last call, after a line with the number of skipped ones if there are any."""
        with self._lock:
            lines, skipped = list(self._lines), self._skipped
            self._lines.clear()
            self._skipped = self._size = 0
        if skipped and lines:
            first_line = lines[0]
            lines.insert(
                0, LogLine(first_line.position, first_line.at, True, f"... {skipped} lines came too fast to be shown")
            )
        return lines
