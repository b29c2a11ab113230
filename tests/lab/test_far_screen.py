"""The screen with several real hosts: equal names by host, an action on one of them, what was recorded of all."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.lab.far_hosts import FarHosts
from tests.helpers.patience import EXTERNAL_S
from tests.helpers.pty_terminal import Terminal
from tests.lab.test_acting_terminal import act

pytestmark = pytest.mark.lab
NAMES = ("hv01", "hv02", "hv03")
HOSTS = [word for name in NAMES for word in ("--host", name)]
VMTOP = str(Path(sys.executable).with_name("vmtop"))


@pytest.fixture(scope="module")
def trio(far_lab: FarHosts) -> Iterator[FarHosts]:
    """Three hosts, one of them behind another, with a container `web` on each."""
    hosts = [far_lab.hosts[name] for name in NAMES]
    for host in hosts:
        host.run("web")
    with far_lab.as_client():
        yield far_lab
    for host in hosts:
        host.inside("docker", "rm", "-f", "web")


def running(trio: FarHosts) -> set[str]:
    """Return the hosts on which `web` runs, as `docker ps` says there."""
    return {name for name in NAMES if "web" in trio.hosts[name].container_names()}


def rows(terminal: Terminal) -> list[list[str]]:
    """Return the words of the table's lines about `web`."""
    lines = [terminal.line(number).replace("│", " ").split() for number in range(terminal.screen.lines)]
    return [words for words in lines if words[:1] in (["●"], ["○"]) and words[2:3] == ["web"]]


def test_the_screen_has_each_host_and_an_action_reaches_the_one_that_was_meant(trio: FarHosts, tmp_path: Path) -> None:
    with closing(Terminal(["vmtop", *HOSTS], (110, 30), {"XDG_STATE_HOME": str(tmp_path)})) as terminal:
        terminal.wait_for(lambda: {words[1] for words in rows(terminal)} == set(NAMES), 90, "web on each host")
        terminal.press("/")
        terminal.wait_for(lambda: "filter" in terminal.text(), 30, "the prompt")
        terminal.press("host=hv03 web")
        terminal.wait_for(lambda: [words[1] for words in rows(terminal)] == ["hv03"], 30, "one row")
        terminal.press("\r")
        terminal.wait_for(lambda: "x act" in terminal.line(29), 30, "the end of the prompt")
        act(terminal, "K", "Kill container web on hv03?", "web")
        terminal.wait_for(lambda: "web was killed" in terminal.text(), 90, "the outcome")
        assert running(trio) == {"hv01", "hv02"}
        terminal.press("q")
        assert terminal.wait_exit(30) == 0
    trio.hosts["hv03"].inside("docker", "start", "web")
    (entry,) = map(json.loads, (tmp_path / "vmtop" / "actions.log").read_text().splitlines())
    assert (entry["host"], entry["verb"], entry["result"]) == ("hv03", "kill", "done")


@pytest.mark.usefixtures("trio")
def test_what_was_recorded_of_all_is_replayed_with_each_host(tmp_path: Path) -> None:
    path = tmp_path / "fleet.vmtop.gz"
    recorded = subprocess.run(
        [VMTOP, "record", str(path), *HOSTS, "--duration", "20s"], capture_output=True, text=True, timeout=120
    )
    assert recorded.returncode == 0, recorded.stderr
    info = subprocess.run([VMTOP, "info", str(path)], capture_output=True, text=True, timeout=EXTERNAL_S)
    assert all(name in info.stdout for name in NAMES), info
    exported = subprocess.run(
        [VMTOP, "export", str(path), "--format", "csv"], capture_output=True, text=True, timeout=EXTERNAL_S
    )
    assert all(f"{name}," in exported.stdout for name in NAMES), exported.stdout[:300]
    with closing(Terminal(["vmtop", "replay", str(path), "--at", "end"], (110, 30))) as terminal:
        terminal.wait_for(lambda: {words[1] for words in rows(terminal)} == set(NAMES), 60, "web on each host")
        terminal.press("q")
        assert terminal.wait_exit(30) == 0
