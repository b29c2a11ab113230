"""`vmtop run` on a terminal: the command has it as a shell would give it."""

from __future__ import annotations

import sys
from contextlib import closing

import pytest

from tests.helpers.lab.run_folder import VMTOP
from tests.helpers.pty_terminal import Terminal

pytestmark = pytest.mark.slow

COUNTER = (
    "import signal, time; seen = []; signal.signal(signal.SIGINT, lambda *_: seen.append(1)); print('ready')\n"
    "while not seen: time.sleep(0.01)\n"
    "time.sleep(0.5); print('interrupted', len(seen), 'times')"
)


def test_control_c_reaches_the_command_once_and_vmtop_outlives_it() -> None:
    with closing(Terminal(["vmtop", "run", "--", sys.executable, "-u", "-c", COUNTER])) as terminal:
        terminal.wait_for(lambda: "ready" in terminal.text(), 20, "the command")
        terminal.press("\x03")
        assert terminal.wait_exit() == 0
        assert "interrupted 1 times" in terminal.text()
        assert "peak memory" in terminal.text()


def test_a_command_that_control_c_ends_is_reported() -> None:
    with closing(Terminal(["vmtop", "run", "--", "sh", "-c", "echo ready; exec sleep 60"])) as terminal:
        terminal.wait_for(lambda: "ready" in terminal.text(), 20, "the command")
        terminal.press("\x03")
        assert terminal.wait_exit() == 130
        assert "was ended by signal 2" in terminal.text()


def test_the_command_reads_what_is_typed() -> None:
    with closing(
        Terminal(["vmtop", "run", "--quiet", "--", "sh", "-c", "echo ready; read x; echo got $x"])
    ) as terminal:
        terminal.wait_for(lambda: "ready" in terminal.text(), 20, "the command")
        terminal.press("words\n")
        assert terminal.wait_exit() == 0
        assert "got words" in terminal.text()


def test_in_a_shell_it_stops_and_goes_on_as_one_job() -> None:
    with closing(Terminal(["bash", "--norc", "-i"], environment={"PS1": "$ "})) as terminal:
        terminal.wait_for(lambda: "$" in terminal.text(), 20, "the shell")
        terminal.press(f"{VMTOP} run --quiet -- sh -c 'echo ready; sleep 3; echo the end'\n")
        terminal.wait_for(lambda: "\nready" in terminal.text(), 20, "the command")
        terminal.press("\x1a")
        terminal.wait_for(lambda: "Stopped" in terminal.text(), 20, "the job to stop")
        terminal.press("fg\n")
        terminal.wait_for(lambda: "\nthe end" in terminal.text(), 20, "the end")
        terminal.press("exit 7\n")
        assert terminal.wait_exit() == 7


def test_the_rest_of_a_pipeline_may_still_read_the_terminal() -> None:
    """As `less` does. A group of its own in the foreground would stop it."""
    with closing(Terminal(["bash", "--norc", "-i"], environment={"PS1": "$ "})) as terminal:
        terminal.wait_for(lambda: "$" in terminal.text(), 20, "the shell")
        reader = "sh -c 'echo ready; read word </dev/tty; echo got $word'"
        terminal.press(f"{VMTOP} run --quiet -- sleep 2 | {reader}\n")
        terminal.wait_for(lambda: "\nready" in terminal.text(), 20, "the reader")
        terminal.press("words\n")
        terminal.wait_for(lambda: "\ngot words" in terminal.text(), 20, "what was typed")
        terminal.press("exit 7\n")
        assert terminal.wait_exit() == 7
