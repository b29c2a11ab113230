"""Moves bytes between a terminal and a console, neither of which can block it.

The console's two streams have a thread each, as a call there may block for ever. Output passes through a bounded
socket, so that a console that floods waits for the terminal; keys wait in a bounded queue for a console that does not
read. The terminal is written to through a non-blocking descriptor.
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
"""Ctrl-], which leaves a console in telnet and virsh too."""
_UNREAD_AT_MOST = 1 << 20
"""Typed bytes that wait for the console, at most; more are lost, and the bell rings."""
_UNSHOWN_AT_MOST = 1 << 16
_CHUNK = 65536
_BELL = b"\x07"
_ENDING_S = 2.0
"""Seconds for an engine to report how the console ended."""

Size = tuple[int, int]


class ConsolePump:
    """One console on one terminal.

    Args:
        console: The console to connect.
        incoming: The terminal's descriptor for keys, set raw.
        terminal: Its descriptor for output, non-blocking.
        on_signals: Called with the numbers of received signals, oldest first; may stop the process and return later.
    """

    def __init__(self, console: Console, incoming: int, terminal: int, on_signals: Callable[[bytes], None]) -> None:
        self._console, self._incoming, self._terminal, self._on_signals = console, incoming, terminal, on_signals
        self._pump_socket, self._console_socket = socket.socketpair()
        self._signals_reading, self._signals_writing = os.pipe()
        os.set_blocking(self._signals_writing, False)
        self._typed: queue.SimpleQueue[bytes | Size | None] = queue.SimpleQueue()
        self._unread = 0
        """Typed bytes that the console has not taken; changed by two threads, and only roughly right."""
        self._unshown = b""
        self._failure = ""
        self._is_over = False

    def signalled(self, number: int) -> None:
        """Take a signal; from any thread."""
        with suppress(BlockingIOError):  # enough signals are waiting
            os.write(self._signals_writing, bytes([number]))

    def run(self, is_ending: Callable[[], bool]) -> str:
        """Go on until either end closes, Ctrl-] is typed or the process is to end; return how it ended.

        Args:
            is_ending: Returns whether a signal has told the process to end.
        """
        for target in (self._listen, self._speak):
            threading.Thread(target=target, name="console", daemon=True).start()
        self._typed.put(self._size())
        try:
            while True:
                ending = self._turn()
                if ending is not None or is_ending():
                    return ending or "vmtop was told to end"
        finally:
            self._is_over = True
            self._typed.put(None)
            self._pump_socket.close()
            os.close(self._signals_reading)
            os.close(self._signals_writing)

    def _turn(self) -> str | None:
        """Wait for something to do, and do it; return how the console ended, if it has."""
        ready = self._wait()
        if self._signals_reading in ready:
            self._on_signals(os.read(self._signals_reading, _CHUNK))
            self._typed.put(self._size())
        if self._terminal in ready and self._unshown:
            self._show()
        if self._pump_socket.fileno() in ready:
            data = self._pump_socket.recv(_CHUNK)
            if not data:
                offer(self._terminal, self._unshown, _ENDING_S)
                return self._failure or self._ending()
            self._unshown += data
            self._show()
        if self._incoming in ready:
            return self._type(take(self._incoming))
        return None

    def _wait(self) -> set[int]:
        poll = select.poll()  # `select` cannot handle descriptors above 1,023
        poll.register(self._incoming, select.POLLIN)
        poll.register(self._signals_reading, select.POLLIN)
        if self._unshown:
            poll.register(self._terminal, select.POLLOUT)
        if len(self._unshown) < _UNSHOWN_AT_MOST:
            poll.register(self._pump_socket, select.POLLIN)
        return {descriptor for descriptor, _ in poll.poll()}

    def _show(self) -> None:
        with suppress(BlockingIOError):
            self._unshown = self._unshown[os.write(self._terminal, self._unshown) :]

    def _type(self, keys: bytes) -> str | None:
        typed, separator, _ = keys.partition(LEAVE)
        if self._unread + len(typed) > _UNREAD_AT_MOST:
            self._unshown += _BELL
        elif typed:
            self._unread += len(typed)
            self._typed.put(typed)
        if not keys:
            SIGNALS.lose_terminal()
            return "the terminal has gone"
        return "the console was left" if separator else None

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
        with self._console_socket:
            try:
                while data := self._console.read():
                    self._console_socket.sendall(data)
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
                    self._console_socket.shutdown(socket.SHUT_RDWR)
                return

    def _fail(self, error: Exception) -> None:
        """Record the error of a console's thread: whatever its library raises, the screen has to come back."""
        if self._is_over:
            return
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
        else:
            log.error("a console failed", exc_info=error)
            reason = f"{type(error).__name__}: {error}"
        self._failure = self._failure or f"the connection was lost: {sanitize(reason)}"
