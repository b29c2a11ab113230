"""Hugepages of workloads: no memory cgroup counts them, and the host pays them all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.analysis.rates import Pair, Reading
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.source import CgroupSource
from collectors.kernel.hugepages import read_pools
from collectors.model.workloads import Sample, Workload, WorkloadId
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_source import ID, UUID, opened

MIB = 1 << 20
MACHINE = r"machine.slice/machine-qemu\x2d1\x2dhuge.scope"
STATUS = "Name:\tqemu\nRssShmem:\t       0 kB\nHugetlbPages:\t   65536 kB\nThreads:\t4\n"


def pool(sys: Path, kib: int, pages: int, free: int) -> None:
    """Write a pool of hugepages of one size below a sysfs."""
    folder = f"kernel/mm/hugepages/hugepages-{kib}kB"
    write(sys, {f"{folder}/nr_hugepages": f"{pages}\n", f"{folder}/free_hugepages": f"{free}\n"})


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    """A sysfs of a host that has hugepages of two sizes, and none of a third."""
    for kib, pages, free in ((2048, 48, 16), (1 << 20, 2, 2), (64, 0, 0)):
        pool(tmp_path / "sys", kib, pages, free)
    return tmp_path / "sys"


def machine(root: Path, proc: Path) -> Path:
    """Make a cgroup v2 tree with a virtual machine of 13 MiB; return its group."""
    write(root, {"cgroup.controllers": "cpu memory\n"})
    write(root / MACHINE, {"cpu.stat": "usage_usec 5\n", "memory.current": f"{13 * MIB}\n", "memory.stat": "anon 1\n"})
    write(root / MACHINE / "libvirt" / "emulator", {"cgroup.procs": "77\n"})
    write(proc, {"stat": "btime 1700000000\n", "meminfo": ""})
    write(proc / "77", {"cmdline": f"/usr/bin/qemu\0-uuid\0{UUID}\0", "status": STATUS})
    return root / MACHINE


def read(source: CgroupSource, identity: WorkloadId, times: int = 1) -> Reading:
    """Read so often, and return the last reading of a workload."""
    for _ in range(times):
        reading = source.read()
    workload: Workload = reading.workloads[identity]
    return Reading(workload, tuple(Pair(None, sample) for sample in reading.samples[identity]))


def slow(one: Reading) -> Sample:
    """Return the sample of what is read seldom."""
    return next(pair.current for pair in one.pairs if pair.current.source == "cgroup-slow")


def test_a_machine_on_hugepages_costs_them_although_its_cgroup_does_not_count_them(tmp_path: Path, sys: Path) -> None:
    machine(tmp_path / "cgroup", tmp_path / "proc")
    source = opened(tmp_path / "cgroup", proc=str(tmp_path / "proc"), sys=str(sys))
    one = read(source, WorkloadId("qemu", UUID))
    source.close()
    assert one.value("memory_hugetlb_bytes") == 64 * MIB
    assert one.value("memory_host_bytes") == 77 * MIB
    assert one.value("memory_charged_bytes") == 13 * MIB


def test_hugepages_that_the_kernel_charges_are_not_counted_twice(tmp_path: Path, sys: Path) -> None:
    """Linux 6.7 can include them in memory.current: a mount option."""
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    machine(root, proc)
    options = "rw,nsdelegate,memory_recursiveprot,memory_hugetlb_accounting"
    write(proc, {"self/mountinfo": f"1 0 0:2 / {root} rw - cgroup2 cgroup2 {options}\n"})
    assert detect(str(root), str(proc)).is_hugetlb_charged
    source = opened(root, proc=str(proc), sys=str(sys))
    one = read(source, WorkloadId("qemu", UUID))
    source.close()
    assert one.value("memory_hugetlb_bytes") is None
    assert one.value("memory_host_bytes") == 13 * MIB


@pytest.mark.parametrize(
    ("folder", "name"), [("", "hugetlb.{}.current"), ("hugetlb/", "hugetlb.{}.usage_in_bytes")], ids=["v2", "v1"]
)
def test_a_containers_hugepages_are_those_of_the_controller_of_all_sizes(
    tmp_path: Path, sys: Path, folder: str, name: str
) -> None:
    root, proc, group = tmp_path / "cgroup", tmp_path / "proc", f"docker/{ID}"
    if folder:
        write(root / "hugetlb", {"cgroup.procs": ""})
        write(root / "memory", {"cgroup.procs": ""})
        write(root / "memory" / group, {"memory.usage_in_bytes": f"{MIB}\n", "cgroup.procs": "77\n"})
    else:
        write(root, {"cgroup.controllers": "memory hugetlb\n"})
        write(root / group, {"memory.current": f"{MIB}\n", "cgroup.procs": "77\n", "memory.max": f"{10 * MIB}\n"})
    held = {"2MB": 4 * MIB, "1GB": 1024 * MIB, "64KB": 999}
    files = {name.format(size): f"{count}\n" for size, count in held.items()}
    # what is reserved and not touched yet is not held
    reserved = {name.format(f"{size}.rsvd"): f"{2048 * MIB}\n" for size in held}
    write(root / f"{folder}{group}", files | reserved)
    write(proc, {"stat": "btime 1700000000\n", "77/status": STATUS, "77/cmdline": "postgres\0"})
    source = opened(root, proc=str(proc), sys=str(sys))
    one = read(source, WorkloadId("docker", ID))
    source.close()
    assert one.value("memory_hugetlb_bytes") == 1028 * MIB
    assert one.value("memory_host_bytes") == 1029 * MIB
    if not folder:
        assert one.value("memory_of_limit_percent") == 10.0, "memory.max does not apply to hugepages"


def test_without_the_controller_a_containers_hugepages_are_unknown_and_not_none(tmp_path: Path, sys: Path) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    write(root, {"cgroup.controllers": "memory\n"})
    write(root / "docker" / ID, {"memory.current": f"{MIB}\n", "cgroup.procs": "77\n"})
    write(proc, {"stat": "btime 1700000000\n", "77/status": STATUS, "77/cmdline": "postgres\0"})
    source = opened(root, proc=str(proc), sys=str(sys))
    one = read(source, WorkloadId("docker", ID))
    source.close()
    assert one.value("memory_hugetlb_bytes") is None


def test_a_pool_that_is_made_later_is_seen(tmp_path: Path) -> None:
    root, proc, sys = tmp_path / "cgroup", tmp_path / "proc", tmp_path / "sys"
    write(root, {"cgroup.controllers": "memory hugetlb\n"})
    files = {"memory.current": f"{MIB}\n", "cgroup.procs": "77\n", "hugetlb.2MB.current": f"{2 * MIB}\n"}
    write(root / "docker" / ID, files)
    write(proc, {"stat": "btime 1700000000\n", "77/cmdline": "postgres\0"})
    source = opened(root, proc=str(proc), sys=str(sys))
    assert read(source, WorkloadId("docker", ID)).value("memory_hugetlb_bytes") is None
    pool(sys, 2048, 1, 0)
    one = read(source, WorkloadId("docker", ID), times=12)
    source.close()
    assert one.value("memory_hugetlb_bytes") == 2 * MIB


def test_pools_are_named_as_the_controller_names_them(sys: Path) -> None:
    pools = read_pools(str(sys))
    assert [(one.size, one.pages, one.unused) for one in pools] == [("2MB", 48, 16), ("1GB", 2, 2)]
    assert read_pools("/nonexistent") == []


def test_shared_memory_is_in_the_memory_and_compressed_swap_has_its_size(tmp_path: Path) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    write(root, {"cgroup.controllers": "memory\n"})
    stat = "anon 4\nshmem 3000\nzswap 700\nzswapped 2100\ninactive_file 1000\n"
    files = {"memory.current": "10000\n", "memory.stat": stat, "memory.swap.current": "2100\n"}
    write(root / "docker" / ID, {**files, "cgroup.procs": "77\n"})
    write(proc, {"stat": "btime 1700000000\n", "77/cmdline": "postgres\0"})
    source = opened(root, proc=str(proc))
    one = read(source, WorkloadId("docker", ID))
    source.close()
    values = [one.value(f"memory_{name}_bytes") for name in ("shmem", "zswap", "swap", "host")]
    assert values == [3000, 700, 2100, 9000]
