"""What a console is for whoever connects a terminal to it."""

from __future__ import annotations

from typing import Protocol


class Console(Protocol):
    """Two streams of bytes. `read` and `write` are raw: whatever the inside sends goes to the person's terminal."""

    title: str
    """What it is, in a few words; inert."""

    def fileno(self) -> int:
        """Return a descriptor that is readable when `read` has something."""

    def read(self) -> bytes:
        """Return what has come; empty at the end. Raises OSError when the way there broke."""

    def write(self, data: bytes) -> None:
        """Send what was typed. Raises OSError when the way there broke."""

    def resize(self, columns: int, lines: int) -> None:
        """Tell the inside how large the terminal is."""

    def ending(self) -> str:
        """Say how it ended, after `read` came to the end: `the shell ended with exit code 3`."""

    def close(self) -> None:
        """Let go. Does not raise."""
