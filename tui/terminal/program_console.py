"""A program of this host on a terminal of its own, which vmtop shows as it shows a shell in a container."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

from collectors.safety.sanitize import sanitize
from tui.terminal.program_end import ending_words

_CHUNK = 65536
_FULL_SCREEN = b"\x1b[?1049h"
_END_S = 2.0


class ProgramConsole:
    """A program on a terminal of its own.

    What it has printed can be read before the screen comes back: a key is waited for, unless it used the whole screen.

    Args:
        arguments: The program and its arguments. No shell is involved.
        environment: Its environment.
        title: A short description, sanitized.

    Raises:
        OSError: No terminal can be had, or no process.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], title: str) -> None:
        self.title = title
        self.exit_code: int | None = None
        """Its exit code, negative for a signal; `None` while it runs, and if it was left running."""
        self._is_full_screen = False
        self._is_told = False
        self._key = threading.Event()
        self._tail = b""
        self._terminal, its_terminal = pty.openpty()
        try:
            self._process = subprocess.Popen(  # noqa: S603  # the caller's words, without a shell
                ["setsid", "--ctty", *arguments],  # noqa: S607  # from the path of the user, as what is run
                stdin=its_terminal,
                stdout=its_terminal,
                stderr=its_terminal,
                env=dict(environment),
            )
        except OSError:
            os.close(self._terminal)
            raise
        finally:
            os.close(its_terminal)

    def read(self) -> bytes:
        """Return what it prints; after its end a line that says so, and then, once a key was pressed, nothing."""
        if not self._is_told:
            with suppress(OSError):  # EIO: nothing has its terminal open any more
                if data := os.read(self._terminal, _CHUNK):
                    self._is_full_screen |= _FULL_SCREEN in self._tail + data
                    self._tail = data[-len(_FULL_SCREEN) :]
                    return data
            self._is_told = True
            if not self._is_full_screen and not self._key.is_set():
                return f"\r\nvmtop: {sanitize(self.ending())}; any key comes back\r\n".encode("utf-8", "replace")
        if not self._is_full_screen:
            self._key.wait()
        return b""

    def write(self, data: bytes) -> None:
        if self._is_told:
            self._key.set()
            return
        while data:
            data = data[os.write(self._terminal, data) :]

    def resize(self, columns: int, lines: int) -> None:
        with suppress(OSError):  # it has ended
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def ending(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.exit_code = self._process.wait(_END_S)
        return ending_words(self.exit_code)

    def close(self) -> None:
        """Hang up, as a closed terminal does; end what does not heed that."""
        self._key.set()
        with suppress(OSError):
            os.close(self._terminal)
        for number in (signal.SIGHUP, signal.SIGKILL):
            if self._process.poll() is None:
                try:
                    os.killpg(self._process.pid, number)
                except ProcessLookupError:  # it leads no session yet
                    self._process.send_signal(number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_END_S / 2)
