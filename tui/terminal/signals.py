"""The event loop acts on signals; the end of the process needs neither the loop nor the terminal.

A handler that runs between two byte codes may find a lock held by what it interrupted, so none does anything here: the
interpreter writes the signal's number into a pipe (`signal.set_wakeup_fd`), and a thread of its own reads it there. It
passes the number on to the current owner of the terminal, and enforces a deadline once the process was told to end: a
loop that waits for a terminal which is not read does not delay the end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from types import FrameType
from typing import Any

log = logging.getLogger(__name__)

ENDING: Mapping[int, int] = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGQUIT: 131, signal.SIGINT: 130}
"""The signals that end a screen, and the exit code then."""
IN_ORDER_S = 1.2
"""Seconds for a regular end; after that, the rest is done without the loop and the terminal."""
_STEP_S = 0.3
"""Seconds for each step of a forced end, unless it is given more."""
_PAIR_S = 0.2
"""Two different signals within this many seconds count as one: systemd sends SIGHUP after SIGTERM."""
_GONE = 0
"""Stands in the pipe for a terminal that has gone; its signal may be ignored."""
_ONCE = frozenset({signal.SIGWINCH, signal.SIGCONT})
"""Signals that are queued for the loop only once until it has acted."""

Act = Callable[[], object]


def _noted(number: int, frame: FrameType | None) -> None:
    """Do nothing: the interpreter has written the number into the pipe already."""


class Signals:
    """The signals of this process, within `listening`. Their acts may be set before."""

    def __init__(self) -> None:
        self.code: int | None = None
        """The exit code, once the process was told to end."""
        self.is_stop_wanted = False
        """Whether the newest of SIGTSTP and SIGCONT was SIGTSTP."""
        self.end_in_order: Callable[[int], object] | None = None
        """Called on the loop with the exit code."""
        self.last_steps: list[tuple[Act, float]] = []
        """What has to be done before the process ends, even if its loop hangs, each with its seconds."""
        self.rescue: Act | None = None
        """Restores the terminal without waiting for it."""
        self._acts: dict[int, Act] = {}
        self._pending: set[int] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context: Context | None = None
        """The context of the loop, in which Textual finds its application."""
        self._receiver: Callable[[int], object] | None = None
        self._codes: dict[int, int] = {}
        self._previous_handlers: dict[int, Any] = {}
        self._reading = self._writing = -1
        self._is_over = threading.Event()
        self._leaving = threading.Lock()
        """Held while another thread ends the process; that may unblock the main thread, which then must wait."""
        self._first_ending: tuple[int, float] = (0, 0.0)
        self._deadline = float("inf")

    @property
    def is_listening(self) -> bool:
        return self._reading >= 0

    @contextmanager
    def listening(self, codes: Mapping[int, int]) -> Iterator[None]:
        """Take the signals of this process; only the main thread may. Within another such block it does nothing.

        Args:
            codes: Which ones end the process, each with its exit code. One that is ignored, as by nohup, stays so.
        """
        if self.is_listening:
            yield
            return
        self.code, self._deadline = None, float("inf")
        self._is_over.clear()
        ending_codes = {number: code for number, code in codes.items() if signal.getsignal(number) != signal.SIG_IGN}
        self._codes = {**ending_codes, _GONE: codes[signal.SIGHUP]}
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        threading.Thread(target=self._watch, args=(self._reading,), name="signals", daemon=True).start()
        wakeup = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in (*ending_codes, *self._acts):
            self._take_over(number)
        try:
            yield
        finally:
            with self._leaving:
                self._is_over.set()
            for number, handler in self._previous_handlers.items():
                signal.signal(number, handler)
            self._previous_handlers.clear()
            signal.set_wakeup_fd(wakeup)
            os.close(self._writing)  # which ends the thread
            self._reading = self._writing = -1
            self._loop = None
            self.last_steps.clear()

    def _take_over(self, number: int) -> None:
        previous_handler = signal.signal(number, _noted)
        self._previous_handlers.setdefault(number, previous_handler)

    def on(self, number: int, act: Act | None) -> None:
        """Have the loop do something at a signal; `None` gives the signal back to the system."""
        if act is not None:
            self._acts[number] = act
        else:
            self._acts.pop(number, None)
        if self.is_listening and act is not None:
            self._take_over(number)
        elif self.is_listening:
            signal.signal(number, signal.SIG_DFL)

    def serve(self, loop: asyncio.AbstractEventLoop, end_in_order: Callable[[int], object]) -> None:
        """Set the loop that acts, and how it ends. An end that was requested before starts now."""
        self.end_in_order, self._loop, self._context = end_in_order, loop, copy_context()
        if self.code is not None:
            end_in_order(self.code)

    @contextmanager
    def handed_to(self, receiver: Callable[[int], object], others: Sequence[int] = ()) -> Iterator[None]:
        """Inside, pass every signal to a receiver, on the signal thread: the loop is blocked.

        Args:
            receiver: Takes the signal's number.
            others: Signals that it wants in addition to those that end the process and those that the loop acts on.
        """
        added_numbers = [number for number in others if self.is_listening and number not in self._acts]
        for number in added_numbers:
            self._take_over(number)
        self._receiver = receiver
        try:
            yield
        finally:
            self._receiver = None
            for number in added_numbers:
                signal.signal(number, signal.SIG_DFL)
            if self.code is not None:
                self._pass_on(_GONE)

    def lose_terminal(self) -> None:
        """End as at SIGHUP, which may come late or be ignored; from any thread."""
        self._send(_GONE)

    def repaint(self) -> None:
        """Act as if the terminal had changed its size."""
        self._send(signal.SIGWINCH)

    def _send(self, number: int) -> None:
        if self.is_listening:
            with suppress(BlockingIOError):  # enough signals are waiting
                os.write(self._writing, bytes([number]))

    def _watch(self, reading: int) -> None:
        try:
            self._heed(reading)
        finally:
            os.close(reading)

    def _heed(self, reading: int) -> None:
        # This thread may set the terminal from the background, where others would be stopped.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        while True:
            left_s = self._deadline - time.monotonic()
            if left_s <= 0:
                self._leave()
                return
            if poll.poll(None if left_s == float("inf") else left_s * 1000):
                numbers = os.read(reading, 65536)
                for number in numbers:
                    self._take(number)
                if not numbers:
                    return

    def _take(self, number: int) -> None:
        if number == signal.SIGTSTP:
            self.is_stop_wanted = True
        elif number == signal.SIGCONT:
            self.is_stop_wanted = False
        if number not in self._codes:
            self._pass_on(number)
            return
        now = time.monotonic()
        first_number, first_at = self._first_ending
        if self.code is None:
            self.code = self._codes[number]
            self._first_ending, self._deadline = (number, now), now + IN_ORDER_S
            self._pass_on(number)
        elif number == first_number or now - first_at > _PAIR_S:
            self._deadline = now

    def _pass_on(self, number: int) -> None:
        receiver = self._receiver
        if receiver is not None:
            receiver(number)
        elif self._loop is not None and not (number in _ONCE and number in self._pending):
            self._pending.add(number)
            with suppress(RuntimeError):  # the loop is closed: what follows ends by itself, or by the deadline
                self._loop.call_soon_threadsafe(self._act, number, context=self._context)

    def _act(self, number: int) -> None:
        """Act on a signal, on the loop."""
        self._pending.discard(number)
        if self.code is not None and number in self._codes:
            if self.end_in_order is not None:
                self.end_in_order(self.code)
        elif (act := self._acts.get(number)) is not None:
            act()

    def _leave(self) -> None:
        """End the process now, whatever the loop and the terminal do, unless it ends regularly in the meantime."""
        for step, seconds in self.last_steps:
            _within(seconds, step)
        if self._is_over.wait(_STEP_S):
            return
        with self._leaving:
            if self._is_over.is_set():
                return
            _within(_STEP_S, lambda: log.warning("ended without waiting for the screen"))
            if self.rescue is not None:
                _within(_STEP_S, self.rescue)
            os._exit(self.code or 0)


def _within(seconds: float, step: Act) -> None:
    """Run a step on its own thread and go on after `seconds`, done or not: it may wait for a lock for ever."""

    def run() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            step()
        except Exception:
            log.exception("ending")  # the other steps still have to be taken

    thread = threading.Thread(target=run, name="ending", daemon=True)
    thread.start()
    thread.join(seconds)


SIGNALS = Signals()
"""The signals of this process."""
