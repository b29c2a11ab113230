"""Whose cgroup is whose on a real host: containers below containers and below folders, and what only looks like one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from glob import glob

import pytest

from collectors.analysis.rates import Moment
from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.actions import AfterTimeout, Verb
from collectors.model.workloads import WorkloadId
from collectors.sampling.source import SourceReading, SourceSpec
from tests.helpers.lab.docker_engine import MIB, DockerLab
from tests.helpers.lab.process import wait_until
from tests.unit.collectors.kernel.cgroup.test_source import LiveGroups
from tui.cli.sampling import Wait, gather
from tui.cli.work.actions import run
from tui.configuration.config import Config

pytestmark = pytest.mark.lab

FAKE = "f" * 64


@pytest.fixture
def groups() -> Iterator[LiveGroups]:
    made = LiveGroups("vmtop-lab-ownership")
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def folder() -> Iterator[str]:
    """Path of a folder that Docker makes, and leaves behind."""
    yield "/vmtop-lab-folder"
    for made in ("/sys/fs/cgroup/vmtop-lab-folder", *glob("/sys/fs/cgroup/*/vmtop-lab-folder")):
        for directory, _, _ in os.walk(made, topdown=False):
            os.rmdir(directory)


def readings(count: int) -> SourceReading:
    source = CgroupSource()
    source.open(lambda: None)
    for _ in range(count):
        reading = source.read()
    source.close()
    return reading


def of_engine(lab: DockerLab) -> Moment:
    return gather([SourceSpec("cgroup"), SourceSpec("docker", {"url": lab.url})])


def test_a_container_below_another_has_its_own_numbers_and_the_outer_one_has_not(docker_lab: DockerLab) -> None:
    """As a job is started below its runner; both have a network of their own."""
    outer = docker_lab.run("runner", "sleep 100000")
    busy = "dd if=/dev/zero bs=16M 2>/dev/null | (sleep 100000) & while :; do :; done"
    inner = docker_lab.run(
        "job", busy, cgroup_parent=f"/docker/{outer}", nano_cpus=int(2e8), mem_limit=64 * MIB, network_mode="none"
    )
    moment = of_engine(docker_lab)
    job, runner = (moment.readings[WorkloadId("docker", one)] for one in (inner, outer))
    assert job.workload.cgroup == f"/docker/{outer}/{inner}"
    assert (job.workload.name, job.workload.parent) == ("job", runner.workload.id)
    assert (job.workload.is_listed, runner.workload.parent) == (True, None)
    for key in ("cpu_percent", "memory_host_bytes", "pids", "net_rx_bytes_per_second"):
        assert job.value(key) is not None, key
    assert job.value("memory_limit_bytes") == 64 * MIB
    assert job.workload.started_at is not None
    assert runner.workload.started_at is not None
    assert job.workload.started_at > runner.workload.started_at
    docker_lab.remove(inner)
    docker_lab.remove(outer)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_folder_of_containers_is_no_service_however_deep_they_are(
    docker_lab: DockerLab, folder: str, depth: int
) -> None:
    outermost, folder = folder, folder + "".join(f"/task{level}" for level in range(1, depth))
    container = docker_lab.run(f"deep{depth}", "sleep 100000", cgroup_parent=folder)
    reading = readings(2)
    workload = reading.workloads[WorkloadId("docker", container)]
    assert (workload.cgroup, workload.parent) == (f"{folder}/{container}", None)
    assert reading.samples[workload.id][0].net_rx_total_bytes == 0, "its own network, in which nothing was received"
    assert not [identity for identity in reading.workloads if identity.id.startswith(outermost)]
    docker_lab.remove(container)


def test_a_cgroup_with_only_the_name_of_a_container_is_marked_and_left_alone(
    docker_lab: DockerLab, groups: LiveGroups, capsys: pytest.CaptureFixture[str]
) -> None:
    groups.make(f"docker-{FAKE}.scope")
    child = groups.run(f"docker-{FAKE}.scope", "sys.stdin.readline()")
    real = docker_lab.run("real", "sleep 100000")
    identity = WorkloadId("docker", FAKE)
    wait_until(lambda: of_engine(docker_lab).readings[identity].workload.is_listed is False, 60, "the mark")
    assert of_engine(docker_lab).readings[WorkloadId("docker", real)].workload.is_listed is True
    specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("docker", {"url": docker_lab.url})]
    assert run(Verb.KILL, [FAKE], specs, Config(), True, 5.0, AfterTimeout.LEAVE, Wait()) == 5
    assert "no engine that vmtop asks knows it" in capsys.readouterr().err
    assert child.poll() is None
    docker_lab.remove(real)


def test_podmans_containers_are_not_acted_on_through_docker(
    docker_lab: DockerLab, groups: LiveGroups, capsys: pytest.CaptureFixture[str]
) -> None:
    groups.make(f"libpod-{FAKE}.scope")
    child = groups.run(f"libpod-{FAKE}.scope", "sys.stdin.readline()")
    specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("docker", {"url": docker_lab.url})]
    assert run(Verb.STOP, [FAKE], specs, Config(), True, 5.0, AfterTimeout.LEAVE, Wait()) == 5
    said = capsys.readouterr().err
    assert "vmtop can only watch Podman's containers without its socket" in said
    assert "sudo systemctl enable --now podman.socket" in said
    assert child.poll() is None
