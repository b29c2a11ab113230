"""Lines of a log in the format of the CRI: `TIME STREAM TAG TEXT`. Pure.

The format is the kubelet's (design proposal "CRI: Log management"): an RFC 3339 time, `stdout` or `stderr`, tags
separated by colons, and the text. The runtime cuts a line after 16 KiB or so: each part but the last has the tag `P`
(partial), the last one `F` (full). Parts of the two streams may lie between each other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from collectors.model.logs import LONGEST_BYTES, LogLine, clean

_STREAMS = {b"stdout": False, b"stderr": True}
_PARTS = 256
"""Parts of a line that are joined: 4 MiB of it, of which less is shown."""
_BETWEEN = 8
"""Lines of the other stream that may lie between two parts of a line."""


class Part(NamedTuple):
    """One physical line of a file."""

    offset: int
    at: float | None
    """Seconds since 1970; `None` for a line in another format, which is taken as it is."""
    is_error: bool
    is_partial: bool
    text: bytes


def parse(offset: int, raw: bytes) -> Part:
    """Read a physical line, without its newline, that begins at an offset."""
    fields = raw.split(b" ", 3)
    at = _time(fields[0]) if len(fields) >= 3 and fields[1] in _STREAMS else None
    if at is None:
        return Part(offset, None, False, False, raw)
    is_partial = b"P" in fields[2].split(b":")
    return Part(offset, at, _STREAMS[fields[1]], is_partial, fields[3] if len(fields) > 3 else b"")


def _time(text: bytes) -> float | None:
    try:
        moment = datetime.fromisoformat(text.decode("ascii"))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None


class Joiner:
    """Joins parts into lines, in the order in which the lines end. The position of a line is that of its last part."""

    def __init__(self) -> None:
        self._parts: dict[bool, list[Part]] = {False: [], True: []}

    def begin_amid(self, parts: Iterable[Part]) -> None:
        """Take the parts before the first one, last one first, as far as they belong to lines that have not ended."""
        source, window = iter(parts), deque[Part]()
        self._parts = {is_error: _take_line(source, window, is_error) for is_error in (False, True)}

    def add(self, part: Part) -> LogLine | None:
        """Take the next part; return the line that it ends."""
        parts = self._parts[part.is_error]
        if len(parts) < _PARTS:
            parts.append(part)
        else:
            parts[-1] = part
        if part.is_partial:
            return None
        self._parts[part.is_error] = []
        return line(parts)


def lines_backwards(parts: Iterable[Part]) -> Iterator[LogLine]:
    """Yield the lines of parts that come last one first: last line first, in the order in which the lines end.

    Parts of a line that does not end among them are left out.
    """
    source, window = iter(parts), deque[Part]()
    for is_error in (False, True):
        _take_line(source, window, is_error)
    while (last := window.popleft() if window else next(source, None)) is not None:
        yield line([*_take_line(source, window, last.is_error), last])


def _take_line(source: Iterator[Part], window: deque[Part], is_error: bool) -> list[Part]:
    """Take the partial parts of a stream from the front of what is left, up to a part that ends another line of it."""
    taken: list[Part] = []
    others: list[Part] = []
    while len(others) <= _BETWEEN and len(taken) < _PARTS:
        part = window.popleft() if window else next(source, None)
        if part is None:
            break
        if part.is_error is is_error and part.is_partial:
            taken.append(part)
            continue
        others.append(part)
        if part.is_error is is_error:
            break
    window.extendleft(reversed(others))
    return taken[::-1]


def line(parts: list[Part]) -> LogLine:
    """Return the line that parts are, first part first; its time is that of its first part."""
    text = parts[0].text if len(parts) == 1 else b"".join(part.text for part in parts)[:LONGEST_BYTES]
    shown, colours = clean(text)
    return LogLine(parts[-1].offset, parts[0].at, parts[0].is_error, shown, colours)
