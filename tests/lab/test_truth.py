"""vmtop's numbers held against second authorities on real daemons: Docker's own stats, libvirt's own stats, the kernel.

Counters move between two readings, so equality is tested by bracketing: vmtop before <= the authority <= vmtop after,
and to the byte where vmtop's two readings agree.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from collectors.analysis.rates import Moment, Reading
from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.workloads import Kind, Sample, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import CGROUPS, find_program, wait_until
from tests.helpers.lab.uml import UmlLab
from tests.helpers.patience import EXTERNAL_S
from tui.cli.sampling import moments

MIB = 1 << 20
SLACK_NS = 20_000_000
"""Two ticks: Docker has the time from another file of the kernel, which may be behind by so much."""
CPU_POINTS = 8.0
"""What two percentages may differ by: their spans begin and end apart, and a load is not steady. The counters behind
them are bracketed to the nanosecond."""


def _specs(docker_lab: DockerLab | None, libvirt_lab: LibvirtLab | None) -> list[SourceSpec]:
    specs = [SourceSpec("host"), SourceSpec("cgroup")]
    if docker_lab is not None:
        specs.append(SourceSpec("docker", {"url": docker_lab.url}))
    if libvirt_lab is not None:
        specs.append(SourceSpec("libvirt", {"uri": libvirt_lab.uri}))
    return specs


def _by_name(moment: Moment) -> dict[str, Reading]:
    return {reading.workload.name: reading for reading in moment.readings.values()}


def _after(stream: Iterator[Moment], seconds: float) -> Moment:
    """Return the first moment after a while."""
    deadline = time.monotonic() + seconds
    for moment in stream:
        if time.monotonic() >= deadline:
            return moment
    raise AssertionError("the stream ended")


def _guest_disk(reading: Reading) -> float:
    """Bytes a second at a guest's virtual disks; its loop touches them about once a second."""
    keys = ("guest_disk_read_bytes_per_second", "guest_disk_write_bytes_per_second")
    return sum(reading.value(key) or 0.0 for key in keys)


def _disk_read_at(reading: Reading) -> float:
    """When libvirt was asked for the domain's disks, in monotonic seconds: not at every frame."""
    supplier = reading.supplier("guest_disk_write_bytes_per_second")
    return 0.0 if supplier is None else supplier.at_ns / 1e9


def _cgroup_sample(source: CgroupSource, identity: WorkloadId) -> Sample:
    return next(sample for sample in source.read().samples[identity] if sample.source == "cgroup")


def _used_ns(before: Sample, after: Sample) -> int:
    assert before.cpu_total_ns is not None
    assert after.cpu_total_ns is not None
    return after.cpu_total_ns - before.cpu_total_ns


def _cpu_percent(before: Sample, after: Sample) -> float:
    """Return what vmtop would show between two of its own samples."""
    return _used_ns(before, after) / (after.at_ns - before.at_ns) * 100


def _docker_cpu_percent(first: dict[str, Any], last: dict[str, Any]) -> float:
    """Docker's formula between two of its answers (docker/cli stats_helpers.go, calculateCPUPercentUnix)."""
    used = last["cpu_stats"]["cpu_usage"]["total_usage"] - first["cpu_stats"]["cpu_usage"]["total_usage"]
    passed = last["cpu_stats"]["system_cpu_usage"] - first["cpu_stats"]["system_cpu_usage"]
    return float(used / passed * last["cpu_stats"]["online_cpus"] * 100)


@pytest.mark.lab
def test_containers_and_guests_are_all_there_and_move(
    docker_lab: DockerLab, libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]
) -> None:
    docker_lab.run_busy("truth-busy", cpus=0.3)
    receiver, sender = docker_lab.run_traffic("truth-net")
    stream = moments(_specs(docker_lab, libvirt_lab), 1.0)
    deadline, busy_disks = time.monotonic() + 60, set[str]()
    try:
        moment = _after(stream, 8)
        while not busy_disks.issuperset(linux_guests):
            assert time.monotonic() < deadline, f"only {busy_disks} were seen to use their disks"
            moment = next(stream)
            busy_disks.update(name for name, row in _by_name(moment).items() if _guest_disk(row) > 0)
    finally:
        stream.close()  # type: ignore[attr-defined]  # a generator
    rows = _by_name(moment)
    for name in linux_guests:
        guest = rows[name]
        assert guest.workload.kind is Kind.VM
        assert {pair.current.source for pair in guest.pairs} >= {"cgroup", "libvirt"}, "cgroup and domain are joined"
        assert (guest.value("cpu_percent") or 0) > 0
        assert (guest.value("memory_host_bytes") or 0) > 30 << 20
        assert guest.value("memory_inside_bytes") is not None
        assert guest.value("cpu_steal_percent") is not None
    assert libvirt_lab.shut_off in rows
    assert 10 < (rows["truth-busy"].value("cpu_percent") or 0) < 50
    by_id = {identity.id: reading for identity, reading in moment.readings.items()}
    assert (by_id[receiver].value("net_rx_bytes_per_second") or 0) > 0
    assert (by_id[sender].value("net_tx_bytes_per_second") or 0) > 0
    assert moment.ledger.cpu_cores is not None
    assert (moment.ledger.cpu_cores.vm or 0) > 0
    assert (moment.ledger.cpu_cores.container or 0) > 0


