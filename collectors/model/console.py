"""The interface of a console, for connecting a terminal to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Console(Protocol):
    """Two streams of bytes. `read` and `write` are raw: everything the console sends goes to the user's terminal.

    Every call may block, even forever: each stream has its own thread. `close` may be called at any time.
    """

    title: str
    """A short description, sanitized."""
    exit_code: int | None
    """Exit code of the program in it, after `ending`; `None` where it is not known."""

    def read(self) -> bytes:
        """Return the next bytes as soon as there are any; empty at the end, and after `close`.

        Raises:
            OSError: The connection broke.
        """

    def write(self, data: bytes) -> None:
        """Send all of the typed bytes; blocks while the program in the console does not read them.

        Raises:
            OSError: The connection broke.
        """

    def resize(self, columns: int, lines: int) -> None:
        """Set the size of the terminal for the program in the console."""

    def ending(self) -> str:
        """Return how it ended, after `read` came to the end: `the shell ended with exit code 3`."""

    def close(self) -> None:
        """Release resources. Never raises."""


class RunningCommand(Protocol):
    """A command that runs in a workload without a terminal and without input. Calls may block."""

    def output(self) -> Iterator[tuple[bool, bytes]]:
        """Yield what it writes, as it comes: whether it is of its standard error, and the bytes, which are raw.

        Raises:
            SourceError: The connection broke.
        """

    def exit_code(self) -> int:
        """Return its exit code, after `output` has ended.

        Raises:
            SourceError: It cannot be read.
        """

    def close(self) -> None:
        """Release resources. Never raises."""
