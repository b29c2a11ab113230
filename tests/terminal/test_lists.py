"""Lists in a real terminal: what is being measured, and lists that replace each other."""

from __future__ import annotations

from contextlib import closing

from tests.helpers.pty_terminal import Terminal
from tests.unit.tui.cli.test_main import FLEET_COMMAND


def test_a_long_measurement_is_shown_while_it_lasts_and_gone_afterwards() -> None:
    with closing(Terminal([*FLEET_COMMAND, "list", "--over", "3", "--limit", "2"], size=(80, 24))) as terminal:
        terminal.wait_for(lambda: "vmtop: measuring, " in terminal.text(), 30, "the line")
        assert terminal.wait_exit(30) == 0
        assert "measuring" not in terminal.text()
        assert terminal.line(0).startswith("NAME")


def test_repeated_lists_replace_each_other_and_leave_room_for_what_is_wrong() -> None:
    command = [*FLEET_COMMAND, "list", "--watch", "0.3", "*-*", "nosuch"]
    with closing(Terminal(command, size=(80, 10))) as terminal:
        terminal.wait_for(lambda: terminal.received.count(b"nosuch: no such workload") >= 3, 30, "three lists")
        terminal.press("\x03")
        assert terminal.wait_exit(30) == 130
        lines = [terminal.line(number) for number in range(10)]
        assert lines[0].startswith("NAME")
        assert sum("nosuch" in line for line in lines) == 1
