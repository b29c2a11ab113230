"""Why cells are empty and workloads are in their states, for real containers and domains."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from collectors.actions.confirmation import besides
from collectors.actions.runner import Runner
from collectors.analysis.rates import Moment, Reading
from collectors.model.actions import Request, Result, Verb
from collectors.model.workloads import State
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import MIB, DockerLab
from tests.helpers.lab.full_disk import on_a_full_disk
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until
from tests.lab.test_actions import container, docker_runner, docker_state, domain, domain_state, libvirt_runner
from tui.cli.sampling import moments
from tui.presenters.pages.empty_reason import why_empty

__all__ = ["docker_runner", "libvirt_runner"]
pytestmark = pytest.mark.lab
PAUSED = 3


def moment_of(*engines: SourceSpec, seconds: float = 8) -> Moment:
    """Return a moment after the second slow reading."""
    stream = moments([SourceSpec("host"), SourceSpec("cgroup"), *engines], 1.0)
    deadline = time.monotonic() + seconds
    try:
        return next(moment for moment in stream if time.monotonic() >= deadline)
    finally:
        stream.close()  # type: ignore[attr-defined]  # a generator


def row(moment: Moment, name: str) -> Reading:
    return next(reading for reading in moment.readings.values() if reading.workload.name == name)


def why(moment: Moment, name: str, key: str) -> str:
    reading = row(moment, name)
    assert reading.value(key) is None, f"{key} of {name} is known"
    return why_empty(key, reading, moment)


@pytest.fixture
def containers(docker_lab: DockerLab) -> Iterator[DockerLab]:
    """Containers with a network of their own, of another, of the host and without one; ended ones."""
    forever = "while :; do sleep 1; done"
    owner = docker_lab.run("reason-owner", forever, network_mode="bridge")
    started = [
        owner,
        docker_lab.run("reason-sharer", forever, network_mode=f"container:{owner}"),
        docker_lab.run("reason-host", forever, network_mode="host"),
        docker_lab.run("reason-exit", "exit 3"),
        docker_lab.run("reason-oom", "exec dd if=/dev/zero of=/dev/null bs=64M", mem_limit=16 * MIB),
        docker_lab.run("reason-loop", "exit 4", restart_policy={"Name": "always"}),
    ]
    wait_until(lambda: docker_state(docker_lab, started[4]) == "exited", 30, "the end by the OOM killer")
    yield docker_lab
    for one in reversed(started):
        docker_lab.remove(one)


def test_an_empty_cell_of_a_container_has_its_own_reason(containers: DockerLab) -> None:
    moment = moment_of(SourceSpec("docker", {"url": containers.url}))
    rx = "net_rx_bytes_per_second"
    assert row(moment, "reason-owner").value(rx) is not None
    assert why(moment, "reason-sharer", rx) == "it shares the network of reason-owner, whose row shows the traffic"
    assert why(moment, "reason-host", rx) == "it uses the host's network; its traffic is part of the host's"
    for key in (rx, "cpu_percent", "memory_host_bytes", "memory_of_limit_percent"):
        assert why(moment, "reason-exit", key) == "it does not run: it is stopped (exit code 3)"
        assert why(moment, "reason-oom", key) == "it does not run: it is stopped (out of memory)"
    assert why(moment, "reason-owner", "vcpu_percent") == "only a virtual machine has it"
    assert why(moment, "reason-owner", "memory_of_limit_percent").startswith("it has no memory limit")
    assert why(moment, "reason-owner", "cpu_throttled_percent") == "it has no CPU quota"


def test_a_container_that_is_started_again_and_again_is_not_started(
    containers: DockerLab, docker_runner: Runner
) -> None:
    looping = next(one for one in containers.client.containers(all=True) if one["Names"] == ["/reason-loop"])["Id"]
    containers.client.stop(looping)
    action = docker_runner.submit(Request(Verb.START, container(looping, "reason-loop", State.STOPPED)))
    wait_until(lambda: action.outcome is not None, 30, "the outcome")
    assert action.outcome is not None
    assert action.outcome.result is Result.FAILED
    assert action.outcome.sentence.startswith("reason-loop was started but ended again: ")


def test_a_domain_without_devices_says_so(libvirt_lab: LibvirtLab) -> None:
    name = libvirt_lab.start_tiny("reason-tiny")
    try:
        moment = moment_of(SourceSpec("libvirt", {"uri": libvirt_lab.uri}))
        assert why(moment, name, "net_rx_bytes_per_second") == "it has no network interface"
        assert why(moment, name, "memory_inside_bytes").startswith("it has no memory balloon")
        assert row(moment, name).value("guest_disk_read_bytes_per_second") is not None
    finally:
        libvirt_lab.remove(name)


def test_a_managed_save_is_shown(libvirt_lab: LibvirtLab, libvirt_runner: Runner) -> None:
    name = libvirt_lab.start_tiny("reason-saved")
    try:
        libvirt_lab.connection.lookupByName(name).managedSave(0)
        moment = moment_of(SourceSpec("libvirt", {"uri": libvirt_lab.uri}), seconds=4)
        saved = row(moment, name).workload
        assert (saved.state, saved.state_reason) == (State.STOPPED, "saved")
        action = libvirt_runner.submit(Request(Verb.START, domain(libvirt_lab, name, State.STOPPED)))
        wait_until(lambda: action.outcome is not None, 30, "the outcome")
        assert action.outcome is not None
        assert action.outcome.sentence == f"{name} was restored from its saved state"
    finally:
        libvirt_lab.remove(name)


@pytest.fixture
def full_disk(libvirt_lab: LibvirtLab) -> Iterator[str]:
    with on_a_full_disk(libvirt_lab, "reason-full") as disk:
        yield disk.name


def test_a_domain_paused_by_an_io_error_says_so(
    libvirt_lab: LibvirtLab, libvirt_runner: Runner, full_disk: str
) -> None:
    wait_until(lambda: domain_state(libvirt_lab, full_disk) == PAUSED, 60, "the pause")
    moment = moment_of(SourceSpec("libvirt", {"uri": libvirt_lab.uri}), seconds=4)
    paused = row(moment, full_disk).workload
    assert (paused.state, paused.state_reason, paused.is_faulted) == (State.PAUSED, "I/O error", True)
    asked = domain(libvirt_lab, full_disk, State.PAUSED)
    seen = libvirt_runner.look(asked)
    assert "pauses again until its disk can be written" in " ".join(besides(Request(Verb.RESUME, asked, seen=seen)))
    action = libvirt_runner.submit(Request(Verb.RESUME, asked, seen=seen))
    wait_until(lambda: action.outcome is not None, 30, "the outcome")
    assert action.outcome is not None
    assert (action.outcome.result, action.outcome.sentence) == (
        Result.FAILED,
        f"{full_disk} was resumed but paused again: I/O error",
    )
