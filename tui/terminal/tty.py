"""The user's terminal as a device: a non-blocking descriptor, and its restoration after another program used it."""

from __future__ import annotations

import logging
import os
import re
import select
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

log = logging.getLogger(__name__)

SANE = (
    b"\x18\x1b\\"  # end any unfinished sequence or string
    b"\x1b<"  # leave VT52 mode
    b"\x1b F"  # answers in seven bits
    b"\x1b[?2026l"  # synchronised output off, else nothing below is painted
    b"\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse, focus
    b"\x1b[?2004l"  # bracketed paste
    b"\x1b[?2031l\x1b[?2048l\x1b[?69l"  # reports of the colour scheme and the size; margins to the left and right
    b"\x1b[<99u\x1b[>4;0m"  # the kitty keyboard protocol and xterm's modified keys
    b"\x1b[?1049l\x1b[?47l"  # back to the main screen
    b"\x1b[!p\x1b[?1l\x1b>\x1b[?6l\x1b[?7h\x1b[r"  # soft reset; cursor keys, keypad, origin, autowrap, scroll region
    b"\x1b(B\x0f\x1b[0m\x1b[?5l\x1b[?25h"  # character set, colours, no reverse video, the cursor shown
)
"""Undoes what a program may have switched on (ECMA-48, DEC VT510, xterm's ctlseqs)."""
LAST_LINE = b"\x1b[999;1H\r\n"
_QUESTIONS = 3
_POLL_S = 0.05
_FLUSH_S = 0.02
"""Seconds after which to discard again what another thread has written in the meantime."""
_CHUNK = 65536


@contextmanager
def unhurried(descriptor: int) -> Iterator[int]:
    """Yield a descriptor of the same terminal on which no call blocks.

    `O_NONBLOCK` on the terminal's own descriptor would be the shell's too, as they share one description.

    Raises:
        OSError: The terminal cannot be opened.
    """
    flags = os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        terminal = os.open(f"/proc/self/fd/{descriptor}", flags)
    except OSError:  # after `su` the device belongs to another user; the controlling terminal can always be opened
        terminal = os.open("/dev/tty", flags)
    try:
        yield terminal
    finally:
        os.close(terminal)


def offer(terminal: int, data: bytes, seconds: float) -> bytes:
    """Write to a non-blocking descriptor for at most `seconds`; return what the terminal has not accepted.

    A terminal that has gone accepts nothing.
    """
    deadline = time.monotonic() + seconds
    poll = select.poll()
    poll.register(terminal, select.POLLOUT)
    while data and (left_s := deadline - time.monotonic()) > 0:
        try:
            data = data[os.write(terminal, data) :]
        except BlockingIOError:
            poll.poll(min(left_s, _POLL_S) * 1000)
            time.sleep(0.001)  # writable, but another thread is writing
        except OSError:
            return data
    return data


def take(incoming: int) -> bytes:
    """Return the available input of a terminal; empty when it has gone."""
    try:
        return os.read(incoming, _CHUNK)
    except OSError as error:
        log.info("the terminal cannot be read: %s", error.strerror)
        return b""


def drain(incoming: int, terminal: int, seconds: float, is_over: Callable[[], bool]) -> bool:
    """Discard input until the terminal has answered a question of our own; return whether it has.

    A terminal answers in the order in which it was asked, so what a program asked before has been answered by then. To
    recognise our answers, the cursor is moved to random positions before its position is asked for.

    Args:
        incoming: The descriptor for keys and answers.
        terminal: The non-blocking descriptor for output.
        seconds: How long to wait.
        is_over: Returns whether to give up early.
    """
    deadline = time.monotonic() + seconds
    columns, lines = _size(terminal)
    positions = [(_any_up_to(lines), _any_up_to(columns)) for _ in range(_QUESTIONS)]
    answers = re.compile(b".*?".join(rb"\x1b\[%d;%dR" % position for position in positions), re.DOTALL)
    if offer(terminal, b"".join(b"\x1b[%d;%dH\x1b[6n" % position for position in positions), seconds):
        return False
    poll = select.poll()
    poll.register(incoming, select.POLLIN)
    received = b""
    while (left_s := deadline - time.monotonic()) > 0 and not is_over():
        if poll.poll(min(left_s, _POLL_S) * 1000):
            chunk = take(incoming)
            received = (received + chunk)[-_CHUNK:]
            if answers.search(received):
                return True
            if not chunk:
                return False
    return False


def _size(terminal: int) -> tuple[int, int]:
    try:
        return os.get_terminal_size(terminal)
    except OSError:
        return 80, 24


def _any_up_to(highest: int) -> int:
    return 1 + int.from_bytes(os.urandom(2), "big") % max(1, min(highest, 200))


def put_in_order(terminal: int, settings: list[object] | None, goodbye: bytes, seconds: float) -> None:
    """Restore a terminal's settings, discard its pending output, and write what undoes a program's modes.

    Args:
        terminal: A non-blocking descriptor.
        settings: As `termios.tcgetattr` gave them; `None` leaves them unchanged.
        goodbye: What to write.
        seconds: How long the writing may take.
    """
    with suppress(termios.error):  # it has gone
        if settings is not None:
            termios.tcsetattr(terminal, termios.TCSANOW, settings)  # type: ignore[arg-type]  # its own words
        deadline = time.monotonic() + seconds
        while goodbye and time.monotonic() < deadline:
            termios.tcflush(terminal, termios.TCOFLUSH)
            goodbye = offer(terminal, goodbye, _FLUSH_S)
