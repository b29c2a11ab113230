"""A real terminal for tests: vmtop on a pty, the screen kept by pyte, every byte kept for searching."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyte
from wcwidth import wcwidth

from tests.helpers.patience import PATIENCE

_BEFORE_MARKS = re.compile("(?=[\u0300-\u036f])")
_ESCAPE_S = 0.3
"""So long after Esc no key makes a sequence with it any more."""
_REST_S = 0.05
"""So long nothing is written at the end of a picture."""
_LONGEST_REST_S = 2.0
TIOCGPTPEER = 0x5441
"""Opens the other end of a pty (ioctl_tty(2)); Python has no name for it."""
_TURN_S = 0.02
"""A slow line is read in pieces of so long."""


class Screen(pyte.Screen):
    """A screen that answers what it is asked, and keeps what follows a mark that it cannot combine; pyte drops it."""

    answer: Callable[[str], None] | None = None

    def write_process_input(self, data: str) -> None:
        if self.answer is not None:
            self.answer(data)

    def draw(self, data: str) -> None:
        kept = "".join(one for one in data if wcwidth(one) or unicodedata.combining(one))
        for part in _BEFORE_MARKS.split(kept) if not kept.isascii() else [kept]:
            is_stray = self.cursor.x == self.columns and any(map(unicodedata.combining, part[:1]))
            if not is_stray:  # for which pyte would begin a new line
                super().draw(part)


class Terminal:
    """Runs a command on a pty of its own.

    Args:
        argv: The command; `vmtop` stands for this checkout's.
        size: Columns and lines.
        environment: Variables set beside the present ones; `None` takes one away.
        bytes_per_s: How fast it reads, as at the end of a slow line.
        is_mute: It does not answer what it is asked, as some do.
    """

    def __init__(
        self,
        argv: Sequence[str],
        size: tuple[int, int] = (120, 40),
        environment: Mapping[str, str | None] | None = None,
        bytes_per_s: float = float("inf"),
        is_mute: bool = False,
    ) -> None:
        columns, lines = size
        self.bytes_per_s = bytes_per_s
        self.screen = Screen(columns, lines)
        self.screen.answer = None if is_mute else self._answer
        self._stream = pyte.ByteStream(self.screen)
        self.received = bytearray()
        self.exit_code: int | None = None
        variables = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environment or {})}
        command = [str(Path(sys.executable).with_name("vmtop")), *argv[1:]] if argv[0] == "vmtop" else list(argv)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            kept = {key: value for key, value in variables.items() if value is not None}
            os.execvpe(command[0], command, kept)  # noqa: S606  # the child of a fork becomes the program under test
        self.resize(columns, lines)
        self.settings = termios.tcgetattr(self.fd)

    def resize(self, columns: int, lines: int) -> None:
        """Set the window's size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.fd, keys.encode())
        if keys == "\x1b":  # with a key that is read with it, it would make a sequence
            self.wait_until_taken()
            self.read(_ESCAPE_S)

    def press_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        os.write(self.fd, data)

    def wait_until_taken(self, seconds: float = 20.0) -> None:
        """Wait until the program has read all that was typed."""
        slave = fcntl.ioctl(self.fd, TIOCGPTPEER, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        deadline = time.monotonic() + PATIENCE * seconds
        try:
            while int.from_bytes(fcntl.ioctl(slave, termios.FIONREAD, bytes(4)), sys.byteorder):
                assert time.monotonic() < deadline, f"it takes no keys:\n{self.text()}"
                self.read(0.02)
        finally:
            os.close(slave)

    def _answer(self, words: str) -> None:
        with contextlib.suppress(OSError):  # whoever asked has gone
            self.press(words)

    def read(self, seconds: float) -> None:
        """Take in what is written for a while, no faster than the line is."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not self.take(left):
                return

    def take(self, seconds: float) -> bool:
        """Take in the next piece as soon as it is written; return whether one came within the time."""
        ready, _, _ = select.select([self.fd], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            chunk = os.read(self.fd, int(min(65536, max(1.0, self.bytes_per_s * _TURN_S))))
        except OSError:
            return False
        self.received += chunk
        self.feed(chunk)
        if self.bytes_per_s < float("inf"):
            time.sleep(len(chunk) / self.bytes_per_s)
        return bool(chunk)

    def feed(self, chunk: bytes) -> None:
        """Show what was received, and answer what is asked in it."""
        self._stream.feed(chunk)

    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(self.line(number) for number in range(self.screen.lines))

    def line(self, number: int) -> str:
        """What one line of the screen shows. pyte's own `display` fails where half of a wide character is left."""
        cells = self.screen.buffer[number]
        return "".join(cells[column].data for column in range(self.screen.columns))

    def wait_for(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Read until a condition holds, and the rest of the picture that made it hold."""
        deadline = time.monotonic() + PATIENCE * seconds
        while not condition():
            is_late = time.monotonic() > deadline
            self.read(0.1)  # also past the deadline: it may have come while this process did not run
            assert not is_late or condition(), f"{what} did not come within {PATIENCE * seconds} s:\n{self.text()}"
        end = time.monotonic() + _LONGEST_REST_S
        while self.take(_REST_S) and time.monotonic() < end:
            pass

    def wait_exit(self, seconds: float = 20.0) -> int:
        """Wait for the end; return the exit code (128 + signal if killed by one)."""
        deadline = time.monotonic() + PATIENCE * seconds
        while time.monotonic() < deadline:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.take(0):
                    pass
                self.exit_code = os.waitstatus_to_exitcode(status)
                return self.exit_code
        raise AssertionError(f"it did not end within {PATIENCE * seconds} s:\n{self.text()}")

    def close(self) -> None:
        """End what still runs."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        os.close(self.fd)


Start = Callable[..., Terminal]
"""Starts vmtop on a pty, with its arguments and the terminal's options."""


def unknown_sequences(received: bytes) -> list[str]:
    """Return what a terminal received beside text and the sequences that vmtop itself has use for.

    Control characters of both kinds (C0 and C1) count, and what turns the direction of writing.
    """
    left = re.sub(rb"\x1b\[[0-9;?<>=$]*[mHJKABCDhlqunctp]", b"", received)
    left = re.sub(rb"\x1b\]22;[a-z-]+\x07", b"", left)  # Textual's pointer shape
    left = left.replace(b"\x1b]11;?\x1b\\", b"")  # which colour its ground has
    text = left.decode("utf-8", "replace")
    return re.findall(
        "\x1b.{0,12}|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069].{0,12}", text
    )
