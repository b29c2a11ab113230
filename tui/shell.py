"""Gives the person's terminal to a console, and takes it back in order whatever happened in there."""

from __future__ import annotations

import logging
import os
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from collectors.consoles.model import Console
from collectors.consoles.open import open_console
from collectors.model import Workload
from collectors.reach import Reach
from collectors.sources.base import SourceError
from tui.threads import in_thread

if TYPE_CHECKING:
    from textual.app import App

log = logging.getLogger(__name__)

LEAVE = b"\x1d"
"""Ctrl-]: telnet's and virsh's way out."""
_ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
SANE = (
    b"\x1b[?2026l"  # synchronised output: off, else nothing below is painted
    b"\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse, focus
    b"\x1b[?2004l"  # bracketed paste
    b"\x1b[<99u\x1b[>4;0m"  # the kitty keyboard protocol and xterm's modified keys
    b"\x1b[?1049l\x1b[?47l"  # back to the main screen
    b"\x1b[!p\x1b[?1l\x1b>\x1b[?6l\x1b[?7h\x1b[r"  # soft reset; cursor keys, keypad, origin, autowrap, scroll region
    b"\x1b(B\x0f\x1b[0m\x1b[?5l\x1b[?25h"  # character set, colours, no reverse video, the cursor shown
    b"\x1b[999;1H\r\n"
)
"""Undoes what a program may have switched on (ECMA-48, DEC VT510, xterm's ctlseqs)."""


def attach(console: Console, incoming: int = 0, outgoing: int = 1) -> str:
    """Connect a terminal to a console until either end closes or Ctrl-] is typed; return how it ended, in a sentence.

    The terminal is put in order again in any case, also when a signal ends the process.
    """
    _say(outgoing, f"vmtop: {console.title}. Ctrl-] comes back.\r\n")
    with _in_order(incoming, outgoing):
        tty.setraw(incoming)
        try:
            return _pump(console, incoming, outgoing)
        except OSError as error:
            return f"the connection was lost: {error.strerror or error}"


def _pump(console: Console, incoming: int, outgoing: int) -> str:
    resized, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.signal(signal.SIGWINCH, lambda *_: _ring(wake))
    try:
        _pass_size(console, outgoing)
        while True:
            ready, _, _ = select.select([incoming, console.fileno(), resized], [], [])
            if resized in ready:
                os.read(resized, 4096)
                _pass_size(console, outgoing)
            if console.fileno() in ready:
                if not (data := console.read()):
                    return console.ending()
                _write(outgoing, data)
            if incoming in ready:
                typed = os.read(incoming, 65536)
                before_leaving, leave, _ = typed.partition(LEAVE)
                if before_leaving:
                    console.write(before_leaving)
                if leave or not typed:
                    return "the console was left"
    finally:
        signal.signal(signal.SIGWINCH, before)
        os.close(resized)
        os.close(wake)


@contextmanager
def _in_order(incoming: int, outgoing: int) -> Iterator[None]:
    """Restore the terminal at the end; a signal that ends the process does so first."""
    settings = termios.tcgetattr(incoming)

    def restore() -> None:
        termios.tcsetattr(incoming, termios.TCSAFLUSH, settings)
        _write(outgoing, SANE)

    def end(number: int, _frame: Any) -> None:
        restore()
        os._exit(128 + number)

    handlers = {number: signal.signal(number, end) for number in _ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        restore()


async def open_shell(app: App[Any], workload: Workload, reach: Reach, resume: Callable[[], None]) -> None:
    """Open the console of a workload, hand the terminal over, and come back to the screen.

    Args:
        app: Whose screen gives way.
        workload: Where to go.
        reach: The way to the engines.
        resume: Called when the screen is back: the application's signal handlers have to be set anew.
    """
    app.notify(f"opening {workload.name} ...", timeout=2, markup=False)
    try:
        console = await in_thread(partial(open_console, workload, reach))
    except SourceError as error:
        remedy = f"\nto mend it: {error.remedy}" if error.remedy else ""
        app.notify(f"{error.reason}{remedy}", severity="warning", timeout=8, markup=False)
        return
    sentence, severity = "", "information"
    try:
        with app.suspend():
            sentence = attach(console, sys.__stdin__.fileno() if sys.__stdin__ else 0, _terminal())
    except SuspendNotSupported:
        sentence, severity = "this terminal cannot be handed over", "warning"
    except Exception as error:
        # The boundary around a stranger's bytes: whatever broke, the screen has to come back and say so.
        log.exception("the console of %s", workload.name)
        sentence, severity = f"the console failed: {type(error).__name__}: {error}", "error"
    finally:
        console.close()
        resume()
    app.notify(f"{workload.name}: {sentence}", severity=severity, timeout=5, markup=False)  # type: ignore[arg-type]
    app.refresh(layout=True)


def _terminal() -> int:
    """Return the terminal's own descriptor: while the screen is up, Textual writes to a copy of standard error."""
    return sys.__stderr__.fileno() if sys.__stderr__ else 1


def _pass_size(console: Console, outgoing: int) -> None:
    try:
        size = os.get_terminal_size(outgoing)
    except OSError:
        size = shutil.get_terminal_size()
    console.resize(size.columns, size.lines)


def _ring(wake: int) -> None:
    try:
        os.write(wake, b"!")
    except BlockingIOError:
        return  # enough rings are waiting


def _say(outgoing: int, words: str) -> None:
    _write(outgoing, words.encode("utf-8", "replace"))


def _write(outgoing: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(outgoing, data) :]
        except BlockingIOError:
            select.select([], [outgoing], [], 1.0)
