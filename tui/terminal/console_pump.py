"""Moves bytes between a terminal and a console, neither of which can hold it up.

The console's two streams have a thread each, as a call there may wait for ever. What comes from it passes through a
socket of bounded size, so that an inside that pours waits for the terminal; what is typed waits in a queue of bounded
size for an inside that does not read. The terminal is written to through a descriptor that does not wait.
"""

from __future__ import annotations

import logging
import os
import queue
import select
import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from collectors.model.console import Console
from collectors.model.errors import SourceError
from collectors.safety.sanitize import sanitize
from collectors.sampling.timeout import call_with_timeout
from tui.terminal.signals import SIGNALS
from tui.terminal.tty import offer, take

log = logging.getLogger(__name__)

LEAVE = b"\x1d"
"""Ctrl-]: telnet's and virsh's way out."""
_UNREAD_AT_MOST = 1 << 20
"""Typed bytes that wait for the inside; what comes beyond them is lost, and the bell tells."""
_UNSHOWN_AT_MOST = 1 << 16
_CHUNK = 65536
_BELL = b"\x07"
_ENDING_S = 2.0
"""For an engine to say how the console ended."""

Size = tuple[int, int]


class ConsolePump:
    """One console on one terminal.

    Args:
        console: Where to.
        incoming: The terminal's descriptor for keys, set raw.
        terminal: Its descriptor for output, which does not wait.
        heed: Called with the numbers of signals that came, oldest first; may stop the process and return later.
    """

    def __init__(self, console: Console, incoming: int, terminal: int, heed: Callable[[bytes], None]) -> None:
        self._console, self._incoming, self._terminal, self._heed = console, incoming, terminal, heed
        self._ours, self._theirs = socket.socketpair()
        self._noted, self._note = os.pipe()
        os.set_blocking(self._note, False)
        self._typed: queue.SimpleQueue[bytes | Size | None] = queue.SimpleQueue()
        self._unread = 0
        """Typed bytes that the console has not taken; changed by two threads, and only roughly right."""
        self._unshown = b""
        self._failure = ""
        self._is_left = False

    def signalled(self, number: int) -> None:
        """Take a signal; from any thread."""
        with suppress(BlockingIOError):  # enough of them are waiting
            os.write(self._note, bytes([number]))

    def run(self, is_ending: Callable[[], bool]) -> str:
        """Go on until either end closes, Ctrl-] is typed or the process is to end; return how it ended.

        Args:
            is_ending: Whether a signal told the process to end.
        """
        for work in (self._listen, self._speak):
            threading.Thread(target=work, name="console", daemon=True).start()
        self._typed.put(self._size())
        try:
            while True:
                how = self._turn()
                if how is not None or is_ending():
                    return how or "vmtop was told to end"
        finally:
            self._is_left = True
            self._typed.put(None)
            self._ours.close()
            os.close(self._noted)
            os.close(self._note)

    def _turn(self) -> str | None:
        """Wait for something to do, and do it; return how the console ended, if it has."""
        ready = self._wait()
        if self._noted in ready:
            self._heed(os.read(self._noted, _CHUNK))
            self._typed.put(self._size())
        if self._terminal in ready and self._unshown:
            self._show()
        if self._ours.fileno() in ready:
            data = self._ours.recv(_CHUNK)
            if not data:
                offer(self._terminal, self._unshown, _ENDING_S)
                return self._failure or self._ending()
            self._unshown += data
            self._show()
        if self._incoming in ready:
            return self._type(take(self._incoming))
        return None

    def _wait(self) -> set[int]:
        poll = select.poll()  # `select` knows no descriptor above 1,023
        poll.register(self._incoming, select.POLLIN)
        poll.register(self._noted, select.POLLIN)
        if self._unshown:
            poll.register(self._terminal, select.POLLOUT)
        if len(self._unshown) < _UNSHOWN_AT_MOST:
            poll.register(self._ours, select.POLLIN)
        return {descriptor for descriptor, _ in poll.poll()}

    def _show(self) -> None:
        with suppress(BlockingIOError):
            self._unshown = self._unshown[os.write(self._terminal, self._unshown) :]

    def _type(self, keys: bytes) -> str | None:
        before, leave, _ = keys.partition(LEAVE)
        if self._unread + len(before) > _UNREAD_AT_MOST:
            self._unshown += _BELL
        elif before:
            self._unread += len(before)
            self._typed.put(before)
        if not keys:
            SIGNALS.lose_terminal()
            return "the terminal has gone"
        return "the console was left" if leave else None

    def _size(self) -> Size:
        try:
            size = os.get_terminal_size(self._terminal)
        except OSError:
            size = shutil.get_terminal_size()
        return size.columns, size.lines

    def _ending(self) -> str:
        try:
            return call_with_timeout(_ENDING_S, self._console.ending)
        except SourceError as error:
            return f"the console ended; {error.reason}"

    def _listen(self) -> None:
        """Pass on what the console sends, on a thread of its own."""
        with self._theirs:
            try:
                while data := self._console.read():
                    self._theirs.sendall(data)
            except Exception as error:
                self._fail(error)

    def _speak(self) -> None:
        """Pass on what was typed, and the terminal's size, on a thread of its own."""
        while (item := self._typed.get()) is not None:
            try:
                if isinstance(item, bytes):
                    self._console.write(item)
                    self._unread -= len(item)
                else:
                    self._console.resize(*item)
            except Exception as error:
                self._fail(error)
                with suppress(OSError):  # it is closed already
                    self._theirs.shutdown(socket.SHUT_RDWR)
                return

    def _fail(self, error: Exception) -> None:
        """Take what a console's thread ended with: whatever its library throws, the screen has to come back."""
        if self._is_left:
            return
        if isinstance(error, OSError):
            said = error.strerror or str(error)
        else:
            log.error("a console failed", exc_info=error)
            said = f"{type(error).__name__}: {error}"
        self._failure = self._failure or f"the connection was lost: {sanitize(said)}"
