"""Whatever a console does, the person comes back from it, to a terminal in order."""

from __future__ import annotations

import os
import pty
import queue
import re
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tui.terminal.console_session import attach

LEAVE = b"\x1d"
FOREVER_S = 60.0
SANE = re.compile(rb"\x1b\[\?1049l.*\x1b\[\?25h", re.DOTALL)


class FakeConsole:
    """Does nothing, for ever, unless a test has it do something."""

    title = "a console of a test's"
    exit_code: int | None = None

    def __init__(self, **calls: Callable[..., object]) -> None:
        self._closed = threading.Event()
        self._calls = calls
        self.typed: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def _do(self, name: str, *arguments: object) -> object:
        return self._calls[name](*arguments) if name in self._calls else None

    def read(self) -> bytes:
        if "read" in self._calls:
            data = self._do("read")
            assert isinstance(data, bytes)
            return data
        self._closed.wait(FOREVER_S)
        return b""

    def write(self, data: bytes) -> None:
        self._do("write", data)
        self.typed.put(data)

    def resize(self, columns: int, lines: int) -> None:
        self._do("resize")

    def ending(self) -> str:
        return str(self._do("ending") or "it ended")

    def close(self) -> None:
        self._closed.set()


class Visit:
    """A terminal with a console attached to it."""

    def __init__(self, console: FakeConsole, is_answering: bool) -> None:
        self.master, self._slave = pty.openpty()
        self.before = termios.tcgetattr(self._slave)
        self.received = bytearray()
        self.console = console
        self._said: list[str] = []
        self._thread = threading.Thread(target=self._attach, args=(is_answering,), daemon=True)
        self._thread.start()

    def _attach(self, is_answering: bool) -> None:
        self._said.append(attach(self.console, self._slave, self._slave, is_answering))

    def read(self) -> None:
        """Take in what is written, until it is over."""
        os.set_blocking(self.master, False)
        while self._thread.is_alive():
            try:
                self.received += os.read(self.master, 65536)
            except BlockingIOError:
                time.sleep(0.01)

    def type(self, keys: bytes) -> None:
        while keys:
            try:
                keys = keys[os.write(self.master, keys) :]
            except BlockingIOError:  # the console is behind
                time.sleep(0.001)

    def wait_until_raw(self) -> None:
        deadline = time.monotonic() + 120
        while termios.tcgetattr(self._slave)[3] & termios.ICANON:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def ended(self, within_s: float = 6.0) -> str:
        """Wait for the end, require order, and return how it was told."""
        threading.Thread(target=self.read, daemon=True).start()
        self._thread.join(within_s)
        assert not self._thread.is_alive(), "it did not come back"
        assert termios.tcgetattr(self._slave) == self.before
        time.sleep(0.1)
        assert SANE.search(self.received)
        return self._said[0]

    def close(self) -> None:
        self.console.close()
        os.close(self.master)
        os.close(self._slave)


@contextmanager
def visiting(console: FakeConsole, is_answering: bool = False) -> Iterator[Visit]:
    visit = Visit(console, is_answering)
    visit.wait_until_raw()
    try:
        yield visit
    finally:
        visit.close()


def hang(*_: object) -> bytes:
    time.sleep(FOREVER_S)
    return b""


def fail(*_: object) -> bytes:
    raise LookupError("no such luck \x1b[2J")


@pytest.mark.parametrize("call", ["write", "resize"])
def test_one_that_takes_nothing_is_left_with_control_bracket(call: str) -> None:
    with visiting(FakeConsole(**{call: hang})) as visit:
        visit.type(b"echo one\r")
        time.sleep(0.2)
        visit.type(b"echo two\r" + LEAVE)
        assert visit.ended() == "the console was left"


def test_what_is_typed_to_one_that_takes_nothing_is_bounded() -> None:
    with visiting(FakeConsole(write=hang)) as visit:
        threading.Thread(target=visit.read, daemon=True).start()
        for _ in range(300):
            visit.type(b"x" * 4095 + b"\r")
        visit.type(LEAVE)
        assert visit.ended() == "the console was left"
        assert b"\x07" in visit.received, "no bell told that something was lost"


def test_one_that_pours_is_left_also_by_who_does_not_read() -> None:
    with visiting(FakeConsole(read=lambda: b"y\r\n" * 1000)) as visit:
        time.sleep(0.5)
        visit.type(LEAVE)
        assert visit.ended() == "the console was left"


def test_one_that_pours_and_ends_is_shown_to_its_end() -> None:
    pieces = [b"y\r\n" * 1000] * 30 + [b"the end\r\n", b""]
    with visiting(FakeConsole(read=iter(pieces).__next__)) as visit:
        assert visit.ended() == "it ended"
        assert b"the end\r\n" in visit.received
        assert visit.received.count(b"y\r\n") == 30_000


def test_what_no_one_foresaw_is_a_sentence() -> None:
    with visiting(FakeConsole(read=fail)) as visit:
        assert visit.ended() == "the connection was lost: LookupError: no such luck \ufffd[2J"


def test_an_engine_that_does_not_say_how_it_ended_is_not_waited_for() -> None:
    with visiting(FakeConsole(read=lambda: b"", ending=hang)) as visit:
        assert "has not answered for 2 s" in visit.ended()


def test_a_terminal_that_never_answers_is_not_waited_for_for_long() -> None:
    with visiting(FakeConsole(read=lambda: b"")) as visit:
        began = time.monotonic()
        visit.ended()
        assert time.monotonic() - began < 3


def test_answers_that_were_out_are_waited_for_and_told_of() -> None:
    with visiting(FakeConsole(read=lambda: b""), is_answering=True) as visit:
        threading.Thread(target=visit.read, daemon=True).start()
        deadline = time.monotonic() + 120
        while b"waiting for the terminal" not in visit.received:
            assert time.monotonic() < deadline
            visit.type(b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\")
            time.sleep(0.05)
        for line, column in re.findall(rb"\x1b\[(\d+);(\d+)H\x1b\[6n", visit.received):
            visit.type(b"\x1b[%b;%bR" % (line, column))
        assert visit.ended(2.0) == "it ended"
        left = os.open(os.ttyname(visit._slave), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        with pytest.raises(BlockingIOError):
            os.read(left, 100)
        os.close(left)
