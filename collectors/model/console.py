"""What a console is for whoever connects a terminal to it."""

from __future__ import annotations

from typing import Protocol


class Console(Protocol):
    """Two streams of bytes. `read` and `write` are raw: whatever the console sends goes to the user's terminal.

    Every call may block, also forever: each stream has a thread of its own. `close` may be called meanwhile.
    """

    title: str
    """What it is, in a few words; inert."""

    def read(self) -> bytes:
        """Return what has come, as soon as something has; empty at the end, and after `close`.

        Raises:
            OSError: The way there broke.
        """

    def write(self, data: bytes) -> None:
        """Send all that was typed; waits for an inside that does not read it.

        Raises:
            OSError: The way there broke.
        """

    def resize(self, columns: int, lines: int) -> None:
        """Tell the inside how large the terminal is."""

    def ending(self) -> str:
        """Say how it ended, after `read` came to the end: `the shell ended with exit code 3`."""

    def close(self) -> None:
        """Release resources. Never raises."""
