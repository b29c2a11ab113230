"""The pages of processes and of the host in a real terminal, with a real process that is ended there."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.pty_terminal import Start, Terminal

SECONDS = f"{200_000 + os.getpid()}"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", SECONDS]) as child:
        yield child
        child.kill()


def _open(start: Start, size: tuple[int, int] = (120, 36), *options: str) -> Terminal:
    terminal = start("--no-spool", *options, size=size)
    terminal.wait_for(lambda: "LIVE" in terminal.text() and "host" in terminal.text(), 30, "the table")
    return terminal


@pytest.mark.parametrize(("size", "options"), [((80, 24), ()), ((120, 36), ("--ascii",))])
def test_a_real_process_is_found_and_ended_by_keys(
    start: Start, sleeper: subprocess.Popen[bytes], size: tuple[int, int], options: tuple[str, ...], tmp_path: Path
) -> None:
    terminal = _open(start, size, *options)
    terminal.press("p")
    terminal.wait_for(lambda: "COMMAND" in terminal.text() and "threads," in terminal.text(), 20, "the processes")
    terminal.press(f"/{SECONDS}\r")  # typed at once: none of it may be taken for a key of the table
    terminal.wait_for(lambda: f"sleep {SECONDS}" in terminal.text(), 20, "the process")
    terminal.read(0.5)
    terminal.press("k")
    terminal.wait_for(lambda: "asks it to end" in terminal.text(), 20, "the menu of signals")
    terminal.read(0.5)
    terminal.press("t")
    terminal.wait_for(lambda: f"kill -TERM {sleeper.pid}" in terminal.text(), 20, "the confirmation")
    terminal.read(1.0)
    assert sleeper.poll() is None
    terminal.press("\t\r")
    assert sleeper.wait(20) == -signal.SIGTERM
    terminal.wait_for(lambda: "ended after" in terminal.text(), 20, "the outcome")
    assert "kill -TERM" in (tmp_path / "state/vmtop/actions.log").read_text()
    terminal.press("\x1b")
    terminal.press("\x1b")
    terminal.wait_for(lambda: "CPUWAIT" in terminal.text(), 20, "the table")
    terminal.press("q")
    assert terminal.wait_exit() == 0


def test_the_host_page_opens_from_its_key(start: Start) -> None:
    terminal = _open(start)
    terminal.press("5")
    terminal.wait_for(lambda: "─ Cores" in terminal.text() and "─ Memory" in terminal.text(), 20, "the host")
    terminal.press("\x1b")
    terminal.wait_for(lambda: "CPUWAIT" in terminal.text(), 20, "the table")
    terminal.press("q")
    assert terminal.wait_exit() == 0
