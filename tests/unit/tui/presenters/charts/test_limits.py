"""The limit of a chart and its origin: nothing is claimed of what has none."""

from __future__ import annotations

import msgspec
import pytest

from collectors.analysis.rates import Deriver, Moment, Pair, Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import Kind, Sample, Workload, WorkloadId
from tests.unit.collectors.session.test_session_file import fleet_frames
from tui.presenters.charts.limits import limit_of


def moment(cpus: int) -> Moment:
    return Deriver().feed(msgspec.structs.replace(fleet_frames(1, 1)[0], cpus=cpus))


def reading(kind: Kind, *samples: Sample) -> Reading:
    workload = Workload(WorkloadId("docker", "a"), kind, "web")
    return Reading(workload, tuple(Pair(None, sample) for sample in samples), host_memory_bytes=8 << 30, host_cpus=2)


@pytest.mark.parametrize(
    ("kind", "sample", "words"),
    [
        (Kind.CONTAINER, Sample("cgroup-slow", 1, cpu_limit_cores=2.0), "limit 2 cores (host)"),
        (Kind.CONTAINER, Sample("cgroup-slow", 1, cpu_limit_cores=1.5, cpu_periods_total=9), "limit 1.5 cores (quota)"),
        (Kind.CONTAINER, Sample("cgroup-slow", 1, cpu_limit_cores=1.0), "limit 1 core (cpuset or quota)"),
        (Kind.VM, Sample("libvirt", 1, cpu_limit_cores=1.0, vcpus=1), "limit 1 vCPU"),
        (Kind.VM, Sample("libvirt", 1, cpu_limit_cores=1.5, vcpus=4), "limit 1.5 cores (quota)"),
    ],
)
def test_the_limit_of_the_cpu_names_what_sets_it(kind: Kind, sample: Sample, words: str) -> None:
    limit = limit_of(METRICS["cpu_percent"], reading(kind, sample), moment(2))
    assert limit is not None
    assert limit.words == words
    assert limit.value == (sample.cpu_limit_cores or 0) * 100


@pytest.mark.parametrize(
    ("kind", "samples", "words"),
    [
        (Kind.CONTAINER, [Sample("cgroup-slow", 1, memory_limit_bytes=1 << 30)], "limit 1G (cgroup)"),
        (Kind.CONTAINER, [Sample("docker", 1, memory_limit_bytes=1 << 30)], "limit 1G (docker)"),
        (Kind.CONTAINER, [Sample("cgroup-slow", 1, memory_limit_bytes=1 << 40)], "limit 8G (host)"),
        (
            Kind.CONTAINER,
            [Sample("cgroup-slow", 1, memory_limit_bytes=512 << 20), Sample("docker", 1, memory_limit_bytes=1 << 30)],
            "limit 512M (cgroup)",
        ),
    ],
)
def test_the_limit_of_memory_names_what_sets_it(kind: Kind, samples: list[Sample], words: str) -> None:
    limit = limit_of(METRICS["memory_host_bytes"], reading(kind, *samples), moment(2))
    assert limit is not None
    assert limit.words == words


def test_the_balloon_limits_what_a_guest_uses_and_not_what_its_hypervisor_holds() -> None:
    machine = reading(Kind.VM, Sample("libvirt", 1, memory_limit_bytes=160 << 20))
    limit = limit_of(METRICS["memory_inside_bytes"], machine, moment(2))
    assert limit is not None
    assert limit.words == "limit 160M (balloon)"
    assert limit_of(METRICS["memory_host_bytes"], machine, moment(2)) is None


def test_what_has_no_limit_gets_no_claim() -> None:
    bare = reading(Kind.CONTAINER, Sample("cgroup", 1, cpu_total_ns=5, memory_charged_bytes=5))
    for key in ("cpu_percent", "memory_host_bytes", "pids", "net_rx_bytes_per_second"):
        assert limit_of(METRICS[key], bare, moment(2)) is None


def test_shares_and_tasks_have_limits_too() -> None:
    full = reading(Kind.CONTAINER, Sample("cgroup-slow", 1, pids=3, pids_limit=10))
    pids, share = (limit_of(METRICS[key], full, moment(2)) for key in ("pids", "memory_of_limit_percent"))
    assert pids == (10, "limit 10")
    assert share == (100.0, "all of its limit")
