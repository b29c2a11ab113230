"""The users' own commands on real containers, through a real terminal."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.pty_terminal import Terminal
from tests.terminal.test_consoles import leave_vmtop

CONFIG = """
[[commands]]
label = "note it"
key = "ctrl+o"
for = "container"
run = ["{script}", "{{name}}", "--id={{id}}"]
safe = true

[[commands]]
label = "in the back"
for = "container"
run = ["sh", "-c", "echo of $VMTOP_NAME; exit 3"]
in = "background"
"""
SCRIPT = """#!/bin/sh
env | grep ^VMTOP_ | sort > "{target}"
printf '%s\\n' "$@" >> "{target}"
tty -s && echo "on a terminal" >> "{target}"
echo "it says hello to $VMTOP_NAME"
read answer
echo "answered $answer" >> "{target}"
exit 4
"""


@contextmanager
def on_container(lab: DockerLab, name: str, folder: Path) -> Iterator[tuple[Terminal, Path]]:
    """Run vmtop with two own commands and one container under the cursor."""
    target, script = folder / "target", folder / "script"
    script.write_text(SCRIPT.format(target=target))
    script.chmod(stat.S_IRWXU)
    (folder / "vmtop").mkdir()
    (folder / "vmtop" / "config.toml").write_text(CONFIG.format(script=script))
    environment = {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with closing(Terminal(["vmtop", "--docker", lab.url, "--filter", name], (110, 30), environment)) as terminal:
        terminal.wait_for(lambda: any(line.startswith(f" ● {name}") for line in terminal.screen.display), 20, name)
        yield terminal, target


@pytest.mark.lab
def test_a_key_runs_it_on_a_terminal_with_the_container_in_its_environment(
    docker_lab: DockerLab, tmp_path: Path
) -> None:
    one = docker_lab.run("own-one", "sleep 1000")
    try:
        with on_container(docker_lab, "own-one", tmp_path) as (terminal, target):
            terminal.press("\x0f")
            terminal.wait_for(lambda: "it says hello to own-one" in terminal.text(), 15, "the program")
            terminal.press("yes\r")
            terminal.wait_for(lambda: "any key comes back" in terminal.text(), 10, "its end")
            terminal.press(" ")
            terminal.wait_for(lambda: "LIVE" in terminal.text() and "exit code 4" in terminal.text(), 10, "the screen")
            leave_vmtop(terminal)
            lines = target.read_text().splitlines()
        assert "VMTOP_NAME=own-one" in lines
        assert f"VMTOP_ID={one}" in lines
        assert "VMTOP_KIND=container" in lines
        assert "VMTOP_ENGINE=docker" in lines
        assert next(line for line in lines if line.startswith("VMTOP_IMAGE=")).removeprefix("VMTOP_IMAGE=")
        assert next(line for line in lines if line.startswith("VMTOP_CGROUP=")).endswith(one)
        assert lines[-4:] == ["own-one", f"--id={one}", "on a terminal", "answered yes"]
        entry = json.loads((tmp_path / "vmtop" / "actions.log").read_text().splitlines()[-1])
        assert (entry["verb"], entry["name"], entry["result"]) == ("own command 'note it'", "own-one", "failed")
        assert entry["command"].endswith(f"own-one --id={one}")
    finally:
        docker_lab.remove(one)


@pytest.mark.lab
def test_the_menu_asks_first_and_the_outcome_is_shown(docker_lab: DockerLab, tmp_path: Path) -> None:
    one = docker_lab.run("own-two", "sleep 1000")
    try:
        with on_container(docker_lab, "own-two", tmp_path) as (terminal, _):
            terminal.press("x")
            terminal.wait_for(lambda: "in the back" in terminal.text(), 10, "the menu")
            terminal.press("2")
            terminal.wait_for(lambda: "runs on this host" in terminal.text(), 10, "the confirmation")
            terminal.read(1)  # it is armed a moment after it was seen
            terminal.press("\x1b[C")
            terminal.read(0.3)
            terminal.press("\r")
            terminal.wait_for(lambda: "exit code 3: of" in terminal.text(), 15, "the outcome")
            terminal.press("L")
            terminal.wait_for(lambda: "locked" in terminal.text(), 10, "the lock")
            terminal.press("x")
            terminal.wait_for(lambda: "actions are locked; L unlocks them" in terminal.text(), 10, "the refusal")
            terminal.press("q")
            leave_vmtop(terminal)
    finally:
        docker_lab.remove(one)