@pytest.mark.lab
def test_cpu_of_a_busy_container_agrees_with_docker_stats(docker_lab: DockerLab) -> None:
    container = docker_lab.run_busy("truth-cpu", cpus=0.5)
    source = CgroupSource()
    source.open(lambda: None)
    identity, client = WorkloadId("docker", container), docker_lab.client
    try:
        early = _cgroup_sample(source, identity)
        first = client.stats(container, stream=False)
        before = _cgroup_sample(source, identity)
        time.sleep(8)
        after = _cgroup_sample(source, identity)
        last = client.stats(container, stream=False)
        late = _cgroup_sample(source, identity)
    finally:
        source.close()
        docker_lab.remove(container)
    began, ended = (stats["cpu_stats"]["cpu_usage"]["total_usage"] for stats in (first, last))
    ours = [sample.cpu_total_ns or 0 for sample in (early, before, after, late)]
    assert ours[0] - SLACK_NS <= began <= ours[1] + SLACK_NS, "they are one counter"
    assert ours[2] - SLACK_NS <= ended <= ours[3] + SLACK_NS
    assert _cpu_percent(before, after) == pytest.approx(_docker_cpu_percent(first, last), abs=CPU_POINTS)


@pytest.mark.lab
def test_memory_equals_dockers_formula_to_the_byte(docker_lab: DockerLab) -> None:
    container = docker_lab.run_memory_hog("truth-memory")
    source = CgroupSource()
    source.open(lambda: None)
    identity = WorkloadId("docker", container)

    def agrees() -> bool:
        before = _cgroup_sample(source, identity)
        stats = docker_lab.client.stats(container, stream=False)["memory_stats"]
        after = _cgroup_sample(source, identity)
        keys = ("memory_charged_bytes", "memory_inactive_file_bytes")
        if any(getattr(before, key) != getattr(after, key) for key in keys):
            return False
        inactive = stats["stats"].get("total_inactive_file", stats["stats"].get("inactive_file"))
        docker_bytes = stats["usage"] - inactive if inactive < stats["usage"] else stats["usage"]
        ours = (after.memory_charged_bytes or 0) - (after.memory_inactive_file_bytes or 0)
        assert ours == docker_bytes
        return ours > 40 << 20

    try:
        wait_until(agrees, 40, "two equal readings around Docker's")
    finally:
        source.close()
        docker_lab.remove(container)


@pytest.mark.lab
def test_network_bytes_equal_dockers_counters(docker_lab: DockerLab) -> None:
    receiver, sender = docker_lab.run_traffic("truth-bytes")
    source = CgroupSource()
    source.open(lambda: None)
    try:
        before = _cgroup_sample(source, WorkloadId("docker", receiver))
        networks = docker_lab.client.stats(receiver, stream=False)["networks"]
        after = _cgroup_sample(source, WorkloadId("docker", receiver))
    finally:
        source.close()
        docker_lab.remove(sender)
        docker_lab.remove(receiver)
    docker_bytes = sum(network["rx_bytes"] for network in networks.values())
    assert before.net_rx_total_bytes is not None
    assert after.net_rx_total_bytes is not None
    assert before.net_rx_total_bytes <= docker_bytes <= after.net_rx_total_bytes
    assert after.net_rx_total_bytes > 0


def _domstats(lab: LibvirtLab, name: str) -> dict[str, int]:
    """What virsh says: the second authority for domains."""
    program = find_program("virsh")
    answer = subprocess.run(
        [program, "-c", lab.uri, "domstats", "--cpu-total", "--block", "--interface", name],
        capture_output=True,
        text=True,
        check=True,
        timeout=EXTERNAL_S,
    )
    pairs = (line.strip().partition("=") for line in answer.stdout.splitlines() if "=" in line)
    return {key: int(value) for key, _, value in pairs if value.isdigit()}


