"""What the screen remembers, on a real terminal: also after a kill, and with two vmtops at once."""

from __future__ import annotations

import os
import signal
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.pty_terminal import Terminal

ARGUMENTS = ["vmtop", "--no-spool"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str | None]:
    """Folders of the test's own."""
    return {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}


def begun(environment: dict[str, str | None], *arguments: str) -> Terminal:
    terminal = Terminal([*ARGUMENTS, *arguments], (120, 30), environment)
    terminal.wait_for(lambda: "LIVE" in terminal.text() and "CPU%" in terminal.text(), 30, "the screen")
    return terminal


def left(folder: Path) -> dict[str, object]:
    """Return what is in the state file."""
    path = folder / "vmtop" / "screen.toml"
    return dict(tomllib.loads(path.read_text()).get("screen", {})) if path.exists() else {}


def quit_screen(terminal: Terminal) -> None:
    terminal.press("q")
    assert terminal.wait_exit(20) == 0


def test_a_kill_loses_nothing_that_is_older_than_a_moment(tmp_path: Path, environment: dict[str, str | None]) -> None:
    with closing(begun(environment)) as terminal:
        terminal.press("M")
        terminal.wait_for(lambda: left(tmp_path) == {"sort": "mem"}, 20, "the state file")
        os.kill(terminal.pid, signal.SIGKILL)
        terminal.wait_exit(20)
    with closing(begun(environment)) as terminal:
        terminal.wait_for(lambda: "as you left it; W keeps it" in terminal.text(), 20, "the hint")
        terminal.wait_for(lambda: "▼MEM" in terminal.text(), 20, "the order")
        quit_screen(terminal)
    with closing(begun(environment, "--fresh")) as terminal:
        terminal.wait_for(lambda: "▼CPU%" in terminal.text(), 20, "the order of a fresh start")
        quit_screen(terminal)
    assert left(tmp_path) == {"sort": "mem"}, "a fresh run that changes nothing leaves it as it is"


def test_of_two_at_once_the_last_to_change_something_wins(tmp_path: Path, environment: dict[str, str | None]) -> None:
    with closing(begun(environment)) as first, closing(begun(environment)) as second:
        first.press("M")
        first.wait_for(lambda: left(tmp_path) == {"sort": "mem"}, 20, "what the first one changed")
        second.press("t")
        second.wait_for(lambda: left(tmp_path) == {"tree": True}, 20, "what the second one changed")
        quit_screen(second)
        quit_screen(first)
    assert left(tmp_path) == {"tree": True}
    assert {path.name for path in (tmp_path / "vmtop").iterdir()} <= {"screen.toml", "vmtop.log", "actions.log"}


def test_a_broken_configuration_shows_the_host_and_locks_the_actions(
    tmp_path: Path, environment: dict[str, str | None]
) -> None:
    (tmp_path / "vmtop").mkdir()
    (tmp_path / "vmtop" / "config.toml").write_text("[screen]\n\nintervall = 2\n")
    with closing(Terminal(ARGUMENTS, (120, 30), environment)) as terminal:
        terminal.wait_for(lambda: "did you mean" in " ".join(terminal.text().split()), 30, "the sentence")
        terminal.wait_for(lambda: "configuration not used" in terminal.text(), 30, "the note in the header")
        terminal.press("jx")
        terminal.wait_for(lambda: "actions are locked" in terminal.text(), 30, "the menu")
        terminal.press("\x1b")
        quit_screen(terminal)


def test_a_state_file_that_nobody_can_use_stops_nothing(tmp_path: Path, environment: dict[str, str | None]) -> None:
    (tmp_path / "vmtop").mkdir()
    (tmp_path / "vmtop" / "screen.toml").write_text("#" * 70_000)
    with closing(begun(environment)) as terminal:
        terminal.press("t")
        terminal.wait_for(lambda: left(tmp_path) == {"tree": True}, 20, "the state file")
        quit_screen(terminal)
    assert "screen.toml is not used: it is longer than 64 KiB" in (tmp_path / "vmtop" / "vmtop.log").read_text()
