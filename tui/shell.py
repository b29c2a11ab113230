"""Gives the person's terminal to a console, and takes it back in order whatever happened in there."""

from __future__ import annotations

import logging
import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from collectors.consoles.model import Console
from collectors.consoles.open import open_console
from collectors.deadline import within
from collectors.model import Workload
from collectors.reach import Reach
from collectors.sources.base import SourceError
from collectors.text import inert
from tui.driver import has_answered
from tui.pump import Pump
from tui.signals import SIGNALS
from tui.threads import in_thread
from tui.tty import LAST_LINE, SANE, drain, offer, put_in_order, unhurried

if TYPE_CHECKING:
    from textual.app import App

log = logging.getLogger(__name__)

_REST_S = 1.0
"""For the terminal to take what undoes a program's modes."""
_ANSWER_S = 10.0
"""For a terminal that answers to come to our question, behind all that a program has asked."""
_MUTE_S = 0.5
"""The same for one that has answered nothing so far, and when the process is to end."""
_CLOSE_S = 2.0


def attach(console: Console, incoming: int = 0, outgoing: int = 1, is_answering: bool = False) -> str:
    """Connect a terminal to a console until either end closes or Ctrl-] is typed; return how it ended, in a sentence.

    The terminal is put in order again in any case, and what it answers to a program's questions is thrown away.

    Args:
        console: Where to.
        incoming: The terminal's descriptor for keys.
        outgoing: Its descriptor for output.
        is_answering: Whether it has answered a question before.
    """
    with unhurried(outgoing) as terminal, _in_order(incoming, terminal, is_answering) as settings:
        offer(terminal, f"vmtop: {console.title}. Ctrl-] comes back.\r\n".encode("utf-8", "replace"), _REST_S)
        tty.setraw(incoming, termios.TCSANOW)
        pump = Pump(console, incoming, terminal, partial(_heed, incoming, settings))
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
    """Throw away the answers to what a program has asked; a line that is slow with them is told of."""
    if drain(incoming, terminal, _MUTE_S, _is_to_end) or not is_answering or _is_to_end():
        return
    offer(terminal, b"\x1b[999;1H\r\nvmtop: waiting for the terminal to answer ...", _REST_S)
    if not drain(incoming, terminal, _ANSWER_S, _is_to_end):
        log.info("the terminal did not answer within %.0f s after a console", _ANSWER_S)


def _is_to_end() -> bool:
    return SIGNALS.code is not None


async def open_shell(app: App[Any], workload: Workload, reach: Reach) -> None:
    """Open the console of a workload, hand the terminal over, and come back to the screen.

    Args:
        app: Whose screen gives way.
        workload: Where to go.
        reach: The way to the engines.
    """
    app.notify(f"opening {workload.name} ...", timeout=2, markup=False)
    try:
        console = await in_thread(partial(open_console, workload, reach))
    except SourceError as error:
        remedy = f"\nto mend it: {error.remedy}" if error.remedy else ""
        app.notify(f"{error.reason}{remedy}", severity="warning", timeout=8, markup=False)
        return
    try:
        with app.suspend():
            sentence, severity = _visit(console, workload, has_answered(app))
    except SuspendNotSupported:
        sentence, severity = "this terminal cannot be handed over", "warning"
    finally:
        _close(console)
    app.notify(f"{workload.name}: {sentence}", severity=severity, timeout=5, markup=False)  # type: ignore[arg-type]
    app.refresh(layout=True)


def _visit(console: Console, workload: Workload, is_answering: bool) -> tuple[str, str]:
    """Connect the terminal to a console; return how it ended and how grave that is. Does not raise.

    Textual would not come back from an exception in here.
    """
    try:
        incoming = sys.__stdin__.fileno() if sys.__stdin__ else 0
        return attach(console, incoming, _terminal(), is_answering), "information"
    except Exception as error:
        # The boundary around a stranger's bytes: whatever broke, the screen has to come back and say so.
        log.exception("the console of %s", workload.name)
        return f"the console failed: {type(error).__name__}: {inert(str(error))}", "error"


def _close(console: Console) -> None:
    try:
        within(_CLOSE_S, console.close)
    except SourceError as error:
        log.warning("closing a console: %s", error.reason)


def _terminal() -> int:
    """Return the terminal's own descriptor: while the screen is up, Textual writes to a copy of standard error."""
    return sys.__stderr__.fileno() if sys.__stderr__ else 1
