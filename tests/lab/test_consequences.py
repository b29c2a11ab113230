"""What real engines say of a workload before an action, and that it comes about as it was said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import libvirt
import pytest
from docker.errors import NotFound

from collectors.actions.confirmation import besides, consequence
from collectors.actions.runner import Runner
from collectors.engines.docker.access import DockerAccess
from collectors.engines.docker.actions import DockerActions
from collectors.model.actions import AfterTimeout, Note, Request, Verb
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until
from tests.helpers.pty_terminal import Terminal
from tests.lab.test_acting_terminal import vmtop
from tests.lab.test_actions import IGNORES_SIGNALS, container, docker_runner, docker_state, domain, libvirt_runner

__all__ = ["docker_runner", "libvirt_runner"]
pytestmark = pytest.mark.lab


@pytest.fixture
def brief(docker_lab: DockerLab) -> Iterator[str]:
    """A container of `docker run --rm`, deaf to what asks it to end."""
    one = docker_lab.run("besides-rm", IGNORES_SIGNALS, auto_remove=True)
    yield one
    docker_lab.remove(one)


def is_gone(lab: DockerLab, identity: str) -> bool:
    try:
        lab.client.inspect_container(identity)
    except NotFound:
        return True
    return False


def words(request: Request) -> str:
    return " ".join(besides(request))


def test_a_container_that_the_engine_removes_is_said_to_be_removed(
    docker_lab: DockerLab, docker_runner: Runner, brief: str, tmp_path: Path
) -> None:
    asked = container(brief, "besides-rm")
    seen = docker_runner.look(asked)
    assert seen.notes == {Note.REMOVED_AT_END}
    for verb, after, is_said in (
        (Verb.STOP, AfterTimeout.FORCE, True),
        (Verb.KILL, AfterTimeout.FORCE, True),
        (Verb.RESTART, AfterTimeout.FORCE, False),
        (Verb.RESTART, AfterTimeout.LEAVE, True),
    ):
        assert ("removes it" in words(Request(verb, asked, after=after, seen=seen))) is is_said
    done = vmtop(tmp_path, "kill", "besides-rm", "--yes", "--docker", docker_lab.url)
    assert done.returncode == 0, done.stderr
    assert "besides-rm: The engine removes it once it ends" in done.stderr
    wait_until(lambda: is_gone(docker_lab, brief), 20, "its removal")


def test_the_question_of_a_script_says_it_too(docker_lab: DockerLab, brief: str, tmp_path: Path) -> None:
    command = ["vmtop", "kill", "besides-rm", "--docker", docker_lab.url]
    with closing(Terminal(command, (120, 40), {"XDG_STATE_HOME": str(tmp_path)})) as terminal:
        terminal.wait_for(lambda: "Go on?" in terminal.text(), 30, "the question")
        assert "The engine removes it once it ends (--rm)" in " ".join(terminal.text().split())
        assert f"docker -H {docker_lab.url} kill {brief}" in terminal.text().replace("\n", "")
        terminal.press("n\r")
    assert docker_state(docker_lab, brief) == "running"


@pytest.mark.parametrize("by", ["name", "id"])
def test_who_loses_the_network_with_a_container_is_named(docker_lab: DockerLab, by: str, tmp_path: Path) -> None:
    owner = docker_lab.run("besides-gateway", IGNORES_SIGNALS, network_mode="bridge")
    mode = f"container:{owner if by == 'id' else 'besides-gateway'}"
    user = docker_lab.run("besides-behind-it", IGNORES_SIGNALS, network_mode=mode)
    try:
        done = vmtop(tmp_path, "kill", "besides-gateway", "--yes", "--docker", docker_lab.url)
        assert done.returncode == 0, done.stderr
        assert "besides-gateway: These use its network and lose it: besides-behind-it." in done.stderr
        done = vmtop(tmp_path, "kill", "besides-behind-it", "--yes", "--docker", docker_lab.url)
        assert "lose it" not in done.stderr, "the other one has ended, and never used its network"
    finally:
        docker_lab.remove(user)
        docker_lab.remove(owner)


def test_a_restart_by_force_keeps_what_its_end_would_remove(docker_lab: DockerLab, brief: str) -> None:
    engine = DockerActions(DockerAccess([SourceSpec("docker", {"url": docker_lab.url})]))
    asked = container(brief, "besides-rm")
    for act in (engine.force, engine.perform):
        before = engine.observe(asked)
        act(Request(Verb.RESTART, asked, 1.0))
        after = engine.observe(asked)
        assert (after.state, after.start != before.start) == (State.RUNNING, True)


def test_a_stop_by_force_kills(docker_lab: DockerLab) -> None:
    one = docker_lab.run("besides-deaf", IGNORES_SIGNALS)
    try:
        DockerActions(DockerAccess([SourceSpec("docker", {"url": docker_lab.url})])).force(
            Request(Verb.STOP, container(one, "x"))
        )
        wait_until(lambda: docker_state(docker_lab, one) == "exited", 10, "its end")
    finally:
        docker_lab.remove(one)


def tiny(lab: LibvirtLab, name: str, extra: str = "") -> str:
    return BootSector.IDLE.xml(name, lab.folder, 4, extra)


def test_a_transient_domain_is_said_to_be_gone_for_good_and_is(
    libvirt_lab: LibvirtLab, libvirt_runner: Runner, tmp_path: Path
) -> None:
    made = libvirt_lab.connection.createXML(tiny(libvirt_lab, "besides-transient"))
    asked = Workload(WorkloadId("qemu", made.UUIDString()), Kind.VM, "besides-transient", State.RUNNING)
    seen = libvirt_runner.look(asked)
    assert seen.notes == {Note.TRANSIENT}
    assert "definition is lost" in words(Request(Verb.KILL, asked, seen=seen))
    done = vmtop(tmp_path, "kill", "vm:besides-transient", "--yes", "--libvirt", libvirt_lab.uri)
    assert done.returncode == 0, done.stderr
    assert "besides-transient: It is transient" in done.stderr
    with pytest.raises(libvirt.libvirtError):
        libvirt_lab.connection.lookupByName("besides-transient")


def test_a_saved_domain_is_said_to_be_restored_and_is(libvirt_lab: LibvirtLab, libvirt_runner: Runner) -> None:
    name = libvirt_lab.start_tiny("besides-saved", BootSector.IDLE)
    try:
        guest = libvirt_lab.connection.lookupByName(name)
        assert libvirt_runner.look(domain(libvirt_lab, name)).notes == frozenset()
        guest.managedSave(0)
        asked = domain(libvirt_lab, name, State.STOPPED)
        seen = libvirt_runner.look(asked)
        assert seen.notes == {Note.SAVED}
        assert "restored" in consequence(Request(Verb.START, asked, seen=seen))
        guest.create()
        assert guest.state()[1] == libvirt.VIR_DOMAIN_RUNNING_RESTORED
    finally:
        libvirt_lab.remove(name)


def test_a_domain_that_a_reboot_ends_is_said_to_be_off(libvirt_lab: LibvirtLab, libvirt_runner: Runner) -> None:
    made = libvirt_lab.connection.defineXML(tiny(libvirt_lab, "besides-off", "<on_reboot>destroy</on_reboot>"))
    try:
        asked = domain(libvirt_lab, "besides-off", State.STOPPED)
        seen = libvirt_runner.look(asked)
        assert seen.notes == {Note.OFF_AFTER_REBOOT}
        assert "A reboot turns it off" in words(Request(Verb.RESTART, asked, seen=seen))
    finally:
        made.undefine()


def test_a_domain_whose_monitor_is_stuck_is_looked_at_all_the_same(
    libvirt_lab: LibvirtLab, libvirt_runner: Runner
) -> None:
    """What is noted beside its state must not keep anyone from forcing it off."""
    import os
    import signal

    name = libvirt_lab.start_tiny("besides-stuck", BootSector.IDLE)
    pid = libvirt_lab.pid_of(name)
    os.kill(pid, signal.SIGSTOP)
    try:
        assert libvirt_runner.look(domain(libvirt_lab, name)).state is State.RUNNING
    finally:
        os.kill(pid, signal.SIGCONT)
        libvirt_lab.remove(name)