@pytest.mark.lab
def test_cpu_and_disk_of_a_guest_agree_with_virsh(libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]) -> None:
    name = linux_guests[0]
    stream = moments(_specs(None, libvirt_lab), 1.0)
    source = CgroupSource()
    source.open(lambda: None)
    try:
        rows = (_by_name(moment).get(name) for moment in stream)  # a fresh libvirtd takes seconds to answer first
        first = next(row for row in rows if row and row.gauge("guest_disk_write_total_bytes") is not None)
        early = _cgroup_sample(source, first.workload.id)
        virsh_first = _domstats(libvirt_lab, name)
        before = _cgroup_sample(source, first.workload.id)
        time.sleep(10)
        after = _cgroup_sample(source, first.workload.id)
        virsh_last, ended = _domstats(libvirt_lab, name), time.monotonic()
        late = _cgroup_sample(source, first.workload.id)
        rows = (_by_name(moment).get(name) for moment in stream)
        last = next(row for row in rows if row and _disk_read_at(row) > ended)
    finally:
        source.close()
        stream.close()  # type: ignore[attr-defined]  # a generator
    used = virsh_last["cpu.time"] - virsh_first["cpu.time"]
    assert _used_ns(before, after) <= used <= _used_ns(early, late)
    assert _used_ns(before, after) > 0
    written = first.gauge("guest_disk_write_total_bytes"), last.gauge("guest_disk_write_total_bytes")
    assert written[0] is not None
    assert written[1] is not None
    assert written[0] <= virsh_first["block.0.wr.bytes"] <= virsh_last["block.0.wr.bytes"] <= written[1]


@pytest.mark.uml
def test_inside_a_cgroup_v2_kernel_disk_memory_and_cpu_equal_dockers(docker_lab: DockerLab) -> None:
    writer = docker_lab.run_disk_writer("truth-writer")
    source = CgroupSource()
    source.open(lambda: None)
    identity = WorkloadId("docker", writer)
    wait_until(lambda: (_cgroup_sample(source, identity).disk_write_total_bytes or 0) > 1 << 20, 60, "disk writes")
    before = _cgroup_sample(source, identity)
    stats = docker_lab.client.stats(writer, stream=False)
    after = _cgroup_sample(source, identity)
    source.close()
    entries = stats["blkio_stats"]["io_service_bytes_recursive"]
    written = sum(entry["value"] for entry in entries if entry["op"].lower() == "write")
    assert before.disk_write_total_bytes is not None
    assert after.disk_write_total_bytes is not None
    assert before.disk_write_total_bytes <= written <= after.disk_write_total_bytes
    assert before.cpu_total_ns is not None
    assert after.cpu_total_ns is not None
    assert before.cpu_total_ns <= stats["cpu_stats"]["cpu_usage"]["total_usage"] <= after.cpu_total_ns


@pytest.mark.uml
def test_inside_a_cgroup_v2_kernel_a_group_at_memory_high_has_that_limit_and_is_slowed_down() -> None:
    group = CGROUPS / "high.service"
    group.mkdir()
    (group / "memory.high").write_text(str(32 * MIB))
    writer = "while :; do dd if=/dev/zero of=/run/lab/file bs=1M count=64 conv=fsync; done 2>/dev/null"
    child = subprocess.Popen(["sh", "-c", f"echo $$ >{group}/cgroup.procs; {writer}"])
    stream = moments(_specs(None, None), 0.5)
    try:
        rows = (_by_name(moment).get("high.service") for moment in stream)
        row = next(row for row in rows if row and (row.value("memory_high_per_second") or 0) > 0)
        events = dict(line.split() for line in (group / "memory.events").read_text().splitlines())
    finally:
        stream.close()  # type: ignore[attr-defined]  # a generator
        child.kill()
        child.wait()
    assert row.value("memory_limit_bytes") == 32 * MIB
    assert row.value("memory_of_limit_percent") is not None
    assert 0 < (row.gauge("memory_high_total") or 0) <= int(events["high"])
    assert row.gauge("oom_kills_total") == int(events["oom_kill"]) == 0


@pytest.mark.lab
def test_the_same_holds_under_pure_cgroup_v2(uml_lab: UmlLab) -> None:
    done = uml_lab.run([sys.executable, "-m", "pytest", "-m", "uml", "-q", "-p", "no:cacheprovider", __file__])
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
