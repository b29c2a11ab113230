"""A command in the background: its end counts, not that of what it leaves behind."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tui.controllers.background_program import run_program


def run(script: str) -> tuple[int, str]:
    return run_program("it", ["sh", "-c", script], dict(os.environ))


@pytest.mark.parametrize("daemon", ["sleep 300", "yes"])
def test_a_daemon_that_is_left_behind_does_not_keep_it_from_ending(daemon: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    began = time.monotonic()
    try:
        code, _ = run(f"echo started; sh -c 'echo $$ >{pid_file}; exec {daemon}' & exit 3")
        assert code == 3
        assert time.monotonic() - began < 250, "it did not wait for the daemon"
    finally:
        with suppress(ProcessLookupError, FileNotFoundError, ValueError):
            os.kill(int(pid_file.read_text()), signal.SIGKILL)


def test_all_of_a_long_output_is_taken_and_the_last_line_is_that_of_its_end() -> None:
    assert run("head -c 300000 /dev/zero | tr '\\\\0' x; echo; echo done; exit 4") == (4, "done")
    assert run("printf last") == (0, "last")
    assert run("exec >/dev/null 2>&1; exit 5") == (5, "")
