"""Least privilege on real daemons: vmtop shows all that kernel and engines let its user see, and names the rest.

Each remedy is tried: who follows it gets in.
"""

from __future__ import annotations

import grp
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

import collectors
import tui
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.outsider import Outsider
from tests.helpers.lab.process import made_anew
from tests.helpers.pty_terminal import Terminal

pytestmark = pytest.mark.lab
_DISK = {"disk_read_bytes_per_second", "disk_write_bytes_per_second", "disk_bytes_per_second"}
_JOIN = re.compile(r"sudo usermod -aG (\S+) \$USER")


class Scene(NamedTuple):
    """A container and a machine, on daemons whose sockets are their groups' alone."""

    docker: DockerLab
    libvirt: LibvirtLab
    container: str
    machine: str
    folder: Path

    @property
    def libvirt_socket(self) -> Path:
        return Path(parse_qs(urlsplit(self.libvirt.uri).query)["socket"][0])

    @property
    def places(self) -> tuple[str, ...]:
        return "--docker", self.docker.url, "--libvirt", self.libvirt.uri


@contextmanager
def of_group(socket: Path, name: str) -> Iterator[None]:
    """Give a socket to a group for a while, as distributions do."""
    before = socket.stat()
    os.chown(socket, 0, grp.getgrnam(name).gr_gid)
    socket.chmod(0o660)
    try:
        yield
    finally:
        os.chown(socket, before.st_uid, before.st_gid)
        socket.chmod(stat.S_IMODE(before.st_mode))


@pytest.fixture(scope="module")
def scene(docker_lab: DockerLab, libvirt_lab: LibvirtLab, lab_root: Path) -> Iterator[Scene]:
    folder = lab_root / "privileges"
    made_anew(folder)
    container = docker_lab.run("rights-web", "while :; do :; done", nano_cpus=50_000_000, network_mode="bridge")
    machine = libvirt_lab.start_tiny("rights", BootSector.DISK)
    scene = Scene(docker_lab, libvirt_lab, container, machine, folder)
    with of_group(Path(docker_lab.url.removeprefix("unix://")), "docker"), of_group(scene.libvirt_socket, "libvirt"):
        yield scene
    docker_lab.remove(container)
    libvirt_lab.remove(machine)


def outsider(scene: Scene, *groups: str) -> Outsider:
    return Outsider(scene.folder, tuple(grp.getgrnam(name).gr_gid for name in groups))


def known(listings: Sequence[dict[str, dict[str, Any]]], name: str) -> set[str]:
    """Return the metrics of a workload that had a value in one of the listings: in one no period may have passed."""
    return {key for seen in listings for key, value in seen[name]["metrics"].items() if value is not None}


def test_without_any_group_the_kernel_tells_all_but_what_the_doctor_names(scene: Scene) -> None:
    nobody = outsider(scene)
    sources = nobody.doctor(*scene.places)
    assert {name: sources[name]["availability"] for name in ("host", "cgroup", "docker", "libvirt")} == {
        "host": "ok", "cgroup": "ok", "docker": "denied", "libvirt": "denied",
    }  # fmt: skip
    is_disk_hidden = "disk traffic is not visible" in sources["cgroup"]["reason"]
    assert (sources["cgroup"]["remedy"] == "sudo vmtop") is is_disk_hidden
    said = nobody.run("doctor", "--docker", "unix:///nowhere", "--libvirt", "test:///default").stdout
    assert ("disk traffic is not visible" in said) is is_disk_hidden
    verdict = said.splitlines()[-1]  # which counts what others on this host hide as well
    assert "All that is present can be read" in verdict
    assert not is_disk_hidden or "but not all of it" in verdict

    seen = [nobody.workloads(*scene.places) for _ in range(3)]
    nowhere = ("--docker", "unix:///nowhere", "--libvirt", "test:///default")
    root = Outsider(scene.folder, user=0)
    full = [root.workloads(*nowhere) for _ in range(3)]
    for name in (scene.container[:12], scene.machine):
        assert known(full, name) - known(seen, name) == (_DISK if is_disk_hidden else set())
    assert {"cpu_percent", "memory_host_bytes", "net_rx_bytes_per_second"} <= known(seen, scene.container[:12])


@pytest.mark.parametrize(("source", "other"), [("docker", "libvirt"), ("libvirt", "docker")])
def test_whoever_follows_the_doctor_into_a_group_gets_in_there_and_nowhere_else(
    scene: Scene, source: str, other: str
) -> None:
    told = _JOIN.search(outsider(scene).doctor(*scene.places)[source]["remedy"])
    assert told is not None
    member = outsider(scene, told[1])
    states = member.doctor(*scene.places)
    assert states[source]["availability"] == "ok", states[source]
    assert states[other]["availability"] == "denied"
    assert _JOIN.search(states[other]["remedy"])
    seen = member.workloads(*scene.places)
    if source == "docker":
        assert seen["rights-web"]["image"] == "busybox:lab"
    else:
        assert seen[scene.machine]["metrics"]["vcpus"] == 1


def test_libvirts_socket_for_reading_needs_no_group(scene: Scene) -> None:
    socket = scene.libvirt_socket.with_name("libvirt-sock-ro")
    place = ("--libvirt", f"qemu+unix:///system?socket={socket}")
    nobody = outsider(scene)
    assert nobody.doctor(*place)["libvirt"]["availability"] == "ok"
    assert nobody.workloads(*place)[scene.machine]["metrics"]["vcpus"] == 1


def test_the_screen_says_who_is_denied_and_goes_on_with_the_rest(scene: Scene) -> None:
    with closing(Terminal(outsider(scene).command(*scene.places), (120, 120))) as terminal:
        terminal.wait_for(lambda: scene.container[:12] in terminal.text(), 60, "the container")
        terminal.wait_for(lambda: "docker ✗ denied" in terminal.text(), 20, "the refusal")
        terminal.press("!")
        terminal.wait_for(lambda: "usermod -aG docker" in terminal.text(), 10, "the remedy")
        terminal.press("\x1b")
        terminal.wait_for(lambda: "Sources" not in terminal.text(), 10, "the end of the page")
        terminal.press("q")
        assert terminal.wait_exit(20) == 0


def test_an_action_without_the_right_is_refused_with_the_remedy_and_takes_none(scene: Scene) -> None:
    done = outsider(scene).run("kill", scene.container[:12], "--yes", *scene.places)
    assert done.returncode == 4
    assert _JOIN.search(done.stderr)
    state = scene.docker.client.inspect_container(scene.container)["State"]
    assert state["Status"] == "running"


def test_vmtop_brings_no_set_uid_program() -> None:
    packages = [Path(module).parent for module in (collectors.__file__, tui.__file__)]
    modes = [path.stat().st_mode for package in packages for path in package.rglob("*")]
    assert len(modes) > 200
    assert not any(mode & (stat.S_ISUID | stat.S_ISGID) for mode in modes)
