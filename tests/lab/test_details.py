"""A closer look at real workloads, beside what their engines and the kernel say."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import msgspec
import pytest

from collectors.engines.connections import EngineConnections
from collectors.engines.docker.details import describe
from collectors.inspection.details import DetailsReader
from collectors.model.details import Details, Table
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until
from tui.cli.sampling import gather

CANARY = "c4n4ry-0f-a-s3cret"


def table(details: Details, title: str) -> Table:
    return next(one for one in details.tables if one.title.startswith(title))


def fact(details: Details, title: str, label: str) -> Any:
    return next(one.value for one in table(details, title).facts if one.label == label)


def test_an_inspection_without_any_field_is_no_error() -> None:
    assert all(isinstance(one, Table) for one in describe({}))
    assert all(isinstance(one, Table) for one in describe({"Config": None, "State": {"Health": {"Log": [3]}}}))


def test_what_a_health_check_printed_is_shown_without_its_colours() -> None:
    check = {"Start": "2026-11-28T10:00:00Z", "ExitCode": 0, "Output": "\x1b[32mall \x1b[1mwell\x1b[0m\n"}
    tables = describe({"State": {"Health": {"Status": "healthy", "Log": [check]}}})
    health = next(one for one in tables if one.title == "Health check")
    assert health.facts[-1].value == "exit 0  all well"


@pytest.mark.lab
def test_a_container_is_described_as_the_engine_and_the_kernel_describe_it(docker_lab: DockerLab) -> None:
    client = docker_lab.client
    made = client.create_container(
        "busybox:lab",
        ["sh", "-c", f": --password={CANARY}; while :; do echo x >/data/x; sync; done"],
        name="look-closer",
        environment={"DB_PASSWORD": CANARY, "COLOUR": "blue", "URL": f"http://u:{CANARY}@h/"},
        labels={"api.token": CANARY, "role": "tester"},
        volumes=["/data"],
        host_config=client.create_host_config(mem_limit="64m", nano_cpus=500_000_000, network_mode="none"),
        healthcheck={"test": ["CMD", "true"], "interval": 500_000_000},
    )
    identity = made["Id"]
    client.start(identity)
    try:
        specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("docker", {"url": docker_lab.url})]
        workload = gather(specs).frame.workloads[WorkloadId("docker", identity)]
        reader = DetailsReader(EngineConnections(specs))
        reader.read(workload)
        wait_until(lambda: fact(reader.read(workload), "Health", "status") == "healthy", 60, "healthy")
        details = reader.read(workload)

        assert details.problems == ()
        assert fact(details, "Limits as configured", "memory") == 64 << 20
        assert fact(details, "Limits as configured", "CPU quota") == 0.5
        assert fact(details, "Limits in force", "memory, at most") == 64 << 20
        assert fact(details, "Environment", "COLOUR") == "blue"
        assert fact(details, "Environment", "DB_PASSWORD") == "***"
        assert fact(details, "Labels", "role") == "tester"
        mounts = table(details, "Mounts").rows
        assert [row[2] for row in mounts] == ["/data"]
        assert CANARY not in msgspec.json.encode(details).decode()
    finally:
        docker_lab.remove(identity)


@pytest.mark.lab
def test_a_domain_is_described_as_virsh_describes_it(libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]) -> None:
    name = linux_guests[0]
    specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("libvirt", {"uri": libvirt_lab.uri})]
    workloads = gather(specs).frame.workloads.values()
    workload = next(one for one in workloads if one.name == name)
    reader = DetailsReader(EngineConnections(specs))
    reader.read(workload)

    def has_written() -> bool:
        rate = table(reader.read(workload), "Disks").rows[0][2]
        return isinstance(rate, float) and rate > 0

    wait_until(has_written, 30, "a rate of writing")
    details = reader.read(workload)
    listed = subprocess.run(
        ["virsh", "--connect", libvirt_lab.uri, "domblklist", name], capture_output=True, text=True, check=True
    ).stdout
    disk = table(details, "Disks").rows[0]
    assert disk[0] == "vda"
    assert str(disk[-1]) in listed
    assert disk[5] == 16 << 20
    assert fact(details, "Domain", "memory") == 192 << 20
    assert fact(details, "Domain", "runs by") == "emulation (tcg)"
    interfaces = subprocess.run(
        ["virsh", "--connect", libvirt_lab.uri, "domiflist", name], capture_output=True, text=True, check=True
    ).stdout
    assert str(table(details, "Network interfaces").rows[0][4]) in interfaces
    assert len(table(details, "Virtual CPUs").rows) == 1


@pytest.mark.lab
def test_an_engine_that_is_away_is_a_problem_and_the_rest_is_told(docker_lab: DockerLab) -> None:
    one = docker_lab.run("look-away", "sleep 1000")
    try:
        specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("docker", {"url": docker_lab.url})]
        workload = gather(specs).frame.workloads[WorkloadId("docker", one)]
        away = EngineConnections([SourceSpec("docker", {"url": "unix:///nowhere/docker.sock"})])
        details = DetailsReader(away).read(workload)
        assert "no Docker socket at /nowhere/docker.sock" in details.problems[0]
        assert table(details, "Limits in force").facts
    finally:
        docker_lab.remove(one)


def test_a_service_is_told_from_the_kernel_alone() -> None:
    workload = Workload(WorkloadId("systemd", "/x.service"), Kind.SERVICE, "x.service", State.RUNNING)
    details = DetailsReader(EngineConnections([])).read(workload)
    assert fact(details, "Service", "engine") == "systemd"
    assert os.getpid() not in {row[0] for one in details.tables for row in one.rows}
