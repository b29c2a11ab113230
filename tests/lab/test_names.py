"""Names and ids on real engines: what a script, and what a command that is shown, can hit."""

from __future__ import annotations

import shlex
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from docker.errors import APIError

from collectors.engines.docker import shell_commands as docker
from collectors.engines.libvirt import shell_commands as libvirt
from collectors.model.workloads import Kind, Workload, WorkloadId
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.lab.test_acting_terminal import POLITE, docker_states, virsh_states, vmtop

pytestmark = pytest.mark.lab


@contextmanager
def mute_engine(folder: Path) -> Iterator[str]:
    """Listen on a socket that takes every call and answers none."""
    kept: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "mute.sock"))
        listener.listen(64)

        def take() -> None:
            while True:
                try:
                    kept.append(listener.accept()[0])
                except OSError:  # the end of the test
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"unix://{folder}/mute.sock"
    for one in kept:
        one.close()


def test_the_beginning_of_a_name_is_refused_by_every_verb(
    docker_lab: DockerLab, libvirt_lab: LibvirtLab, tmp_path: Path
) -> None:
    one = docker_lab.run("begin-web-canary", POLITE)
    tiny = libvirt_lab.start_tiny("begin-vm", BootSector.IDLE)
    client, guest = docker_lab.client, libvirt_lab.connection.lookupByName(tiny)
    places = ("--docker", docker_lab.url, "--libvirt", libvirt_lab.uri, "--yes")

    def nothing() -> None:
        """Both run."""

    preparations: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "kill": (nothing, nothing),
        "stop": (nothing, nothing),
        "restart": (nothing, nothing),
        "pause": (nothing, nothing),
        "resume": (lambda: client.pause(one), guest.suspend),
        "start": (lambda: client.kill(one), guest.destroy),
    }
    try:
        for verb, prepare in preparations.items():
            if verb == "start":
                client.unpause(one)
            for step in prepare:
                step()
            before = (
                docker_states(docker_lab)["begin-web-canary"],
                virsh_states(libvirt_lab)[tiny],
                started(docker_lab, one),
            )
            done = vmtop(tmp_path, verb, "begin-web", "ct:begin-web", tiny[:-1], f"vm:{tiny[:-1]}", *places)
            assert done.returncode == 3, done.stderr
            assert done.stderr.count("no such workload") == 4, done.stderr
            assert done.stderr.count(f"did you mean vm:{tiny}?") == 2
            assert done.stderr.count("did you mean container:begin-web-canary?") == 2
            after = (
                docker_states(docker_lab)["begin-web-canary"],
                virsh_states(libvirt_lab)[tiny],
                started(docker_lab, one),
            )
            assert after == before, verb
    finally:
        docker_lab.remove(one)
        libvirt_lab.remove(tiny)


def started(lab: DockerLab, identity: str) -> str:
    return str(lab.client.inspect_container(identity)["State"]["StartedAt"])


def test_a_standby_is_not_hit_while_the_one_that_is_meant_is_made_anew(docker_lab: DockerLab, tmp_path: Path) -> None:
    standby = docker_lab.run("race-standby", POLITE)
    first_start = started(docker_lab, standby)
    is_over = threading.Event()

    def make_anew() -> None:
        while not is_over.is_set():
            try:
                one = docker_lab.run("race", POLITE)
                is_over.wait(0.3)
                docker_lab.remove(one)
            except APIError:  # it was stopped in the middle of this
                continue
            is_over.wait(0.7)

    maker = threading.Thread(target=make_anew)
    maker.start()
    codes = []
    try:
        for _ in range(8):
            done = vmtop(tmp_path, "stop", "race", "--yes", "--timeout", "1", "--docker", docker_lab.url)
            codes.append(done.returncode)
            assert "race-standby was" not in done.stdout + done.stderr
            assert docker_states(docker_lab)["race-standby"] == "running"
    finally:
        is_over.set()
        maker.join(30)
        docker_lab.remove(standby)
    assert first_start
    assert set(codes) <= {0, 1, 3, 5}, codes  # 5: it was created and did not run yet
    assert 3 in codes  # it was away at least once, else nothing was tried


def test_an_engine_that_does_not_answer_is_no_reason_to_call_a_name_absent_or_unique(
    docker_lab: DockerLab, tmp_path: Path
) -> None:
    one = docker_lab.run("mute-web", POLITE)
    try:
        with mute_engine(tmp_path) as mute:
            done = vmtop(tmp_path, "stop", "mute-web", "--yes", "--wait", "5", DOCKER_HOST=mute)
            assert done.returncode == 8, done.stderr
            assert f"mute-web: docker at {mute} has not answered for 5 s" in done.stderr
            assert "nothing was done" in done.stderr
            assert "no such workload" not in done.stderr
            both = ("--wait", "10", "--docker", docker_lab.url, "--docker", mute)
            for name in ("mute-web", "container:mute-web", one[:12]):
                done = vmtop(tmp_path, "stop", name, "--yes", *both)
                assert done.returncode == 8, done.stderr
                assert docker_states(docker_lab)["mute-web"] == "running"
            done = vmtop(tmp_path, "stop", one, "--yes", *both)
            assert (done.returncode, docker_states(docker_lab)["mute-web"]) == (0, "exited"), done.stderr
    finally:
        docker_lab.remove(one)


def shown_uuid(lab: LibvirtLab, domain: str) -> str:
    """Return whom virsh takes an argument for, as a shell hands it on."""
    command = f"virsh --connect {shlex.quote(lab.uri)} dominfo {domain}"
    told = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout
    return next(line.split()[1] for line in told.splitlines() if line.startswith("UUID:"))


def test_the_command_that_is_shown_means_the_same_domain_to_virsh(libvirt_lab: LibvirtLab) -> None:
    victim = libvirt_lab.start_tiny("shown", BootSector.IDLE)
    connection = libvirt_lab.connection
    other = connection.lookupByName(victim)
    bare = other.UUIDString().replace("-", "")
    named = (
        str(other.ID()),
        f"+{other.ID()}",
        f" {other.ID()}",
        other.UUIDString(),
        bare,
        "--all",
        "-c",
        "a b",
        "$(id)",
    )
    defined = []
    try:
        for name in named:
            xml = BootSector.IDLE.xml("NAME", libvirt_lab.folder, 4, "").replace("<name>NAME<", f"<name>{name}<")
            defined.append(connection.defineXML(xml))
        for domain in (other, *defined):
            workload = Workload(WorkloadId("qemu", domain.UUIDString()), Kind.VM, domain.name())
            assert shown_uuid(libvirt_lab, libvirt.argument(workload)) == domain.UUIDString(), domain.name()
        assert libvirt.argument(Workload(WorkloadId("qemu", other.UUIDString()), Kind.VM, victim)) == victim
    finally:
        for domain in defined:
            domain.undefine()
        libvirt_lab.remove(victim)


def test_the_command_that_is_shown_means_the_same_container_to_docker(docker_lab: DockerLab) -> None:
    one = docker_lab.run("shown-web", POLITE)
    ids = [one, docker_lab.run(one, POLITE), docker_lab.run(one[:12], POLITE)]
    try:
        for identity in ids:
            name = docker_lab.client.inspect_container(identity)["Name"].lstrip("/")
            said = docker.argument(Workload(WorkloadId("docker", identity), Kind.CONTAINER, name))
            words = ["docker", "--host", docker_lab.url, "inspect", "--format", "{{.Id}}", said]
            told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
            assert told == identity, name
    finally:
        for identity in ids:
            docker_lab.remove(identity)
