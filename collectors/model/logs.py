"""The interface of a log: lines with a position, read in windows from anywhere, and followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from collectors.safety.sanitize import sanitize

LONGEST = 4096
"""Characters of a line that are kept."""


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
        """Return the last lines, oldest first.

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


def clean(raw: bytes | str) -> str:
    """Sanitize a line of a log; tabs become spaces, and a progress bar's earlier states are dropped."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    text = text.rstrip("\r\n")
    if "\r" in text:
        text = text.rpartition("\r")[2]
    return sanitize(text[: LONGEST * 2].replace("\t", "    "), LONGEST)
