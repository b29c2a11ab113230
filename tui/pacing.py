"""Whether the terminal takes pictures as fast as they come: behind a slow line none may wait in a row.

Every picture ends with a question to which all terminals know the answer, where the cursor is. As long as the answer
is out, the picture may still be on its way. So a key is never behind more than one picture, also where SSH would store
minutes of them. A terminal that never answers is held to what its writer has not written yet.
"""

from __future__ import annotations

import codecs
import os
import signal
import termios
import time
from functools import partial
from threading import Event, RLock

from textual import events
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

_QUESTION = "\x1b[6n"
"""Device status report (ECMA-48): the cursor's position."""
_PATIENCE_S = 0.15
"""An answer that takes longer means that the line is behind; a good one answers sooner, and loses nothing."""
_LOST_S = 20.0
"""An answer that has not come by then will not come: a terminal was suspended, or a connection moved."""
_MUTE_S = 10.0
"""A terminal that has not answered once by then never does. Until then it is painted once a second: the answer may
be stuck behind pictures, as in an SSH client that reads no key while its own terminal is slow."""
_UNSURE_S = 1.0
_FAREWELL_S = 1.0
"""At the end, for an answer that would else be typed into the shell."""


def _forgiving(encoding: str) -> partial[codecs.IncrementalDecoder]:
    return partial(codecs.getincrementaldecoder(encoding), "replace")


# Textual would end at the first byte typed or pasted that is no UTF-8.
vars(linux_driver)["getincrementaldecoder"] = _forgiving


class Pace:
    """Whether the terminal is behind. Told from two threads: what paints, and what reads."""

    def __init__(self) -> None:
        self._lock = RLock()  # a signal's handler may come while it is held
        self._asked_at: float | None = None
        self._painted_at = 0.0
        self._answered = Event()
        self._answered.set()
        self.answers = 0

    def ask(self) -> bool:
        """Return whether to ask now: not while an answer is out, nor again of one that does not answer."""
        with self._lock:
            now = self._painted_at = time.monotonic()
            if self._asked_at is not None and (not self.answers or now - self._asked_at < _LOST_S):
                return False
            self._asked_at = now
            self._answered.clear()
            return True

    def answer(self) -> None:
        """Take an answer."""
        with self._lock:
            self._asked_at = None
            self.answers += 1
            self._answered.set()

    def forget(self) -> None:
        """Expect no answer any more."""
        with self._lock:
            self._asked_at = None
            self._answered.set()

    def is_behind(self) -> bool:
        """Return whether the last picture is still on its way, as far as can be told."""
        with self._lock:
            if self._asked_at is None:
                return False
            now = time.monotonic()
            out_s = now - self._asked_at
            if self.answers:
                return _PATIENCE_S < out_s < _LOST_S
            return _PATIENCE_S < out_s < _MUTE_S and now - self._painted_at < _UNSURE_S

    def wait(self) -> None:
        """Give an answer that is out a moment to come."""
        with self._lock:
            may_come = self._asked_at is not None and (self.answers or time.monotonic() - self._asked_at < _MUTE_S)
        if may_come:
            self._answered.wait(_FAREWELL_S)


class PacedDriver(LinuxDriver):
    """Textual's driver, which knows whether the terminal is behind."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]  # passed on as they are
        self.pace = Pace()
        self._is_shown = False
        """Whether the terminal is in application mode."""
        self._is_coming_back = False
        self._mode: list[object] | None = None
        """How the terminal was set for the screen."""

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual left it without types
        self._is_shown = self._key_thread is not None and self._key_thread.is_alive()
        self._mode = self._settings()

    def _settings(self) -> list[object] | None:
        try:
            return termios.tcgetattr(self.fileno)
        except termios.error:
            return None

    def stop_application_mode(self) -> None:
        self._is_shown = False
        super().stop_application_mode()

    def _sigcont_application(self, *arguments: object) -> None:
        """Come back after Ctrl-Z, and after a SIGSTOP, during which another program may have had the terminal.

        Textual would start a second reader and a second writer beside those that there are, which never end. systemd
        sends SIGCONT behind a SIGTERM: at the end there is nothing to come back to.
        """
        if self._is_coming_back:
            return
        self._is_coming_back = True
        try:
            if self._is_shown and self._settings() == self._mode:
                signal.raise_signal(signal.SIGWINCH)  # it may have another size, and other text
                return
            if self._is_shown:
                self.suspend_application_mode()
                self._must_signal_resume = True
            if self._must_signal_resume:
                super()._sigcont_application(*arguments)
        finally:
            self._is_coming_back = False

    def is_behind(self) -> bool:
        """Return whether a picture that is painted now would have to wait."""
        writer = self._writer_thread
        return self.pace.is_behind() or (writer is not None and not writer._queue.empty())

    def ask(self) -> None:
        """Ask after a picture."""
        if self.input_tty and self.pace.ask():
            self.write(_QUESTION)

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:  # the terminal has gone, and its signal may come after this
            os.kill(os.getpid(), signal.SIGHUP)

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.CursorPosition):
            self.pace.answer()
        else:
            super().process_message(message)

    def disable_input(self) -> None:
        if not self.exit_event.is_set():
            self.pace.wait()
        super().disable_input()
        self.pace.forget()
