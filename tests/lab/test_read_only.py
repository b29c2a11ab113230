"""A read-only run writes nothing: seen on the wire between vmtop and the daemons, not in the code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import made_anew
from tests.helpers.pty_terminal import Terminal
from tests.helpers.recording_proxy import DockerWire, LibvirtWire

pytestmark = pytest.mark.lab
RIGHT = "\x1b[C"
WRITING = {
    9: "DOMAIN_CREATE", 10: "DOMAIN_CREATE_XML", 11: "DOMAIN_DEFINE_XML", 12: "DOMAIN_DESTROY", 27: "DOMAIN_REBOOT",
    28: "DOMAIN_RESUME", 33: "DOMAIN_SHUTDOWN", 34: "DOMAIN_SUSPEND", 35: "DOMAIN_UNDEFINE",
    196: "DOMAIN_CREATE_WITH_FLAGS", 201: "DOMAIN_OPEN_CONSOLE", 231: "DOMAIN_UNDEFINE_FLAGS",
    234: "DOMAIN_DESTROY_FLAGS", 245: "DOMAIN_RESET", 258: "DOMAIN_SHUTDOWN_FLAGS",
}  # fmt: skip
"""Numbers of procedures that change a domain (libvirt's src/remote/remote_protocol.x)."""


@contextmanager
def wires(folder: Path, docker: DockerLab, libvirt: LibvirtLab) -> Iterator[tuple[DockerWire, LibvirtWire]]:
    socket = parse_qs(urlsplit(libvirt.uri).query)["socket"][0]
    docker_wire = DockerWire(folder / "d.sock", docker.url.removeprefix("unix://"))
    libvirt_wire = LibvirtWire(folder / "l.sock", socket)
    try:
        yield docker_wire, libvirt_wire
    finally:
        docker_wire.close()
        libvirt_wire.close()


def look_at_everything(terminal: Terminal) -> None:
    """Press what a curious person would, on the workload under the cursor."""
    for keys, seconds in (
        ("x", 0.5), ("t", 0.3), ("K", 0.3), ("\r", 0.3), ("\x1b", 0.8), ("\r", 1.0), ("2", 3.0), ("3", 2.5), ("4", 2.5),
        ("5", 0.5), ("x", 0.5), ("p", 0.3), ("\x1b", 0.8), ("\x1b", 0.8), ("l", 2.0), ("\x1b", 0.8), ("i", 1.5),
        ("\x1b", 0.8), ("e", 1.0), ("A", 0.5), ("\x1b", 0.8), ("!", 0.5), ("\x1b", 0.8), ("w", 0.5), ("\x1b", 0.8),
    ):  # fmt: skip
        terminal.press(keys)
        terminal.wait_until_taken()
        terminal.read(seconds)


def test_a_read_only_run_issues_no_writing_call(
    docker_lab: DockerLab, libvirt_lab: LibvirtLab, lab_root: Path, tmp_path: Path
) -> None:
    one = docker_lab.run("wire-web", "while :; do echo x; sleep 1; done")
    tiny = libvirt_lab.start_tiny("wire", BootSector.IDLE)
    folder = lab_root / "wire"
    made_anew(folder)
    try:
        with wires(folder, docker_lab, libvirt_lab) as (docker, libvirt):
            places = (
                "--docker", f"unix://{docker.path}", "--libvirt", f"qemu+unix:///system?socket={libvirt.path}",
            )  # fmt: skip
            environment = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
            argv = ["vmtop", "--read-only", *places]
            with closing(Terminal(argv, (120, 120), environment)) as terminal:  # the rows of other tests, too
                for name in ("wire-web", tiny):
                    terminal.wait_for(lambda name=name: name in terminal.text(), 20, name)  # type: ignore[misc]
                    terminal.press(f"/{name}")
                    terminal.wait_for(lambda name=name: f"filter {name}" in terminal.text(), 10, name)  # type: ignore[misc]
                    terminal.press("\r")
                    terminal.read(1.0)
                    look_at_everything(terminal)
                    terminal.press("\x1b")
                    terminal.read(1.0)
                terminal.press("q")
                assert terminal.wait_exit() == 0
            assert {method for method, _ in docker.requests} == {"GET"}
            assert any("/logs?" in place for _, place in docker.requests)
            assert libvirt.open_flags
            assert all(flags & 1 for flags in libvirt.open_flags), "a connection was not opened read-only"
            assert len(libvirt.procedures) > 20
            assert not {number: WRITING[number] for number in libvirt.procedures if number in WRITING}
        assert docker_lab.client.inspect_container(one)["State"]["Status"] == "running"
    finally:
        docker_lab.remove(one)
        libvirt_lab.remove(tiny)


def test_the_wire_shows_a_writing_call_when_there_is_one(
    docker_lab: DockerLab, libvirt_lab: LibvirtLab, lab_root: Path
) -> None:
    import docker as sdk
    import libvirt as binding

    one = docker_lab.run("wire-proof", "sleep 1000")
    tiny = libvirt_lab.start_tiny("proof", BootSector.IDLE)
    folder = lab_root / "proof"
    made_anew(folder)
    try:
        with wires(folder, docker_lab, libvirt_lab) as (docker, libvirt):
            client = sdk.APIClient(base_url=f"unix://{docker.path}", version="1.41")
            client.pause(one)
            client.close()
            connection = binding.open(f"qemu+unix:///system?socket={libvirt.path}")
            connection.lookupByName(tiny).suspend()
            connection.lookupByName(tiny).reset()
            connection.close()
            assert ("POST", f"/v1.41/containers/{one}/pause") in docker.requests
            assert [flags & 1 for flags in libvirt.open_flags] == [0]
            assert {WRITING.get(number) for number in libvirt.procedures} >= {"DOMAIN_SUSPEND", "DOMAIN_RESET"}
    finally:
        docker_lab.remove(one)
        libvirt_lab.remove(tiny)
