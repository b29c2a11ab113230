"""Textual's driver for Linux as vmtop needs it: answers are not keys, the loop handles signals, an end is final."""

from __future__ import annotations

import logging
import os
import select
import signal
import termios
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message

from tui.terminal.flow_control import OutputFlowControl
from tui.terminal.signals import SIGNALS
from tui.terminal.terminal_replies import ESCAPE_S, ReplyFilter, decoded
from tui.terminal.textual_private import (
    IS_AVAILABLE,
    EventParser,
    PrivateDriver,
    driver_of,
    is_known_sequence,
    replace_signal_module,
)
from tui.terminal.tty import put_in_order, take, unhurried

log = logging.getLogger(__name__)

_QUESTION = "\x1b[6n"
"""Device status report (ECMA-48): the cursor's position."""
_BACKGROUND_QUESTION = "\x1b]11;?\x1b\\"
"""The colour of the terminal's ground (xterm's ctlseqs, OSC 11)."""
_ANSWERING_S = 1.0
"""Seconds for which an escape character may be the beginning of an outstanding answer."""
_CHUNK = 4096
_RESCUE_S = 0.2
_GOODBYE = b"\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
"""Undoes what the screen switched on, where that cannot be done in the normal way."""


class _OnTheLoop:
    """Replaces the module `signal` in Textual's driver: the loop does what a handler would do.

    SIGTTOU and SIGTTIN are left to the system, which stops a process that sets its terminal from the background.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(signal, name)

    def signal(self, number: int, handler: Any) -> None:
        if number not in (signal.SIGTTOU, signal.SIGTTIN):
            SIGNALS.on(number, (lambda: handler(number, None)) if callable(handler) else None)


if IS_AVAILABLE:
    replace_signal_module(_OnTheLoop())


def has_answered(app: App[Any]) -> bool:
    """Return whether an app's terminal has ever answered a question."""
    driver = driver_of(app)
    return isinstance(driver, TerminalDriver) and driver.pace.answers > 0


def background_of(app: App[Any]) -> tuple[int, int, int] | None:
    """Return the ground that an app's terminal has answered it has; `None` without an answer."""
    driver = driver_of(app)
    return driver.background if isinstance(driver, TerminalDriver) else None


def ask_background(app: App[Any]) -> bool:
    """Ask an app's terminal for its ground; return whether it can be asked.

    A `BackgroundAnswered` brings the answer, if there is one.
    """
    driver = driver_of(app)
    if not isinstance(driver, TerminalDriver) or not driver.input_tty:
        return False
    driver.write(_BACKGROUND_QUESTION)
    driver.flush()
    return True


class BackgroundAnswered(Message):
    """The terminal has said which colour its ground has."""


