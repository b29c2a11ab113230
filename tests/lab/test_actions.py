"""Actions on real containers and domains, through the runner; each seen by the engine's own view."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.actions.log import ActionLog
from collectors.actions.runner import Action, Runner
from collectors.engines.connections import EngineConnections
from collectors.model.actions import AfterTimeout, Outcome, Request, Result, Verb
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab, start_engine
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until

pytestmark = pytest.mark.lab
IGNORES_SIGNALS = "trap '' TERM; while :; do sleep 0.2; done"


def finish(runner: Runner, request: Request, seconds: float = 60.0) -> Outcome:
    """Submit a request and wait for its outcome."""
    action = runner.submit(request)
    wait_until(lambda: action.outcome is not None, seconds, f"{request.verb} of {action.name}")
    assert action.outcome is not None
    return action.outcome


def container(identity: str, name: str, state: State = State.RUNNING) -> Workload:
    return Workload(WorkloadId("docker", identity), Kind.CONTAINER, name, state)


def domain(lab: LibvirtLab, name: str, state: State = State.RUNNING) -> Workload:
    uuid = lab.connection.lookupByName(name).UUIDString()
    return Workload(WorkloadId("qemu", uuid), Kind.VM, name, state)


def runner_for(folder: Path, *specs: SourceSpec) -> Runner:
    return Runner(EngineConnections(specs).actions, ActionLog(folder / "actions.log"), "tester")


@pytest.fixture
def docker_runner(docker_lab: DockerLab, tmp_path: Path) -> Runner:
    return runner_for(tmp_path, SourceSpec("docker", {"url": docker_lab.url}))


@pytest.fixture
def libvirt_runner(libvirt_lab: LibvirtLab, tmp_path: Path) -> Runner:
    return runner_for(tmp_path, SourceSpec("libvirt", {"uri": libvirt_lab.uri}))


@pytest.fixture
def web(docker_lab: DockerLab) -> Iterator[str]:
    one = docker_lab.run("act-web", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    yield one
    docker_lab.remove(one)


@pytest.fixture
def deaf(docker_lab: DockerLab) -> Iterator[str]:
    one = docker_lab.run("act-deaf", IGNORES_SIGNALS)
    yield one
    docker_lab.remove(one)


def docker_state(lab: DockerLab, identity: str) -> str:
    return str(lab.client.inspect_container(identity)["State"]["Status"])


def test_a_container_goes_through_every_action(docker_lab: DockerLab, docker_runner: Runner, web: str) -> None:
    for verb, state, expected in (
        (Verb.PAUSE, State.RUNNING, "paused"),
        (Verb.RESUME, State.PAUSED, "running"),
        (Verb.RESTART, State.RUNNING, "running"),
        (Verb.STOP, State.RUNNING, "exited"),
        (Verb.START, State.STOPPED, "running"),
        (Verb.KILL, State.RUNNING, "exited"),
    ):
        outcome = finish(docker_runner, Request(verb, container(web, "act-web", state)))
        assert outcome.result is Result.DONE, outcome
        assert docker_state(docker_lab, web) == expected, verb
    assert finish(docker_runner, Request(Verb.REMOVE, container(web, "act-web", State.STOPPED))).result is Result.DONE
    assert not docker_lab.client.containers(all=True, filters={"id": web})


def test_a_stop_with_leave_lets_a_deaf_container_run(docker_lab: DockerLab, docker_runner: Runner, deaf: str) -> None:
    request = Request(Verb.STOP, container(deaf, "act-deaf"), 1.0, AfterTimeout.LEAVE)
    outcome = finish(docker_runner, request)
    assert outcome.result is Result.TIMED_OUT
    assert "left as it is" in outcome.sentence
    assert docker_state(docker_lab, deaf) == "running"


def test_a_stop_with_force_ends_a_deaf_container(docker_lab: DockerLab, docker_runner: Runner, deaf: str) -> None:
    assert finish(docker_runner, Request(Verb.STOP, container(deaf, "act-deaf"), 1.0)).result is Result.DONE
    assert docker_lab.client.inspect_container(deaf)["State"]["ExitCode"] == 137


def test_what_changed_since_it_was_seen_is_left_alone(docker_lab: DockerLab, docker_runner: Runner, web: str) -> None:
    asked = container(web, "act-web")
    seen = docker_runner.look(asked)
    docker_lab.client.restart(web, timeout=0)
    outcome = finish(docker_runner, Request(Verb.STOP, asked, seen=seen))
    assert outcome.result is Result.CHANGED
    assert docker_state(docker_lab, web) == "running"

    seen = docker_runner.look(asked)
    docker_lab.client.rename(web, "act-renamed")
    outcome = finish(docker_runner, Request(Verb.STOP, asked, seen=seen))
    assert outcome.result is Result.CHANGED
    assert "act-renamed" in outcome.sentence
    assert docker_state(docker_lab, web) == "running"


def test_a_swap_of_names_before_the_look_leaves_both_alone(
    docker_lab: DockerLab, docker_runner: Runner, web: str
) -> None:
    """Blue and green: `act-web` was found, and is the other one by the time that the engine is asked how it is."""
    asked = container(web, "act-web")
    green = docker_lab.run("act-green", "sleep 1000")
    try:
        docker_lab.client.rename(web, "act-old")
        docker_lab.client.rename(green, "act-web")
        for seen in (docker_runner.look(asked), None):
            outcome = finish(docker_runner, Request(Verb.KILL, asked, seen=seen))
            assert outcome.result is Result.CHANGED, outcome
        assert {docker_state(docker_lab, one) for one in (web, green)} == {"running"}
    finally:
        docker_lab.remove(green)


def test_a_workload_of_the_same_name_is_not_touched(docker_lab: DockerLab, docker_runner: Runner, web: str) -> None:
    docker_lab.remove(web)
    other = docker_lab.run("act-web", "sleep 1000")
    try:
        outcome = finish(docker_runner, Request(Verb.KILL, container(web, "act-web")))
        assert outcome.result is Result.GONE
        assert docker_state(docker_lab, other) == "running"
    finally:
        docker_lab.remove(other)


def test_a_container_that_ends_at_once_is_no_success(docker_lab: DockerLab, docker_runner: Runner) -> None:
    one = docker_lab.run("act-brief", "exit 3")
    wait_until(lambda: docker_state(docker_lab, one) == "exited", 10, "its end")
    try:
        outcome = finish(docker_runner, Request(Verb.START, container(one, "act-brief", State.STOPPED)))
        assert outcome.result is Result.FAILED
        assert "exit code 3" in outcome.sentence
    finally:
        docker_lab.remove(one)


def lost_in_the_middle(lab_root: Path, folder: Path, number: signal.Signals) -> tuple[DockerLab, Action]:
    """Stop a deaf container on an engine that gets a signal once it was asked; wait for `outcome unknown`."""
    engine = start_engine(lab_root / "engine2")
    deaf = engine.run("act-deaf", IGNORES_SIGNALS)
    runner = runner_for(folder, SourceSpec("docker", {"url": engine.url}))
    phases: list[str] = []
    runner.on_change(lambda action: phases.append(action.phase))
    action = runner.submit(Request(Verb.STOP, container(deaf, "act-deaf"), 5.0))
    wait_until(lambda: "asked" in phases, 20, "the request to the engine")
    assert engine.daemon is not None
    os.kill(engine.daemon.pid, number)
    wait_until(lambda: "outcome unknown" in phases, 30, "outcome unknown")
    assert action.outcome is None
    return engine, action


def test_an_engine_that_freezes_in_the_middle_leaves_the_outcome_unknown_until_it_is_seen(
    lab_root: Path, tmp_path: Path
) -> None:
    engine, action = lost_in_the_middle(lab_root, tmp_path, signal.SIGSTOP)
    try:
        assert engine.daemon is not None
        os.kill(engine.daemon.pid, signal.SIGCONT)
        wait_until(lambda: action.outcome is not None, 30, "the outcome")
        assert action.outcome is not None
        assert action.outcome.result is Result.DONE
        assert "confirmed after the engine came back" in action.outcome.sentence
    finally:
        engine.stop()


def test_a_user_without_the_group_is_told_which(docker_lab: DockerLab, docker_runner: Runner, web: str) -> None:
    """In a child that is nobody: the socket is the engine's and its group's."""
    request = Request(Verb.STOP, container(web, "act-web"))
    docker_runner.look(request.workload)  # everything is imported before the rights are gone
    mine, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        action = docker_runner.submit(request)
        wait_until(lambda: action.outcome is not None, 20, "the outcome")
        os.write(theirs, repr(action.outcome).encode())
        os._exit(0)
    os.close(theirs)
    said = os.read(mine, 65536).decode()
    os.close(mine)
    os.waitpid(child, 0)
    assert "denied" in said
    assert "no permission to" in said
    assert "usermod -aG docker" in said
    assert docker_state(docker_lab, web) == "running"


def domain_state(lab: LibvirtLab, name: str) -> Any:
    return lab.connection.lookupByName(name).state()[0]


RUNNING, PAUSED, SHUT_OFF = 1, 3, 5


@pytest.fixture
def tiny(libvirt_lab: LibvirtLab) -> Iterator[str]:
    name = libvirt_lab.start_tiny("act-tiny", BootSector.IDLE)
    yield name
    libvirt_lab.remove(name)


def test_a_domain_goes_through_every_action(libvirt_lab: LibvirtLab, libvirt_runner: Runner, tiny: str) -> None:
    for verb, state, expected in (
        (Verb.PAUSE, State.RUNNING, PAUSED),
        (Verb.RESUME, State.PAUSED, RUNNING),
        (Verb.KILL, State.RUNNING, SHUT_OFF),
        (Verb.START, State.STOPPED, RUNNING),
    ):
        outcome = finish(libvirt_runner, Request(verb, domain(libvirt_lab, tiny, state)))
        assert outcome.result is Result.DONE, outcome
        assert domain_state(libvirt_lab, tiny) == expected, verb


def test_a_domain_that_ignores_the_power_button_is_left_or_forced_off(
    libvirt_lab: LibvirtLab, libvirt_runner: Runner, tiny: str
) -> None:
    asked = domain(libvirt_lab, tiny)
    for verb in (Verb.STOP, Verb.RESTART):
        outcome = finish(libvirt_runner, Request(verb, asked, 1.0, AfterTimeout.LEAVE))
        assert outcome.result is Result.TIMED_OUT, outcome
        assert domain_state(libvirt_lab, tiny) == RUNNING
    outcome = finish(libvirt_runner, Request(Verb.RESTART, asked, 1.0))
    assert outcome.result is Result.DONE
    assert "reset" in outcome.sentence
    assert domain_state(libvirt_lab, tiny) == RUNNING
    outcome = finish(libvirt_runner, Request(Verb.STOP, asked, 1.0))
    assert "forced off" in outcome.sentence
    assert domain_state(libvirt_lab, tiny) == SHUT_OFF


def test_a_linux_guest_reboots_and_shuts_down_when_asked(
    libvirt_lab: LibvirtLab, libvirt_runner: Runner, linux_guests: tuple[str, str]
) -> None:
    name = linux_guests[0]
    guest = libvirt_lab.guests[0]
    asked = domain(libvirt_lab, name)
    pid = libvirt_lab.pid_of(name)
    outcome = finish(libvirt_runner, Request(Verb.RESTART, asked, 40.0, AfterTimeout.LEAVE))
    assert outcome.result is Result.DONE, outcome
    assert libvirt_lab.pid_of(name) == pid
    wait_until(lambda: guest.console.read_text(errors="replace").count("READY") >= 2, 180, "READY after the reboot")
    try:
        outcome = finish(libvirt_runner, Request(Verb.STOP, asked, 40.0, AfterTimeout.LEAVE))
        assert outcome.result is Result.DONE, outcome
        assert domain_state(libvirt_lab, name) == SHUT_OFF
    finally:
        libvirt_lab.connection.lookupByName(name).create()
        wait_until(lambda: guest.is_ready, 60, "READY again")
