"""vmtop in a real terminal: it starts, answers keys, and leaves the terminal as it found it whatever ends it."""

from __future__ import annotations

import os
import signal
import sys
import termios
from pathlib import Path

import pytest

from tests.helpers.pty_terminal import Start, Terminal, unknown_sequences

_RESETS = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l")


def _ready(terminal: Terminal) -> Terminal:
    terminal.wait_for(lambda: " host " in terminal.text(), 20, "the fleet")
    return terminal


def test_keys_work_and_q_leaves_a_sane_terminal(start: Start) -> None:
    terminal = _ready(start("demo", "--workloads", "30"))
    before = terminal.settings
    terminal.press("M")
    terminal.wait_for(lambda: "▼MEM" in terminal.text(), 20, "the order by memory")
    terminal.press("/")
    terminal.read(0.3)
    terminal.press("kind=vm\r")
    terminal.wait_for(lambda: "filter kind=vm" in terminal.text() and "blog" not in terminal.text(), 20, "the filter")
    terminal.press("q")
    assert terminal.wait_exit() == 0
    assert all(reset in terminal.received for reset in _RESETS)
    after = termios.tcgetattr(terminal.fd)
    assert after[3] & termios.ECHO == before[3] & termios.ECHO
    assert after[3] & termios.ICANON == before[3] & termios.ICANON


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)])
def test_signals_end_it_cleanly(start: Start, number: signal.Signals, code: int) -> None:
    terminal = _ready(start("demo", "--workloads", "10"))
    os.kill(terminal.pid, number)
    assert terminal.wait_exit() == code
    assert all(reset in terminal.received for reset in _RESETS)


def test_an_exception_in_the_screen_is_a_sentence_and_leaves_a_sane_terminal(tmp_path: Path) -> None:
    fault = (
        "from tui.screens.workloads.live import LiveListScreen\n"
        "def fail(self):\n    password = 'hunter2'\n    raise RuntimeError('no such luck')\n"
        "LiveListScreen.action_reverse = fail\n"
        "from tui.cli.main import main\nmain(['demo', '--workloads', '10'])\n"
    )
    terminal = Terminal([sys.executable, "-c", fault], environment={"XDG_STATE_HOME": str(tmp_path)})
    try:
        before = terminal.settings
        _ready(terminal).press("r")
        assert terminal.wait_exit(10) == 1
        assert all(reset in terminal.received for reset in _RESETS)
        assert termios.tcgetattr(terminal.fd)[:4] == before[:4]
        assert not terminal.screen.cursor.hidden
        assert b"the screen failed: RuntimeError: no such luck" in terminal.received
        assert b"Traceback" not in terminal.received
        assert b"hunter2" not in terminal.received
        assert "Traceback" in (tmp_path / "vmtop" / "vmtop.log").read_text()
    finally:
        terminal.close()


def test_only_known_escape_sequences_reach_the_terminal(start: Start) -> None:
    terminal = _ready(start("demo", "--workloads", "50"))
    terminal.press("jjtw")
    terminal.wait_for(lambda: "Esc closes" in terminal.text(), 20, "the page")
    terminal.press("q")
    terminal.wait_for(lambda: "Esc closes" not in terminal.text(), 20, "the table")
    terminal.read(1)  # the key rests
    terminal.press("q")
    terminal.wait_exit()
    assert unknown_sequences(bytes(terminal.received)) == []


def test_the_screen_is_on_the_terminal_when_stderr_is_a_file(tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    vmtop = Path(sys.executable).with_name("vmtop")
    terminal = Terminal(["sh", "-c", f'exec "{vmtop}" demo --workloads 10 2>"{errors}"'])
    try:
        _ready(terminal).press("q")
        assert terminal.wait_exit() == 0
        assert errors.read_bytes() == b""
    finally:
        terminal.close()


@pytest.mark.parametrize("term", ["dumb", None])
def test_a_terminal_that_cannot_is_refused_with_a_hint(start: Start, term: str | None) -> None:
    terminal = start("demo", environment={"TERM": term})
    assert terminal.wait_exit(10) == 2
    assert "vmtop list" in terminal.text()


def test_without_utf8_it_draws_in_ascii(start: Start) -> None:
    terminal = start("demo", "--workloads", "30", "--ascii", size=(80, 24))
    _ready(terminal)
    terminal.read(1)
    assert {character for character in terminal.text() if ord(character) > 127} == set()


def test_a_word_of_the_footer_is_clicked_through_the_terminal(start: Start) -> None:
    terminal = _ready(start("demo", "--workloads", "30"))
    terminal.wait_for(lambda: "? help  q quit" in terminal.text(), 20, "the footer")
    lines = terminal.text().splitlines()
    row = next(index for index, line in enumerate(lines, 1) if "? help  q quit" in line)
    column = lines[row - 1].index("help") + 2
    terminal.press(f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m")
    terminal.wait_for(lambda: "Most used" in terminal.text(), 20, "the help")
    terminal.press("\x1b")
    terminal.wait_for(lambda: "Most used" not in terminal.text(), 20, "the table")
    terminal.press("q")
    assert terminal.wait_exit() == 0
