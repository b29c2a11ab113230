"""Watching opens nothing for writing, runs no program and takes no right: seen in the system calls of real runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.watched import Watched
from tests.helpers.pty_terminal import Terminal

pytestmark = pytest.mark.lab
VMTOP = [sys.executable, "-B", "-c", "from tui.cli.main import main; main(prog_name='vmtop')"]
TERMINALS = ("/dev/tty", "/dev/pts/", "/dev/null")


@pytest.fixture(scope="module")
def places(docker_lab: DockerLab, libvirt_lab: LibvirtLab) -> Iterator[list[str]]:
    """Give the options that name the lab's daemons, with a container on the one."""
    container = docker_lab.run("quiet-web", "while :; do echo x; sleep 1; done")
    yield ["--docker", docker_lab.url, "--libvirt", libvirt_lab.uri]
    docker_lab.remove(container)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {variable: str(tmp_path / "home") for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "HOME")}


def besides_terminals(watched: Watched) -> set[str]:
    return {path for path in watched.opened_to_write() if not path.startswith(TERMINALS)}


@pytest.mark.parametrize(
    "command",
    [
        ["list", "--all"],
        ["stream", "--count", "2"],
        ["inspect", "quiet-web"],
        ["doctor"],
        ["doctor", "--report"],
    ],
)
def test_a_command_that_prints_opens_nothing_for_writing(
    places: list[str], environment: dict[str, str], tmp_path: Path, command: list[str]
) -> None:
    watched = Watched(tmp_path / "calls", [*VMTOP, *command, *places])
    done = subprocess.run(watched.command, env=os.environ | environment, capture_output=True, text=True, timeout=120)
    assert "quiet-web" in done.stdout or command[0] == "doctor", done.stderr
    assert watched.opened() > 300
    assert besides_terminals(watched) == set()
    assert len(watched.programs()) == 1
    assert watched.powers() == set()


@pytest.mark.parametrize("is_kept", [False, True], ids=["without a spool", "with its session in the background"])
def test_a_screen_that_is_only_looked_at_writes_its_own_state_at_most(
    places: list[str], environment: dict[str, str], tmp_path: Path, is_kept: bool
) -> None:
    options = ["--read-only", *([] if is_kept else ["--no-spool"]), *places]
    watched = Watched(tmp_path / "calls", [*VMTOP, *options])
    with closing(Terminal(watched.command, (120, 120), environment)) as terminal:  # the rows of other tests, too
        terminal.wait_for(lambda: "quiet-web" in terminal.text(), 90, "the container")
        terminal.press("/quiet-web\r")
        terminal.wait_for(lambda: "filter quiet-web" in terminal.text(), 30, "the filter")
        for keys, shown in (("l", "engine log"), ("i", "Id"), ("!", "Sources"), ("x", "possible, but locked")):
            terminal.press(keys)
            terminal.wait_for(lambda shown=shown: shown in terminal.text(), 30, shown)  # type: ignore[misc]
            terminal.press("\x1b")
            terminal.read(1.0)
        terminal.press("q")
        assert terminal.wait_exit(60) == 0
    home = tmp_path / "home"
    written = besides_terminals(watched)
    assert {path for path in written if f"{home}/vmtop" not in path} <= {f"mkdir {home}"}
    assert any("/spool" in path for path in written) is is_kept
    assert len(watched.programs()) == 1
    assert watched.powers() == set()


def test_the_watch_shows_a_write_a_program_and_a_signal_when_there_is_one(tmp_path: Path) -> None:
    script = f"echo x >{tmp_path}/file; mkdir {tmp_path}/folder; kill -0 $PPID; exec true"
    watched = Watched(tmp_path / "calls", ["sh", "-c", script])
    subprocess.run(watched.command, check=True)
    assert watched.opened_to_write() == {f"{tmp_path}/file", f"mkdir {tmp_path}/folder"}
    assert [program.rpartition("/")[2] for program in watched.programs()][-1] == "true"
    assert any(call.startswith("kill(") for call in watched.powers())
