"""Hands the user's terminal to a console, and restores it whatever happened there."""

from __future__ import annotations

import logging
import os
import signal
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from collectors.model.console import Console
from tui.terminal.console_pump import ConsolePump
from tui.terminal.signals import SIGNALS
from tui.terminal.tty import LAST_LINE, SANE, drain, offer, put_in_order, unhurried

log = logging.getLogger(__name__)

_REST_S = 1.0
"""Seconds for the terminal to accept what undoes a program's modes."""
_ANSWER_S = 10.0
"""Seconds for a terminal that answers to reach our question, after all that a program has asked."""
_MUTE_S = 0.5
"""The same for a terminal that has never answered, and when the process is to end."""


def attach(console: Console, incoming: int = 0, outgoing: int = 1, is_answering: bool = False) -> str:
    """Connect a terminal to a console until either end closes or Ctrl-] is typed; return how it ended, in a sentence.

    The terminal is restored in any case, and its answers to a program's questions are discarded.

    Args:
        console: The console to attach to.
        incoming: The terminal's descriptor for keys.
        outgoing: Its descriptor for output.
        is_answering: Whether it has answered a question before.
    """
    with unhurried(outgoing) as terminal, _in_order(incoming, terminal, is_answering) as settings:
        offer(terminal, f"vmtop: {console.title}. Ctrl-] comes back.\r\n".encode("utf-8", "replace"), _REST_S)
        tty.setraw(incoming, termios.TCSANOW)
        pump = ConsolePump(console, incoming, terminal, partial(_heed, incoming, settings))
        with SIGNALS.handed_to(pump.signalled, (signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT)):
            return pump.run(_is_to_end)


def _heed(incoming: int, settings: list[Any], numbers: bytes) -> None:
    """Stop the process where SIGTSTP asks for it, with the terminal as the shell knows it; set it raw at SIGCONT."""
    if signal.SIGTSTP in numbers and SIGNALS.is_stop_wanted:
        termios.tcsetattr(incoming, termios.TCSANOW, settings)
        os.kill(os.getpid(), signal.SIGSTOP)
    if signal.SIGTSTP in numbers or signal.SIGCONT in numbers:
        tty.setraw(incoming, termios.TCSANOW)


@contextmanager
def _in_order(incoming: int, terminal: int, is_answering: bool) -> Iterator[list[Any]]:
    """Yield the terminal's settings and restore it at the end; should that hang, the end of the process does it."""
    settings = termios.tcgetattr(incoming)
    SIGNALS.rescue = partial(put_in_order, terminal, settings, SANE + LAST_LINE, _MUTE_S)
    try:
        yield settings
    finally:
        offer(terminal, SANE, _REST_S)
        _drain(incoming, terminal, is_answering)
        offer(terminal, LAST_LINE, _REST_S)
        with suppress(termios.error):  # it has gone
            termios.tcsetattr(incoming, termios.TCSANOW, settings)
            termios.tcflush(incoming, termios.TCIFLUSH)
        SIGNALS.rescue = None


def _drain(incoming: int, terminal: int, is_answering: bool) -> None:
    """Discard the answers to a program's queries; say so if the line is slow."""
    if drain(incoming, terminal, _MUTE_S, _is_to_end) or not is_answering or _is_to_end():
        return
    offer(terminal, b"\x1b[999;1H\r\nvmtop: waiting for the terminal to answer ...", _REST_S)
    if not drain(incoming, terminal, _ANSWER_S, _is_to_end):
        log.info("the terminal did not answer within %.0f s after a console", _ANSWER_S)


def _is_to_end() -> bool:
    return SIGNALS.code is not None