class TerminalDriver(PrivateDriver):
    """Textual's driver, which knows whether the terminal is behind."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # passed on as they are
        self.pace = OutputFlowControl()
        self._gathered: list[str] | None = None
        """What was written inside `one_write`; `None` outside."""
        self._is_shown = False
        """Whether the terminal is in application mode."""
        self._mode: list[object] | None = None
        """How the terminal was set for the screen."""
        self.background: tuple[int, int, int] | None = None
        """The terminal's ground as it answered; each part from 0 to 255."""
        self._wake_reading, self._wake = os.pipe()

    def start_application_mode(self) -> None:
        SIGNALS.rescue = self.rescue
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual left it without types
        self._is_shown = self.reader is not None and self.reader.is_alive()
        self._mode = self._settings()

    def stop_application_mode(self) -> None:
        self._is_shown = False
        super().stop_application_mode()

    def close(self) -> None:
        super().close()
        SIGNALS.rescue = None  # the last output has been written

    def _settings(self) -> list[object] | None:
        try:
            return termios.tcgetattr(self.fileno)
        except termios.error:
            return None

    def handle_stop(self) -> None:
        """Give the terminal back and stop, unless a SIGCONT has come since: nothing would wake vmtop then."""
        if not SIGNALS.is_stop_wanted:
            return
        if self.restarts_itself and self._is_shown:
            self.suspend_until_continued()
        if SIGNALS.is_stop_wanted:
            os.kill(os.getpid(), signal.SIGSTOP)

    def handle_continue(self) -> None:
        """Come back after Ctrl-Z, and after a SIGSTOP, during which another program may have had the terminal.

        Textual would start a second reader and a second writer next to the existing ones, which never end. systemd
        sends SIGCONT after SIGTERM: at the end there is nothing to come back to.
        """
        if SIGNALS.code is not None:
            return
        if self._is_shown and self._settings() == self._mode:
            SIGNALS.repaint()  # it may have another size, and other text
            return
        if self._is_shown:
            self.suspend_until_continued()
        if self.is_resume_due:
            super().handle_continue()

    def write(self, data: str) -> None:
        """Write, if there is a terminal to write to: a writer that has ended takes nothing off its queue."""
        if self._gathered is not None:
            self._gathered.append(data)
            return
        writer = self.writer
        if writer is not None and writer.is_alive():
            super().write(data)

    @contextmanager
    def one_write(self) -> Iterator[None]:
        """Write together what is written inside: each write wakes the writer's thread. For the thread that paints."""
        gathered = self._gathered = []
        try:
            yield
        finally:
            self._gathered = None
            self.write("".join(gathered))

    def is_behind(self) -> bool:
        """Return whether a picture painted now would have to wait."""
        return self.pace.is_behind() or self.has_unwritten_output

    def ask(self) -> None:
        """Ask the terminal for an answer after a picture."""
        if self.input_tty and self.pace.ask():
            self.write(_QUESTION)

    def run_input_thread(self) -> None:
        """Read the terminal until the screen is suspended or ends, or the terminal has gone."""
        decode = getincrementaldecoder("utf-8")("surrogateescape").decode
        sieve, parser = ReplyFilter(is_known_sequence), self.new_parser()
        poll = select.poll()  # works for any descriptor
        poll.register(self.fileno, select.POLLIN)
        poll.register(self._wake_reading, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll(ESCAPE_S * 1000 if sieve.is_waiting else None)}
            if self._wake_reading in ready:
                os.read(self._wake_reading, _CHUNK)
                return
            if self.fileno in ready:
                data = take(self.fileno)
                if not data:
                    if self.input_tty:
                        SIGNALS.lose_terminal()
                    return
                for typed in sieve.feed(decoded(decode(data)), time.monotonic()):
                    self._pass(typed, parser)
                if sieve.background not in (None, self.background):
                    self.background = sieve.background
                    self.send_message(BackgroundAnswered())
            elif key := sieve.pause(time.monotonic(), _ANSWERING_S if self.pace.is_answer_out() else ESCAPE_S):
                self._pass(key, parser)

    def _pass(self, typed: str, parser: EventParser) -> None:
        """Turn typed text into events: a run of characters, or one whole sequence."""
        if typed == "\x1b":  # the parser would wait for more
            self.process_message(events.Key("escape", typed))
            return
        for message in parser.feed(typed):
            self.process_message(message)

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.CursorPosition):
            self.pace.answer()
        else:
            super().process_message(message)

    def disable_input(self) -> None:
        reader = self.reader
        if reader is not None and reader.is_alive() and reader is not threading.current_thread():
            if SIGNALS.code is None:
                self.pace.wait()
            os.write(self._wake, b"!")
            reader.join()
        super().disable_input()
        self.pace.forget()

    def rescue(self) -> None:
        """Restore the terminal without waiting for it: output that it has not accepted yet is discarded."""
        with unhurried(self.fileno) as terminal:
            self._end_writing()
            put_in_order(terminal, self.attrs_before, _GOODBYE, _RESCUE_S)

    def _end_writing(self) -> None:
        """Redirect the writer's thread to /dev/null: while it waits for the terminal, no other thread can write."""
        writer = self.writer
        if writer is None or writer.ident is None or not writer.is_alive():
            return
        null_device = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(null_device, writer.fileno())
        signal.pthread_kill(writer.ident, signal.SIGCONT)  # its call is interrupted, and repeated on the new file
