"""What a group may use at most: of memory, of CPU, and on a host that changes its size."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest

from collectors.analysis.rates import Deriver, Pair, Reading, derive
from collectors.engines.docker.stats import with_limits
from collectors.kernel.cgroup.hierarchy import Hierarchy, Mode
from collectors.kernel.cgroup.limits import Limits
from collectors.kernel.procfs import read_bytes
from collectors.model.workloads import Kind, Sample, WorkloadId
from tests.helpers.strategies import NS, frame, reading, workload
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_hugepages import read, slow
from tests.unit.collectors.kernel.cgroup.test_source import ID, opened

GIB = 1 << 30


def limits(root: Path, mode: Mode = Mode.V2, online: str = "0-63") -> Limits:
    """Return the limits of a tree on a host of 64 CPUs."""
    write(root / "sys", {"devices/system/cpu/online": f"{online}\n"})
    mounts = {"unified": str(root)} if mode is Mode.V2 else {name: str(root) for name in ("memory", "cpu", "cpuset")}
    return Limits(Hierarchy(mode, mounts), str(root / "sys"))


@pytest.mark.parametrize(
    ("own", "above", "lowest"),
    [
        ({"memory.max": "max", "memory.high": "32000000"}, {}, 32_000_000),
        ({"memory.max": "30000000", "memory.high": "32000000"}, {}, 30_000_000),
        ({"memory.max": "max", "memory.high": "max"}, {"memory.max": "max", "memory.high": "9000000"}, 9_000_000),
        ({"memory.max": "max", "memory.high": "max"}, {"memory.max": "max"}, None),
    ],
)
def test_memory_high_is_a_limit(tmp_path: Path, own: dict[str, str], above: dict[str, str], lowest: int | None) -> None:
    """MemoryHigh of systemd, and what Kubernetes sets with MemoryQoS."""
    write(tmp_path / "slice" / "unit", own)
    write(tmp_path / "slice", above)
    assert limits(tmp_path).memory_bytes("/slice/unit") == lowest


def test_v1_has_no_memory_high(tmp_path: Path) -> None:
    write(tmp_path / "one", {"memory.limit_in_bytes": "9223372036854771712\n", "memory.high": "5\n"})
    assert limits(tmp_path, Mode.V1).memory_bytes("/one") is None


@pytest.mark.parametrize(("quota", "cores"), [("-1", None), ("50000", 0.5), ("", None)])
def test_on_v1_the_period_is_read_only_where_there_is_a_quota(
    tmp_path: Path, quota: str, cores: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "one", {"cpu.cfs_quota_us": f"{quota}\n", "cpu.cfs_period_us": "100000\n"})
    read: list[str] = []

    def noted(path: str) -> bytes | None:
        read.append(Path(path).name)
        return read_bytes(path)

    monkeypatch.setattr("collectors.kernel.cgroup.limits.read_bytes", noted)
    of_host = limits(tmp_path, Mode.V1)
    read.clear()
    assert of_host.own_quota("/one") == cores
    assert ("cpu.cfs_period_us" in read) == (cores is not None)


def test_being_slowed_down_at_memory_high_is_a_rate(tmp_path: Path) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    write(root, {"cgroup.controllers": "memory\n"})
    files = {"memory.current": "33000000\n", "memory.max": "max\n", "memory.high": "32000000\n", "cgroup.procs": "77\n"}
    write(root / "docker" / ID, {**files, "memory.events": "low 0\nhigh 156\nmax 0\noom 0\noom_kill 0\n"})
    write(proc, {"stat": "btime 1700000000\n", "77/cmdline": "postgres\0"})
    source = opened(root, proc=str(proc))
    before = read(source, WorkloadId("docker", ID))
    write(root / "docker" / ID, {"memory.events": "low 0\nhigh 166\nmax 0\noom 0\noom_kill 0\n"})
    after = read(source, WorkloadId("docker", ID), times=5)
    source.close()
    earlier, later = slow(before), slow(after)
    passed = (later.at_ns - earlier.at_ns) / NS
    one = Reading(after.workload, derive((Pair(None, earlier),), (later,)))
    assert one.value("memory_high_per_second") == pytest.approx(10 / passed)
    assert one.value("memory_limit_bytes") == 32_000_000


def test_cpus_that_are_added_and_removed_change_the_limit_at_once(tmp_path: Path) -> None:
    found = limits(tmp_path, online="0-1")
    assert found.cores("/one") == 2.0
    for online, count in (("0-3", 4.0), ("0,2", 2.0)):
        write(tmp_path / "sys", {"devices/system/cpu/online": f"{online}\n"})
        found.refresh()
        assert found.cores("/one") == count


def test_the_cgroup_source_reads_the_online_cpus_again(tmp_path: Path) -> None:
    root, proc, sys = tmp_path / "cgroup", tmp_path / "proc", tmp_path / "sys"
    write(root, {"cgroup.controllers": "cpu\n"})
    write(root / "docker" / ID, {"cpu.stat": "usage_usec 5\n", "cgroup.procs": "77\n"})
    write(proc, {"stat": "btime 1700000000\n", "77/cmdline": "postgres\0"})
    write(sys, {"devices/system/cpu/online": "0-1\n"})
    source = opened(root, proc=str(proc), sys=str(sys))
    assert read(source, WorkloadId("docker", ID)).value("cpu_limit_cores") == 2.0
    write(sys, {"devices/system/cpu/online": "0-3\n"})
    assert read(source, WorkloadId("docker", ID), times=20).value("cpu_limit_cores") == 4.0
    source.close()


@pytest.mark.parametrize("source", ["cgroup-slow", "docker", "libvirt"])
def test_a_limit_above_the_hosts_memory_is_the_hosts_memory_also_after_some_was_added(source: str) -> None:
    web, deriver = workload(), Deriver()
    sample = Sample(source, NS, memory_limit_bytes=100 * GIB, memory_charged_bytes=6 * GIB)
    picture = msgspec.structs.replace(frame(1.0, {web: {}}), samples={web.id: (sample,)})
    for host, percent in ((24 * GIB, 25.0), (48 * GIB, 12.5), (0, 6.0)):
        moment = deriver.feed(msgspec.structs.replace(picture, memory_bytes=host))
        assert moment.readings[web.id].value("memory_limit_bytes") == (host or 100 * GIB)
        assert moment.readings[web.id].value("memory_of_limit_percent") == percent


def test_a_remote_containers_limit_is_at_most_what_its_engine_says() -> None:
    measured = Sample("docker-stats", NS, memory_limit_bytes=24 * GIB)
    own = Sample("docker", NS, memory_limit_bytes=100 * GIB)
    assert with_limits(measured, own).memory_limit_bytes == 24 * GIB
    assert with_limits(measured, Sample("docker", NS, memory_limit_bytes=GIB)).memory_limit_bytes == GIB
    assert with_limits(measured, Sample("docker", NS)).memory_limit_bytes == 24 * GIB
    assert with_limits(Sample("docker-stats", NS), Sample("docker", NS)).memory_limit_bytes is None


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("cpu_wait_percent", "cpu_stall_total_ns"),
        ("memory_wait_percent", "memory_stall_total_ns"),
        ("io_wait_percent", "io_stall_total_ns"),
        ("cpu_stall_percent", "cpu_stall_full_total_ns"),
        ("memory_stall_percent", "memory_stall_full_total_ns"),
        ("io_stall_percent", "io_stall_full_total_ns"),
        ("cpu_steal_percent", "steal_total_ns"),
        ("vcpu_percent", "vcpu_total_ns"),
    ],
)
@pytest.mark.parametrize(("grown", "percent"), [(1.06, 100.0), (0.25, 25.0), (0.0, 0.0)])
def test_a_share_of_time_is_at_most_all_of_it(key: str, field: str, grown: float, percent: float) -> None:
    before = Sample("cgroup", NS, **{field: 0})  # type: ignore[arg-type]  # a counter
    one = reading(workload("vm", Kind.VM), before, vcpus=1, **{field: int(grown * NS)})
    value = one.value(key)
    assert value is not None
    assert math.isclose(value, percent)
