"""vmtop through a real SSH server: keys, a slow reader, a connection that drops."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.hostile_text import search, visit
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.process import wait_until
from tests.helpers.lab.ssh_server import ssh_server
from tests.helpers.pty_terminal import Terminal
from tests.terminal.test_sessions import frames_of, is_whole
from tests.terminal.test_slow_link import MOST, RATE

pytestmark = pytest.mark.lab
VMTOP = str(Path(sys.executable).with_name("vmtop"))


@pytest.fixture(scope="module")
def ssh(lab_root: Path) -> Iterator[list[str]]:
    """An SSH server of our own, and how to reach it."""
    with skip_or_fail(), ssh_server(lab_root / "ssh") as command:
        yield command


def remote(folder: Path, *words: str) -> str:
    """Return the remote command: vmtop with a state folder of the test's own; it leaves its process id behind."""
    line = f"echo $$ > {folder}/pid; XDG_STATE_HOME={folder} LANG=C.UTF-8 exec {shlex.join([VMTOP, *words])}"
    return shlex.join(["sh", "-c", line])


def test_vmtop_runs_through_ssh_and_leaves_a_sane_terminal(ssh: list[str], tmp_path: Path) -> None:
    with closing(Terminal([*ssh, remote(tmp_path, "demo", "--workloads", "20")], (100, 30))) as terminal:
        terminal.wait_for(lambda: "●" in terminal.text(), 60, "the fleet")
        visit(terminal, [("M", "▼MEM"), ("?", "Most used"), ("\x1b", "/LIMIT")])
        terminal.resize(140, 40)
        terminal.wait_for(lambda: "q quit" in terminal.screen.display[39], 30, "the new size")
        terminal.press("q")
        assert terminal.wait_exit(20) == 0
        assert b"\x1b[?1049l" in terminal.received
        assert search(bytes(terminal.received)).found == []


def test_a_key_is_behind_a_picture_or_two_also_through_ssh(ssh: list[str], tmp_path: Path) -> None:
    command = remote(tmp_path, "demo", "--workloads", "30", "--interval", "0.2")
    with closing(Terminal([*ssh, command], (100, 30), bytes_per_s=RATE)) as terminal:
        terminal.wait_for(lambda: "●" in terminal.text(), 60, "the fleet")
        terminal.read(15)
        for key, words in (("M", "▼MEM"), ("P", "▼CPU%")):
            before = len(terminal.received)
            visit(terminal, [(key, words)], pause=0)
            assert len(terminal.received) - before < MOST
        terminal.press("q")
        assert terminal.wait_exit(60) == 0


def test_a_connection_that_drops_ends_it_and_the_recording_is_whole(ssh: list[str], tmp_path: Path) -> None:
    path = tmp_path / "rec.vmtop.gz"
    command = remote(tmp_path, "demo", "--workloads", "10", "--interval", "0.2", "--record", str(path))
    with closing(Terminal([*ssh, command], (100, 30))) as terminal:
        terminal.wait_for(lambda: frames_of(path) > 3 and "●" in terminal.text(), 60, "frames in the file")
        os.kill(terminal.pid, signal.SIGKILL)
        there = Path("/proc") / (tmp_path / "pid").read_text().strip()
        wait_until(lambda: not there.exists(), 30, "the end of vmtop")
    assert is_whole(path)
    assert not list((tmp_path / "vmtop" / "spool").iterdir())
