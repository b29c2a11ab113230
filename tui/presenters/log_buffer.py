"""A window onto a log of any length: a bounded number of lines around what is looked at. Plain, no Textual."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate

from collectors.model.logs import AT_ONCE, LogLine
from tui.presenters.styled_lines import Line, plain_text, wrapped

CAPACITY = 5000
"""Lines kept; beyond it the far end is dropped, and read again when it is looked at."""
CHUNK = 1000
"""Lines read at once."""
MOST_CHARACTERS = 4 * AT_ONCE
"""Characters of all lines kept; a single line may have more."""
_CHARACTERS_OF_CELL = 5
"""A letter and the most combining marks that `sanitize` leaves on it."""


class LogBuffer:
    """The lines that are held, and whether there may be more at either end."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.has_older = True
        self.has_newer = False

    def start(self, lines: Sequence[LogLine]) -> None:
        """Hold the end of the log."""
        self.lines = list(lines)
        self._drop_older()
        self.has_older, self.has_newer = bool(lines), False

    def append(self, lines: Iterable[LogLine]) -> int:
        """Add newer lines; return how many older ones were dropped for them."""
        self.lines.extend(lines)
        over = self._drop_older()
        if over:
            self.has_older = True
        return over

    def prepend(self, lines: Sequence[LogLine]) -> int:
        """Add older lines; return how many were added."""
        self.has_older = bool(lines)
        self.lines[:0] = lines
        over = _excess(self.lines)
        if over:
            del self.lines[-over:]
            self.has_newer = True
        return len(lines)

    def _drop_older(self) -> int:
        over = _excess(reversed(self.lines))
        del self.lines[:over]
        return over

    def find(self, needle: str, start: int, step: int) -> int | None:
        """Return the next line that contains a text, whatever the case; `None` when the window has none."""
        places = range(start, len(self.lines)) if step > 0 else range(min(start, len(self.lines) - 1), -1, -1)
        wanted = needle.lower()
        return next((place for place in places if wanted in self.lines[place].text.lower()), None)


def _excess(lines: Iterable[LogLine]) -> int:
    """Return how many lines at the end do not fit into the capacity."""
    size = over = 0
    for count, line in enumerate(lines, 1):
        size += len(line.text)
        over += count > CAPACITY or (size > MOST_CHARACTERS and count > 1)
    return over


class FollowQueue:
    """Lines that were followed and wait to be shown. A flood drops the oldest, and says how many."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._lock = threading.Lock()
        self._capacity = capacity
        self._lines: deque[LogLine] = deque()
        self._size = 0
        """Characters of the lines."""
        self._skipped = 0
        self.has_ended = False
        """Whether whoever followed has ended."""
        self.failure = ""
        """Why, if not by itself."""

    def put(self, line: LogLine) -> None:
        """Add a line, from any thread."""
        with self._lock:
            self._lines.append(line)
            self._size += len(line.text)
            while len(self._lines) > self._capacity or (self._size > MOST_CHARACTERS and len(self._lines) > 1):
                self._size -= len(self._lines.popleft().text)
                self._skipped += 1

    def take(self) -> list[LogLine]:
        """Return what has come since the last call; a line in front of it tells what was skipped."""
        with self._lock:
            lines, skipped = list(self._lines), self._skipped
            self._lines.clear()
            self._skipped = self._size = 0
        if skipped and lines:
            first = lines[0]
            lines.insert(0, LogLine(first.position, first.at, True, f"... {skipped} lines came too fast to be shown"))
        return lines


def shown(line: LogLine, stamps: str, width: int, is_wrapped: bool) -> list[Line]:
    """Turn a line into what is painted. `stamps`: empty, `local` or `utc`."""
    text = line.text if is_wrapped else line.text[: width * _CHARACTERS_OF_CELL]
    runs = [(text, "warn" if line.is_error else "plain")]
    if stamps:
        runs.insert(0, (stamp(line.at, stamps) + "  ", "dim"))
    return wrapped(runs, width) if is_wrapped else [runs]


def row_of_match(line: LogLine, rows: Sequence[Line], needle: str) -> int:
    """Return in which of the rows of a wrapped line a text begins, whatever the case; 0 if it is not in the line."""
    ends = list(accumulate(len(plain_text(row)) for row in rows))
    start = ends[-1] - len(line.text) + line.text.lower().find(needle.lower())
    return next((row for row, end in enumerate(ends) if start < end), 0)


def stamp(at: float | None, stamps: str) -> str:
    """Write a time with milliseconds; UTC ends with Z."""
    if at is None:
        return "-" * 23
    if stamps == "utc":
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:23] + "Z"
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) + f".{int(at * 1000) % 1000:03d}"
