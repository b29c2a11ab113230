"""A slow line: pictures are left out, none wait in a row; a key is answered after a picture or two."""

from __future__ import annotations

import threading
import time

import pytest

from tests.helpers.hostile_text import visit
from tests.helpers.pty_terminal import Start, Terminal
from tui.terminal import flow_control as pacing_module
from tui.terminal.flow_control import OutputFlowControl

pytestmark = pytest.mark.slow

RATE = 10_000
"""Bytes a second."""
FAST = ("demo", "--workloads", "30", "--interval", "0.2")
"""More than the line takes."""
MOST = 80_000
"""Bytes between a key and what it does: what the kernel stores for a terminal, and a few pictures."""


@pytest.mark.parametrize("is_mute", [False, True], ids=["answers", "mute"])
def test_a_key_is_behind_a_picture_or_two_however_slow_the_line(start: Start, is_mute: bool) -> None:
    terminal = start(*FAST, size=(100, 30), bytes_per_s=RATE, is_mute=is_mute)
    terminal.wait_for(lambda: "●" in terminal.text(), 60, "the fleet")
    terminal.read(8)
    for key, words in (("M", "▼MEM"), ("P", "▼CPU%"), ("?", "Most used")):
        before = len(terminal.received)
        visit(terminal, [(key, words)], pause=0)
        assert len(terminal.received) - before < MOST, f"key {key}"
    before = len(terminal.received)
    terminal.press("q")
    terminal.wait_for(lambda: "Most used" not in terminal.text(), 60, "the table")
    assert len(terminal.received) - before < MOST
    terminal.read(1)  # the key rests
    before = len(terminal.received)
    terminal.press("q")
    assert terminal.wait_exit(60) == 0
    assert len(terminal.received) - before < MOST
    terminal.read(15)
    assert b"\x1b[?1049l" in terminal.received


def test_after_a_pause_of_the_line_the_picture_is_whole(start: Start) -> None:
    terminal = start("demo", "--workloads", "20", "--interval", "0.2")
    terminal.wait_for(lambda: "●" in terminal.text(), 20, "the fleet")
    terminal.press("M")
    terminal.wait_for(lambda: "▼MEM" in terminal.text(), 20, "the order")
    terminal.press("z")
    terminal.read(2)  # frozen: no next reading paints what is missing
    for key in ("P", "?"):
        terminal.press(key)
        time.sleep(1)  # the line stands still
    terminal.wait_for(lambda: "Most used" in terminal.text(), 20, "help")
    terminal.press("\x1b")
    terminal.wait_for(lambda: "╭" not in terminal.text() and rows(terminal) >= 15, 20, "the whole table")


def rows(terminal: Terminal) -> int:
    """Count the workloads that are shown."""
    return sum(" ct " in line or " vm " in line for line in terminal.text().splitlines())


def test_a_terminal_that_answers_late_is_behind_and_one_that_never_did_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("tui.terminal.flow_control.time.monotonic", lambda: now)
    pace = OutputFlowControl()
    assert pace.ask()
    now += 0.5
    assert pace.is_behind(), "its first answer may be stuck behind pictures"
    now += 0.5
    assert not pace.is_behind(), "but it may also be one that never answers, and has a picture a second"
    assert not pace.ask(), "it is asked once, until it answers"
    assert pace.is_behind()
    now += 10
    assert not pace.is_behind()
    pace.answer()
    assert pace.ask()
    assert not pace.is_behind()
    now += 1
    assert pace.is_behind()
    now += 60
    assert not pace.is_behind(), "an answer that is lost stops nothing"
    assert pace.ask()
    pace.answer()
    assert not pace.is_behind()


def test_the_end_gives_an_answer_that_is_out_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing_module, "_FAREWELL_S", 30.0)
    pace = OutputFlowControl()
    pace.answer()
    pace.ask()
    threading.Timer(0.1, pace.answer).start()
    pace.wait()
    assert pace.answers == 2
