"""Terminals of all sizes and kinds, storms of resizes, job control, and an end at any moment."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.hostile_text import misaligned, search, visit
from tests.helpers.pty_terminal import Start, Terminal
from tests.terminal.test_consoles import assert_sane
from tests.terminal.test_sessions import frames_of, is_whole

pytestmark = pytest.mark.slow

RESETS = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l")
CHANCE = random.Random(7)  # noqa: S311  # repeatable, not secret


def leave(terminal: Terminal) -> None:
    """Quit, and look at what was left."""
    terminal.press("q")
    assert terminal.wait_exit(20) == 0
    terminal.read(0.5)
    assert all(reset in terminal.received for reset in RESETS)
    assert search(bytes(terminal.received)).found == []


@pytest.mark.parametrize("size", [(20, 5), (40, 10), (80, 24), (300, 100)], ids=str)
def test_it_runs_in_terminals_of_any_size(start: Start, size: tuple[int, int]) -> None:
    terminal = start("demo", "--workloads", "30", size=size)
    terminal.wait_for(lambda: "DEMO" in terminal.text(), 30, "the screen")
    for key in ("j", "t", "o", "\r", "\x1b", "?", "\x1b", "x", "\x1b", "/"):
        terminal.press(key)
        terminal.read(0.3)
    terminal.press("\x1b")
    terminal.read(1)
    leave(terminal)


def test_after_a_storm_of_resizes_the_picture_is_that_of_the_last_size(start: Start) -> None:
    terminal = start("demo", "--workloads", "30")
    terminal.wait_for(lambda: "●" in terminal.text(), 30, "the fleet")
    for _ in range(150):
        terminal.resize(CHANCE.randint(1, 250), CHANCE.randint(1, 80))
        terminal.read(0.02)
    terminal.screen.reset()  # what a real terminal does with the old picture is its own affair
    terminal.resize(130, 30)
    terminal.wait_for(lambda: "q quit" in "".join(terminal.screen.display[-1:]), 30, "the footer on the last line")
    visit(terminal, [("M", "▼MEM")])
    assert misaligned(terminal) == []
    leave(terminal)


@pytest.mark.parametrize("term", ["linux", "screen", "tmux", "tmux-256color", "vt100", "xterm", "xterm-16color"])
def test_it_runs_on_every_kind_of_terminal(start: Start, term: str) -> None:
    terminal = start("demo", "--workloads", "10", environment={"TERM": term, "COLORTERM": None})
    terminal.wait_for(lambda: "db-primary" in terminal.text(), 30, "the fleet")
    visit(terminal, [("M", "▼MEM"), ("x", "chooses"), ("\x1b", "▼MEM")])
    leave(terminal)
    assert (b"]11;?" in terminal.received) == (term not in ("linux", "vt100")), "whether it was asked for its ground"
    used = colours_of(terminal)
    if term == "vt100":
        assert used == set()
    elif "256" in term:
        assert all(re.fullmatch("[34]8;5;[0-9]+", code) for code in used)
    else:
        assert all(re.fullmatch("3[0-7]|9[0-7]", code) for code in used), "no ground is painted"
        assert "96" in used, "containers are cyan"


_COLOUR = re.compile("[34]8;5;[0-9]+|[34]8;2;[0-9]+;[0-9]+;[0-9]+|3[0-7]|4[0-7]|9[0-7]|10[0-7]")


def colours_of(terminal: Terminal) -> set[str]:
    """The colours that a terminal was sent, as parameters of SGR; the defaults are none."""
    colours: set[str] = set()
    for sequence in re.findall(rb"\x1b\[([0-9;]*)m", bytes(terminal.received)):
        parameters = re.findall("[34]8;5;[0-9]+|[34]8;2;[0-9]+;[0-9]+;[0-9]+|[0-9]+", sequence.decode())
        colours.update(filter(_COLOUR.fullmatch, parameters))
    return colours


def test_without_colours_the_state_can_be_read(start: Start) -> None:
    terminal = start("demo", "--workloads", "30", environment={"NO_COLOR": "1"})
    terminal.wait_for(lambda: "●" in terminal.text(), 30, "the fleet")
    visit(terminal, [("M", "▼MEM")])
    assert "●" in terminal.text()
    leave(terminal)
    assert colours_of(terminal) == set()


@pytest.mark.parametrize(
    "locale",
    [{"LANG": "C"}, {"LC_ALL": "C", "LANG": "C.UTF-8"}, {"LANG": "de_DE.ISO-8859-1", "PYTHONIOENCODING": "latin-1"}],
    ids=str,
)
def test_a_locale_without_utf8_gets_ascii(start: Start, locale: dict[str, str]) -> None:
    unset = {"LC_ALL": None, "LC_CTYPE": None, "LANG": None}
    terminal = start("demo", "--workloads", "20", environment={**unset, **locale})
    terminal.wait_for(lambda: "db-primary" in terminal.text(), 30, "the fleet")
    visit(terminal, [("\r", "2 Facts"), ("\x1b", "/LIMIT"), ("x", "chooses"), ("\x1b", "/LIMIT"), ("w", "Where the")])
    visit(terminal, [("\x1b", "/LIMIT")])
    leave(terminal)
    assert bytes(terminal.received).isascii()


@pytest.mark.parametrize(
    ("locale", "is_utf8"),
    [
        ({"LC_ALL": "en_US.UTF-8", "LC_CTYPE": "C", "LANG": "C"}, True),
        ({"LC_ALL": "POSIX", "LC_CTYPE": "C.UTF-8", "LANG": "C.UTF-8"}, False),
        ({"LC_CTYPE": "C.utf8", "LANG": "C"}, True),
        ({"LC_CTYPE": "C", "LANG": "C.UTF-8"}, False),
        ({"LC_ALL": "", "LC_CTYPE": "", "LANG": "C.UTF-8"}, True),
        ({"LC_ALL": "", "LANG": "C"}, False),
        ({}, True),
    ],
    ids=str,
)
def test_of_several_locale_variables_the_strongest_counts(locale: dict[str, str], is_utf8: bool) -> None:
    words = [sys.executable, "-c", "from tui.cli.screen import is_utf8; print(is_utf8())"]
    others = {name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LC_CTYPE", "LANG")}
    variables = {**others, "PYTHONIOENCODING": "utf-8", **locale}
    done = subprocess.run(words, env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == f"{is_utf8}\n"


def test_bytes_that_are_no_utf8_may_be_typed(start: Start) -> None:
    terminal = start("demo", "--workloads", "10")
    terminal.wait_for(lambda: "db-primary" in terminal.text(), 30, "the fleet")
    for data in (b"\xff\xfe", b"\xc3(", b"\x9b2J", b"\xf0\x9f", b"/\xe9\xff\r", b"\x1b"):
        os.write(terminal.fd, data)
        terminal.read(0.5)
    visit(terminal, [("\x1b", "/LIMIT"), ("M", "▼MEM")])
    leave(terminal)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Terminal]:
    """A shell with job control."""
    command = ["bash", "--norc", "--noprofile", "-i"]
    with closing(Terminal(command, (100, 30), {"PS1": "READY> ", "XDG_STATE_HOME": str(tmp_path)})) as terminal:
        terminal.wait_for(lambda: "READY>" in terminal.text(), 20, "the shell")
        yield terminal


def test_ctrl_z_gives_the_shell_back_and_fg_the_screen(shell: Terminal) -> None:
    vmtop = Path(sys.executable).with_name("vmtop")
    shell.press(f"{vmtop} demo --workloads 10\r")
    shell.wait_for(lambda: "db-primary" in shell.text(), 30, "the fleet")
    for _ in range(2):
        shell.press("\x1a")
        shell.wait_for(lambda: "Stopped" in shell.text(), 20, "the shell again")
        shell.press("echo a$((1+1))b; stty -a | grep -o ' icanon'\r")
        shell.wait_for(lambda: "a2b" in shell.text() and " icanon" in shell.text(), 20, "a shell that works")
        before = len(shell.received)
        shell.screen.reset()
        shell.press("fg\r")
        shell.wait_for(lambda: "db-primary" in shell.text(), 30, "the fleet again")
        shell.wait_for(lambda: "q quit" in shell.text() and "/LIMIT" in shell.text(), 20, "also what had not changed")
        assert b"\x1b[?1049h" in shell.received[before:]
    visit(shell, [("M", "▼MEM")])
    shell.screen.reset()
    shell.press("q")
    shell.wait_for(lambda: "READY>" in shell.text(), 20, "the shell after the end")
    shell.press("echo it ended with $?\r")
    shell.wait_for(lambda: "it ended with 0" in shell.text(), 20, "the shell after the end")


@pytest.mark.parametrize("is_set_back", [False, True], ids=["the terminal as it was", "set back by a shell"])
def test_a_stop_that_was_not_announced_leaves_one_reader_and_the_terminal_sane(start: Start, is_set_back: bool) -> None:
    terminal = start("demo", "--workloads", "10", "--interval", "60")
    terminal.wait_for(lambda: "db-primary" in terminal.text(), 30, "the fleet")
    terminal.read(1)
    before = threads_of(terminal)
    for _ in range(3):
        os.kill(terminal.pid, signal.SIGSTOP)
        terminal.read(0.3)
        terminal.screen.reset()
        if is_set_back:
            termios.tcsetattr(terminal.fd, termios.TCSANOW, terminal.settings)
        os.kill(terminal.pid, signal.SIGCONT)
        terminal.wait_for(lambda: "db-primary" in terminal.text() and "q quit" in terminal.text(), 20, "the screen")
    assert threads_of(terminal) == before
    visit(terminal, [("M", "▼MEM")])
    leave(terminal)
    assert_sane(terminal)


def threads_of(terminal: Terminal) -> int:
    return len(os.listdir(f"/proc/{terminal.pid}/task"))


def test_an_end_as_systemd_brings_it_is_an_end(start: Start) -> None:
    for pause_s in (0.0, 0.01, 0.05, 0.1, 0.2):
        terminal = start("demo", "--workloads", "10")
        terminal.wait_for(lambda terminal=terminal: "db-primary" in terminal.text(), 30, "the fleet")  # type: ignore[misc]  # bound now
        os.kill(terminal.pid, signal.SIGTERM)
        time.sleep(pause_s)
        os.kill(terminal.pid, signal.SIGCONT)
        assert terminal.wait_exit(20) == 128 + signal.SIGTERM
        assert_sane(terminal)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_at_any_moment_ends_it_and_leaves_a_whole_recording(
    start: Start, number: signal.Signals, tmp_path: Path
) -> None:
    path = tmp_path / "rec.vmtop.gz"
    for turn in range(4):
        state = {"XDG_STATE_HOME": str(tmp_path / f"{turn}")}
        terminal = start("demo", "--workloads", "10", "--interval", "0.2", "--record", str(path), environment=state)
        if turn % 2:
            terminal.wait_for(lambda: path.exists() and frames_of(path) > 1, 30, "frames in the file")
        time.sleep(CHANCE.random())
        os.kill(terminal.pid, number)
        code = terminal.wait_exit(20)
        if path.exists() and frames_of(path):
            assert (code, is_whole(path)) == (128 + number, True)
        else:
            assert code in (128 + number, -number), "before there is a screen"
        path.unlink(missing_ok=True)


def test_a_terminal_that_goes_away_ends_it_and_the_recording_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "rec.vmtop.gz"
    command = ["vmtop", "demo", "--workloads", "10", "--interval", "0.2", "--record", str(path)]
    terminal = Terminal(command, environment={"XDG_STATE_HOME": str(tmp_path)})
    terminal.wait_for(lambda: frames_of(path) > 3, 30, "frames in the file")
    os.close(terminal.fd)
    deadline = time.monotonic() + 120
    while not (ended := os.waitpid(terminal.pid, os.WNOHANG))[0]:
        assert time.monotonic() < deadline, "it goes on without a terminal"
        time.sleep(0.1)
    assert os.waitstatus_to_exitcode(ended[1]) in (129, -1)
    assert is_whole(path)
