"""A table whose rows come and go is painted without Textual's compositor, which costs several times as much."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

from tests.helpers.pty_terminal import Terminal

_STEPS = 20


def test_rows_that_come_and_go_move_the_scrollbar_without_a_picture_of_textuals(tmp_path: Path) -> None:
    told = tmp_path / "pictures"
    argv = [sys.executable, "-m", "tests.helpers.growing_table", str(told), str(_STEPS)]
    with closing(Terminal(argv, environment={"PYTHONPATH": os.getcwd()})) as terminal:
        terminal.wait_for(lambda: told.exists() and told.read_text().endswith("\n"), 30, "the last step")
        assert told.read_text() == "0\n"
        shown, bar = terminal.text(), scrollbar(terminal)
        assert len(set(bar)) > 1, "there is a thumb"
        received = len(terminal.received)
        terminal.wait_for(lambda: told.with_suffix(".anew").exists(), 30, "all of it made anew")
        terminal.read(0.5)
        assert (terminal.text(), scrollbar(terminal)) == (shown, bar)
        assert len(terminal.received) == received, "what the compositor makes is what stands there"


def scrollbar(terminal: Terminal) -> list[tuple[str, str, str]]:
    """What the last column shows, from the heads to the panes."""
    cells = [terminal.screen.buffer[y][terminal.screen.columns - 1] for y in range(3, 30)]
    return [(cell.data, cell.fg, cell.bg) for cell in cells]
