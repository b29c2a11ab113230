"""The interface of a log: lines with a position, read in windows from anywhere, and followed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from collectors.model.log_colours import Span, cut_spans, split_colours
from collectors.safety.sanitize import sanitize

LONGEST = 64 * 1024
"""Characters of a line that are kept; an ellipsis shows the cut."""
LONGEST_BYTES = 4 * LONGEST
"""Bytes of a line that are read: in UTF-8 a character has up to four."""
_MOST_MOVED, _LONGEST_MOVED = 16, 4096
"""Coloured parts that are kept of a line whose characters moved when it was sanitized, and characters of such a line:
a longer one has no colours."""
AT_ONCE = 1 << 20
"""Characters after which `Log.last`, `before` and `after` return fewer lines than asked for."""


class LogLine(NamedTuple):
    """One line."""

    position: Any
    """Its position in its log; only the log itself interprets it."""
    at: float | None
    """Wall time, seconds since 1970; `None` where the log has none."""
    is_error: bool
    """Whether it was written to the standard error, or with a priority of error or worse."""
    text: str
    """Sanitized text, without its line end."""
    colours: tuple[Span, ...] = ()
    """The coloured parts of the text, as the program chose them."""
    workload: int = 0
    """Index of the workload that wrote it, where the logs of several are merged."""


class Log(Protocol):
    """A log of any length. All calls block; they are made one at a time, apart from `follow` and `interrupt`."""

    title: str
    """What is read: a file's path, the journal, the engine."""

    def last(self, count: int) -> list[LogLine]:
        """Return the last lines, oldest first: `count`, or fewer that have `AT_ONCE` characters.

        Raises:
            SourceError: It cannot be read.
        """

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        """Return the lines just before a line, oldest first; none at the beginning. Raises as `last`."""

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        """Return the lines just after a line, oldest first; none at the end. Raises as `last`."""

    def first(self, count: int) -> list[LogLine]:
        """Return the first lines, oldest first. Raises as `last`."""

    def until(self, wall: float, count: int) -> list[LogLine]:
        """Return the last lines that were written at or before a wall time, oldest first; none if it began later.

        Raises:
            SourceError: It cannot be read, or its lines have no times.
        """

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        """Yield what is there now after a line (`None`: from the beginning), oldest first, in one pass.

        Raises as `last`.
        """

    def interrupt(self) -> None:
        """End the reads under way, from any thread: they return what they have. `follow` goes on."""

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        """Yield what is written after a line (`None`: from now on), until `close` or the next `follow`.

        It also ends when the engine ends it, such as with the container. Raises as `last`.
        """

    def close(self) -> None:
        """End `follow`, from any thread, and release resources."""


class Interruptible:
    """A log whose reads look at a counter as they go on."""

    _interrupts = 0
    """How often reads were interrupted: one that began earlier ends."""

    def interrupt(self) -> None:
        """End the reads under way, from any thread."""
        self._interrupts += 1


class LineTail:
    """The last lines of those that are added: at most `count`, and of at most `AT_ONCE` characters or one line."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lines: deque[LogLine] = deque()
        self._size = 0
        self.is_full = False
        """Whether another line would push one out, or has."""

    def add(self, line: LogLine) -> None:
        """Add a line; those before it that no longer fit are dropped."""
        self._lines.append(line)
        self._size += len(line.text)
        while len(self._lines) > self._count or (self._size > AT_ONCE and len(self._lines) > 1):
            self._size -= len(self._lines.popleft().text)
            self.is_full = True
        self.is_full = self.is_full or len(self._lines) == self._count

    @property
    def lines(self) -> list[LogLine]:
        """Oldest first."""
        return list(self._lines)


def is_full(lines: list[LogLine], count: int) -> bool:
    """Return whether a log gave as many lines as it gives at once for `count`, so that it may have more."""
    return len(lines) >= count or sum(len(line.text) for line in lines) >= AT_ONCE


def last_lines(lines: Iterable[LogLine], count: int) -> list[LogLine]:
    """Return the last lines as `LineTail` keeps them."""
    tail = LineTail(count)
    for line in lines:
        tail.add(line)
    return tail.lines


def first_lines(lines: Iterable[LogLine], count: int) -> list[LogLine]:
    """Return the first lines: `count`, or fewer that have `AT_ONCE` characters. Takes no more than these."""
    first: list[LogLine] = []
    size = 0
    for line in lines:
        first.append(line)
        size += len(line.text)
        if len(first) == count or size >= AT_ONCE:
            break
    return first


def clean(raw: bytes | str) -> tuple[str, tuple[Span, ...]]:
    """Sanitize a line of a log; return its text and the coloured parts of it.

    Tabs become spaces, and of a progress bar only the last state is kept. Any escape sequence that is not a colour
    stays visible, with U+FFFD in place of its escape character.
    """
    line = raw[:LONGEST_BYTES].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[:LONGEST_BYTES]
    line = line.replace("\t", "    ")
    spans: tuple[Span, ...] = ()
    if "\x1b" in line or "\x9b" in line:
        line, spans = split_colours(line)
    line = line.rstrip("\r\n")
    start = line.rfind("\r") + 1
    line = line[start : start + LONGEST * 2]
    text = sanitize(line, LONGEST)
    return text, _moved(cut_spans(spans, start, start + len(line)), line, text)


def _moved(spans: tuple[Span, ...], line: str, text: str) -> tuple[Span, ...]:
    """Return the spans of a line in its sanitized text, which may be shorter."""
    if not spans or len(line) == len(text):
        return spans
    if line.startswith(text[:-1]):  # only its end was cut
        return cut_spans(spans, 0, len(text))
    if len(line) > _LONGEST_MOVED:
        return ()
    edges = {edge: min(len(text), len(sanitize(line[:edge], LONGEST))) for edge in _edges(spans[:_MOST_MOVED])}
    moved = (span._replace(start=edges[span.start], end=edges[span.end]) for span in spans[:_MOST_MOVED])
    return tuple(span for span in moved if span.end > span.start)


def _edges(spans: Iterable[Span]) -> set[int]:
    return {edge for span in spans for edge in (span.start, span.end)}
