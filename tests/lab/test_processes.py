"""Processes of real containers and machines: the same that their engines report, and signals that reach them."""

from __future__ import annotations

import os
import time

import pytest

from collectors.actions.log import ActionLog
from collectors.actions.process_protection import ProcessProtection
from collectors.actions.process_signals import SIGNALS, Signaller, SignalRequest, warnings
from collectors.actions.protection import Protection
from collectors.inspection.processes import Owners, ProcessReader
from collectors.kernel.processes.listing import ProcessListing
from collectors.model.actions import Result
from collectors.model.processes import Process, ProcessView
from collectors.model.workloads import Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until
from tui.cli.sampling import gather

HOST = WorkloadId("host", "lab")


def seen(workload: Workload) -> ProcessView:
    """Read a workload's processes twice, and its first process in full."""
    reader = ProcessReader(lambda: workload)
    reader.read_all()
    time.sleep(0.6)
    return reader.read(True, lambda newest: newest.processes, lambda newest: (newest.processes[0], True))


@pytest.mark.lab
def test_the_processes_of_a_container_are_those_that_docker_top_lists(docker_lab: DockerLab) -> None:
    identity = docker_lab.run("processes", "sleep 1234 & while :; do :; done", nano_cpus=500_000_000)
    try:
        specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("docker", {"url": docker_lab.url})]
        workloads = gather(specs).frame.workloads
        workload = workloads[WorkloadId("docker", identity)]
        wait_until(lambda: len(docker_lab.client.top(identity)["Processes"]) == 2, 20, "both processes")
        view = seen(workload)
        top = docker_lab.client.top(identity)
        column = top["Titles"].index("PID")
        assert {process.pid for process in view.newest.processes} == {int(row[column]) for row in top["Processes"]}
        inner = {text.inner_pid for text in view.texts.values()}
        assert 1 in inner
        busy = max(process.cpu_percent or 0.0 for process in view.newest.processes)
        assert 0 < busy < 75, "its quota is half a core; on a busy host it gets less"
        owners = Owners(workloads.values())
        everyone = ProcessListing().read()
        owned = {process.pid for process in everyone.processes if owners.of(process) is workload}
        assert owned == {process.pid for process in view.newest.processes}
    finally:
        docker_lab.remove(identity)


@pytest.mark.lab
def test_a_signal_from_the_host_ends_a_process_inside_a_container_and_nothing_else(docker_lab: DockerLab) -> None:
    identity = docker_lab.run("signals", "sleep 4321 & wait; sleep 1000")
    try:
        specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("docker", {"url": docker_lab.url})]
        workload = gather(specs).frame.workloads[WorkloadId("docker", identity)]
        reader = ProcessReader(lambda: workload)
        reader.read_all()

        def commands() -> dict[str, Process]:
            view = reader.read(True, lambda newest: newest.processes, lambda newest: (None, False))
            texts = view.texts
            return {texts[each.id].command: each for each in view.newest.processes if each.id in texts}

        wait_until(lambda: "sleep 4321" in commands(), 20, "the process, after its shell has become it")
        sleeper = commands()["sleep 4321"]
        newest = reader.read_all()
        texts = reader.read(False, lambda _: newest.processes, lambda _: (None, False)).texts
        first = next(process for process in newest.processes if texts[process.id].inner_pid == 1)
        term = next(spec for spec in SIGNALS if spec.name == "TERM")
        assert ProcessProtection(Protection()).reason(sleeper, workload) == ""
        assert any("the container ends with it" in one for one in warnings(SignalRequest(term, first, "sh", workload)))
        log = ActionLog()
        outcome = Signaller(log, "lab", lambda event: None).send(SignalRequest(term, sleeper, "sleep", workload), HOST)
        assert outcome.result is Result.DONE
        assert docker_lab.client.inspect_container(identity)["State"]["Running"]
        wait_until(lambda: not os.path.exists(f"/proc/{sleeper.pid}"), 20, "its shell, which has to ask how it ended")
    finally:
        docker_lab.remove(identity)


@pytest.mark.lab
def test_a_machines_process_has_vcpu_threads_with_numbers_and_times(
    libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]
) -> None:
    specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("libvirt", {"uri": libvirt_lab.uri})]
    workloads = gather(specs).frame.workloads.values()
    workload = next(one for one in workloads if one.name == linux_guests[0])
    reader = ProcessReader(lambda: workload)
    pid = libvirt_lab.pid_of(linux_guests[0])

    def details() -> ProcessView:
        return reader.read(
            True, lambda newest: (), lambda newest: (next(one for one in newest.processes if one.pid == pid), True)
        )

    details()
    time.sleep(0.6)
    view = details()
    assert view.details is not None
    roles = [thread.role for thread in view.details.threads]
    assert "vCPU 0" in roles
    assert "emulator" in roles
    vcpu = next(thread for thread in view.details.threads if thread.role == "vCPU 0")
    assert vcpu.cpu_percent is not None
    assert vcpu.wait_percent is not None
