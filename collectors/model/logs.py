"""The interface of a log: lines with a position, read in windows from anywhere, and followed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from collectors.safety.sanitize import sanitize

LONGEST = 64 * 1024
"""Characters of a line that are kept; an ellipsis shows the cut."""
LONGEST_BYTES = 4 * LONGEST
"""Bytes of a line that are read: in UTF-8 a character has up to four."""
AT_ONCE = 1 << 20
"""Characters after which `Log.last`, `before` and `after` return fewer lines than asked for."""

_COLOURS = re.compile(r"\x1b\(B|(?:\x1b\[|\x9b)(?:[0-9;:]*(?:m|$)|[0-2]?K)")
"""SGR sequences (ECMA-48, 8.3.117), and what programs send along with them: the erasure to the end of the line (grep,
gcc) and the ASCII character set (`tput sgr0`). Also the beginning of a sequence at the end of a line that was cut."""


class LogLine(NamedTuple):
    """One line."""

    position: int | str
    """Its position in its log; only the log itself interprets it."""
    at: float | None
    """Wall time, seconds since 1970; `None` where the log has none."""
    is_error: bool
    """Whether it was written to the standard error, or with a priority of error or worse."""
    text: str
    """Sanitized text, without its line end."""


class Log(Protocol):
    """A log of any length. All calls block; each is made on its own thread, one at a time apart from `follow`."""

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

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        """Yield what is written after a line (`None`: from now on), until `close` or the next `follow`.

        It also ends when the engine ends it, such as with the container. Raises as `last`.
        """

    def close(self) -> None:
        """End `follow`, from any thread, and release resources."""


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


def clean(raw: bytes | str) -> str:
    """Sanitize a line of a log.

    Colours are dropped, tabs become spaces, and of a progress bar only the last state is kept. Any other escape
    sequence stays visible, with U+FFFD in place of its escape character.
    """
    text = raw[:LONGEST_BYTES].decode("utf-8", "replace") if isinstance(raw, bytes) else raw[:LONGEST_BYTES]
    if "\x1b" in text or "\x9b" in text:
        text = _COLOURS.sub("", text)
    text = text.rstrip("\r\n")
    if "\r" in text:
        text = text.rpartition("\r")[2]
    return sanitize(text[: LONGEST * 2].replace("\t", "    "), LONGEST)
