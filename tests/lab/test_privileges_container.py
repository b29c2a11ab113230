"""vmtop inside a container of a real engine: with the guide's mounts it sees the host, else it says what to add."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.helpers.checkout import ROOT as CHECKOUT
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.outsider import NEEDED, NOBODY, by_name, settled

pytestmark = pytest.mark.lab
GUESSED = "which interfaces of some network namespaces lead out of them is judged by their names"
_GUIDE = (CHECKOUT / "docs" / "permissions.md").read_text()
_PYTHON = [f"{folder}:{folder}:ro" for folder in dict.fromkeys(("/usr", "/lib", "/lib64", *map(str, NEEDED)))]
_VMTOP = (sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')")
_RECOMMENDED: dict[str, Any] = {
    "pid_mode": "host", "cgroupns": "host", "network_mode": "host", "cap_add": ["SYS_PTRACE"],
}  # fmt: skip


class Inside:
    """Runs vmtop in containers of the lab's engine, beside a container and a machine that it should see."""

    def __init__(self, docker: DockerLab, libvirt: LibvirtLab, container: str, machine: str) -> None:
        self.docker = docker
        self.container = container
        self.machine = machine
        libvirt_socket = Path(parse_qs(urlsplit(libvirt.uri).query)["socket"][0])
        self.mounts = [
            "/sys/fs/cgroup:/sys/fs/cgroup:ro",
            f"{docker.url.removeprefix('unix://')}:/var/run/docker.sock",
            f"{libvirt_socket.parent}:/run/libvirt",
            f"{libvirt_socket.parent}:/var/run/libvirt",  # in images of distributions a link to the other
        ]

    def run(self, arguments: list[str], mounts: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run vmtop to its end."""
        argv = ["env", "PYTHONDONTWRITEBYTECODE=1", f"PYTHONPATH={CHECKOUT}", *_VMTOP, *arguments]
        one = self.docker.run("inside", argv, binds=[*_PYTHON, *mounts], **options)
        try:
            code = self.docker.client.wait(one, timeout=120)["StatusCode"]
            said = self.docker.client.logs(one, stdout=True, stderr=False).decode()
            trouble = self.docker.client.logs(one, stdout=False, stderr=True).decode()
        finally:
            self.docker.remove(one)
        return subprocess.CompletedProcess(arguments, code, said, trouble)

    def document(self, command: list[str], mounts: list[str], **options: Any) -> dict[str, Any]:
        return settled(lambda: self.run([*command, "--json"], mounts, **options))


@pytest.fixture(scope="module")
def inside(docker_lab: DockerLab, libvirt_lab: LibvirtLab) -> Iterator[Inside]:
    container = docker_lab.run("inside-web", "while :; do :; done", nano_cpus=50_000_000, network_mode="bridge")
    machine = libvirt_lab.start_tiny("inside", BootSector.DISK)
    yield Inside(docker_lab, libvirt_lab, container, machine)
    docker_lab.remove(container)
    libvirt_lab.remove(machine)


def test_with_the_guides_mounts_it_sees_what_root_sees_on_the_host(inside: Inside) -> None:
    document = inside.document(["list", "--all"], inside.mounts, **_RECOMMENDED)
    sources = by_name(document["sources"])
    assert {name: sources[name]["availability"] for name in ("host", "cgroup", "docker", "libvirt")} == {
        "host": "ok", "cgroup": "ok", "docker": "ok", "libvirt": "ok",
    }  # fmt: skip
    assert sources["host"]["reason"] == sources["docker"]["reason"] == ""
    assert sources["cgroup"]["reason"] in ("", GUESSED), "other tests' namespaces may have names of their own"
    seen = by_name(document["workloads"])
    assert seen["inside-web"]["image"] == "busybox:lab"
    assert seen[inside.machine]["metrics"]["vcpus"] == 1
    wanted = {"cpu_percent", "memory_host_bytes", "disk_write_bytes_per_second", "net_rx_bytes_per_second"}
    assert not {key for key in wanted if seen["inside-web"]["metrics"][key] is None}
    assert document["host"]["metrics"]["net_rx_bytes_per_second"] is not None


def test_without_them_it_says_what_it_does_not_see_and_the_options_that_show_it(inside: Inside) -> None:
    document = inside.document(["doctor"], [])
    sources = by_name(document["sources"])
    assert "only the cgroups below vmtop's own container are seen" in sources["cgroup"]["reason"]
    assert "the host's processes are not seen" in sources["cgroup"]["reason"]
    for option in ("--pid=host", "--cgroupns=host", "--cap-add=SYS_PTRACE", "-v /sys/fs/cgroup:/sys/fs/cgroup:ro"):
        assert option in sources["cgroup"]["remedy"]
        assert option in _GUIDE
    assert sources["docker"]["availability"] == sources["libvirt"]["availability"] == "absent"
    for name, option in (
        ("docker", "-v /var/run/docker.sock:/var/run/docker.sock"),
        ("libvirt", "-v /run/libvirt:/run/libvirt"),
    ):
        assert option in sources[name]["remedy"]
        assert option in _GUIDE


def test_without_the_right_to_trace_it_names_the_disks_and_the_capability(inside: Inside) -> None:
    options = _RECOMMENDED | {"cap_add": []}
    sources = by_name(inside.document(["doctor"], inside.mounts, **options)["sources"])
    if "disk needs root" in sources["cgroup"]["detail"]:
        assert "disk traffic is not visible" in sources["cgroup"]["reason"]
        assert "--cap-add=SYS_PTRACE" in sources["cgroup"]["remedy"]
    assert sources["docker"]["availability"] == sources["libvirt"]["availability"] == "ok"


def test_as_another_user_in_a_container_the_sockets_group_is_named_as_an_option(inside: Inside) -> None:
    """The group of the host's socket has no name in there: its number is an option of the container."""
    group = Path(inside.docker.url.removeprefix("unix://")).stat().st_gid
    as_nobody = ["doctor"]
    options = _RECOMMENDED | {"security_opt": ["no-new-privileges"]}
    sources = by_name(inside.document(as_nobody, inside.mounts, user=str(NOBODY), **options)["sources"])
    assert sources["docker"]["availability"] == "denied"
    assert f"--group-add {group}" in sources["docker"]["remedy"]
    followed = inside.document(as_nobody, inside.mounts, user=str(NOBODY), group_add=[str(group)], **options)
    assert by_name(followed["sources"])["docker"]["availability"] == "ok"


def test_the_guide_has_the_options_that_are_tried_here() -> None:
    commands = " ".join(_GUIDE.split())
    for option in ("--pid=host", "--cgroupns=host", "--network=host", "--cap-add=SYS_PTRACE"):
        assert option in commands
