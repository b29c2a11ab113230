"""Hugepages, and limits of CPU and memory: what workloads cost and may use, as the kernel has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.analysis.rates import Moment, Reading
from collectors.kernel.details import KernelDetails
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.hugepages import hugepages
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import CGROUPS
from tui.cli.sampling import moments

MIB = 1 << 20


@contextmanager
def watched(lab: LibvirtLab) -> Iterator[Iterator[Moment]]:
    """Give the moments of this host and a libvirt daemon."""
    stream = moments([SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("libvirt", {"uri": lab.uri})], 0.5)
    try:
        yield stream
    finally:
        stream.close()  # type: ignore[attr-defined]  # a generator


def first(stream: Iterator[Moment], name: str, condition: Callable[[Reading], bool]) -> tuple[Moment, Reading]:
    """Return the first of 120 moments in which a workload meets a condition."""
    for _, moment in zip(range(120), stream, strict=False):
        for reading in moment.readings.values():
            if reading.workload.name == name and condition(reading):
                return moment, reading
    raise AssertionError(f"{name} was not seen so")


def status_kib(pid: int, key: str) -> int:
    """Return a size in a process's status: the second authority."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(f"{key}:")).split()[1])


@pytest.mark.lab
def test_a_machine_on_hugepages_costs_all_of_its_memory(libvirt_lab: LibvirtLab) -> None:
    with skip_or_fail(), hugepages(40):
        name = libvirt_lab.start_tiny("huge", memory_mib=64, is_on_hugepages=True)
        try:
            with watched(libvirt_lab) as stream:
                moment, reading = first(stream, name, lambda row: row.gauge("vcpus") is not None)
            held = status_kib(libvirt_lab.pid_of(name), "HugetlbPages") * 1024
        finally:
            libvirt_lab.remove(name)
    assert held == 64 * MIB
    assert reading.value("memory_hugetlb_bytes") == held
    charged = (reading.gauge("memory_charged_bytes") or 0) - (reading.gauge("memory_inactive_file_bytes") or 0)
    assert 0 < charged < 64 * MIB, "the kernel does not charge hugepages"
    assert reading.value("memory_host_bytes") == held + charged
    overhead = reading.value("memory_overhead_bytes")
    assert overhead is not None
    assert 0 < overhead < 64 * MIB, "all that is resident is QEMU's: hugepages are the guest's"
    assert reading.value("memory_of_limit_percent") is None, "it has no balloon that would report"
    assert moment.ledger.memory_bytes is not None
    assert (moment.ledger.memory_bytes.vm or 0) >= held + charged
    assert moment.ledger.memory_bytes.rest >= 16 * MIB, "the eight pages that nobody uses are not free"
    facts = {key: int(moment.frame.facts[f"hugepages_{key}"]) for key in ("total", "unused")}
    assert facts["total"] - facts["unused"] >= held
    assert facts["unused"] >= 16 * MIB


@pytest.mark.lab
def test_a_container_that_may_have_more_than_the_host_has_the_limit_of_docker_stats(docker_lab: DockerLab) -> None:
    container = docker_lab.run("limits-above", "sleep 1000", mem_limit="1000000g")
    specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("docker", {"url": docker_lab.url})]
    try:
        stream = moments(specs, 0.5)
        _, reading = first(stream, "limits-above", lambda row: row.supplier("memory_limit_bytes") is not None)
        stream.close()  # type: ignore[attr-defined]  # a generator
        limit = docker_lab.client.stats(container, stream=False)["memory_stats"]["limit"]
    finally:
        docker_lab.remove(container)
    assert reading.lowest("memory_limit_bytes") == 1_000_000 << 30
    assert reading.value("memory_limit_bytes") == limit


@pytest.mark.lab
def test_a_machine_whose_virtual_cpu_is_capped_has_that_limit_and_is_throttled_at_it(libvirt_lab: LibvirtLab) -> None:
    name = libvirt_lab.start_tiny("capped", BootSector.BUSY, cpu_share=0.05)
    try:
        with watched(libvirt_lab) as stream:
            _, reading = first(
                stream, name, lambda row: (row.value("cpu_throttled_percent") or 0) > 0 and bool(row.gauge("vcpus"))
            )
        (stat,) = [
            path for path in CGROUPS.glob(f"**/*{name}*/**/vcpu0/cpu.stat") if "nr_throttled" in path.read_text()
        ]
        counted = dict(line.split() for line in stat.read_text().splitlines())
        tables = {table.title: table for table in KernelDetails().tables(reading.workload)}
    finally:
        libvirt_lab.remove(name)
    assert reading.value("cpu_limit_cores") == 0.05
    percent = reading.value("cpu_percent")
    assert percent is not None
    assert reading.value("cpu_of_limit_percent") == pytest.approx(min(100.0, percent / 0.05))
    limits = tables["Limits in force (its own, those around it, the host)"]
    assert {fact.label: fact.value for fact in limits.facts}["CPU, at most"] == 0.05
    assert "Throttling by the CPU quota" in tables
    assert 0 < (reading.gauge("cpu_throttled_periods_total") or 0) <= int(counted["nr_throttled"])
