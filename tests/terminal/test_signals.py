"""vmtop ends when it is told to, and only then: whatever its terminal does, and in whatever order signals come."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import termios
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.helpers.lab.process import wait_until
from tests.helpers.pty_terminal import TIOCGPTPEER, Start, Terminal
from tests.terminal.test_sessions import frames_of, is_whole
from tests.unit.tui.cli.test_main import FLEET_COMMAND

pytestmark = pytest.mark.slow

FAST = ("demo", "--workloads", "50", "--interval", "0.2")
ENDS_WITHIN_S = 2.0
SLACK_S = 1.5
"""For a machine that does other things as well."""
CODES = {signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGQUIT: 131, signal.SIGINT: 130}


def shown(start: Start, *arguments: str, size: tuple[int, int] = (120, 40), **options: object) -> Terminal:
    terminal = start(*arguments, size=size, **options)
    terminal.wait_for(lambda: "●" in terminal.text(), 30, "the fleet")
    return terminal


def is_writing(pid: int) -> bool:
    """Whether a thread waits in a write, twice in a row: its terminal is full."""
    if not _writes(pid):
        return False
    time.sleep(0.2)
    return _writes(pid)


def _writes(pid: int) -> bool:
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # the thread has ended
            if (task / "syscall").read_text().split()[0] == "1":  # write(2) on x86-64
                return True
    return False


def fill(terminal: Terminal) -> None:
    """Write to a terminal until it takes no more."""
    device = fcntl.ioctl(terminal.fd, TIOCGPTPEER, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    for size in (4096, 64, 1, 1, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(device, b" " * size)
        time.sleep(0.1)  # the kernel passes on what it holds, which makes place
    os.close(device)


def end_without_reading(terminal: Terminal, seconds: float) -> int:
    """Wait for the end, and read nothing meanwhile; return the exit code."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            terminal.exit_code = os.waitstatus_to_exitcode(status)
            return terminal.exit_code
        time.sleep(0.01)
    raise AssertionError(f"it did not end within {seconds} s")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT])
def test_a_terminal_that_no_one_reads_holds_no_end_up(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "a.vmtop.gz"
    terminal = start(*FAST, "--record", str(path), size=(300, 100))
    wait_until(lambda: is_writing(terminal.pid) and frames_of(path) > 3, 30, "a full terminal and a few frames")
    os.kill(terminal.pid, number)
    assert end_without_reading(terminal, ENDS_WITHIN_S + SLACK_S) == CODES[number]
    assert is_whole(path)
    assert frames_of(path) > 3
    assert termios.tcgetattr(terminal.fd)[:4] == terminal.settings[:4]
    terminal.read(1)
    assert terminal.received.rfind(b"\x1b[?1049l") > terminal.received.rfind(b"\x1b[?1049h")
    assert terminal.received.endswith(b"\x1b[?25h\x1b[?1004l"), terminal.received[-200:]


def test_a_second_signal_ends_it_at_once(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "a.vmtop.gz"
    terminal = start(*FAST, "--record", str(path), size=(300, 100))
    wait_until(lambda: is_writing(terminal.pid) and frames_of(path) > 3, 30, "a full terminal and a few frames")
    began = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGTERM):
        os.kill(terminal.pid, number)
        time.sleep(0.05)
    assert end_without_reading(terminal, ENDS_WITHIN_S) == 143
    assert time.monotonic() - began < 1.2, "it was waited for as after the first"
    assert is_whole(path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_recording_without_a_screen_ends_too_when_no_one_reads_its_words(tmp_path: Path, number: int) -> None:
    path = tmp_path / "a.vmtop.gz"
    with closing(Terminal([*FLEET_COMMAND, "record", str(path), "--interval", "0.2"])) as terminal:
        wait_until(lambda: frames_of(path) > 3, 30, "a few frames")
        fill(terminal)
        wait_until(lambda: is_writing(terminal.pid), 10, "a full terminal")
        os.kill(terminal.pid, number)
        assert end_without_reading(terminal, ENDS_WITHIN_S + SLACK_S) == 0
        assert is_whole(path)
        assert frames_of(path) > 3


@pytest.mark.parametrize("ignores_hangup", [False, True], ids=["told", "not told"])
def test_a_terminal_that_has_gone_ends_it_and_nothing_spins(tmp_path: Path, ignores_hangup: bool) -> None:
    path = tmp_path / "a.vmtop.gz"
    ignoring = "trap '' HUP; " if ignores_hangup else ""
    terminal = Terminal(["sh", "-c", f'{ignoring}exec "$0" "$@"', *FLEET_COMMAND, "--record", str(path)])
    terminal.wait_for(lambda: "●" in terminal.text(), 30, "the fleet")
    wait_until(lambda: frames_of(path) > 3, 30, "a few frames")
    os.close(terminal.fd)
    assert end_without_reading(terminal, ENDS_WITHIN_S + SLACK_S) == 129
    assert is_whole(path)


def test_five_thousand_signals_in_any_order_while_it_paints(start: Start) -> None:
    terminal = shown(start, *FAST)
    terminal.read(1)
    threads = len(os.listdir(f"/proc/{terminal.pid}/task"))
    chance = random.Random(13)  # noqa: S311  # the same order each time
    numbers = (signal.SIGCONT, signal.SIGTSTP, signal.SIGWINCH)
    for _ in range(5000):
        os.kill(terminal.pid, chance.choice(numbers))
        terminal.read(chance.random() * 0.004)
    wake(terminal)
    assert len(os.listdir(f"/proc/{terminal.pid}/task")) == threads, "a second reader or writer was started"
    terminal.press("M")
    terminal.wait_for(lambda: "▼MEM" in terminal.text(), 20, "an answer to a key")
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.wait_exit(10) == 143
    assert termios.tcgetattr(terminal.fd)[:4] == terminal.settings[:4]


def test_signals_of_every_kind_and_a_terminal_that_no_one_reads(start: Start) -> None:
    terminal = start(*FAST, size=(300, 100))
    wait_until(lambda: is_writing(terminal.pid), 30, "a full terminal")
    chance = random.Random(17)  # noqa: S311  # the same order each time
    for _ in range(1000):
        os.kill(terminal.pid, chance.choice((signal.SIGCONT, signal.SIGWINCH)))
        time.sleep(0.001)
    os.kill(terminal.pid, signal.SIGTERM)
    assert end_without_reading(terminal, ENDS_WITHIN_S + SLACK_S) == 143


@pytest.mark.parametrize("after_s", [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0])
def test_a_signal_while_it_starts_ends_it_and_leaves_the_terminal_sane(start: Start, after_s: float) -> None:
    terminal = start(*FAST)
    terminal.read(after_s)
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.wait_exit(ENDS_WITHIN_S + SLACK_S) in (
        143,
        -signal.SIGTERM,
    )  # before Python listens the system ends it
    assert termios.tcgetattr(terminal.fd)[:4] == terminal.settings[:4]
    assert terminal.received.rfind(b"\x1b[?1049l") >= terminal.received.rfind(b"\x1b[?1049h")
    assert not terminal.screen.cursor.hidden


def wake(terminal: Terminal) -> None:
    """Send SIGCONT until the process runs: it may come to an earlier SIGTSTP only now."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.read(0.5)
        if state_of(terminal.pid) != "T":
            return
    raise AssertionError("it does not wake up")


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
