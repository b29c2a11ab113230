"""CPU limits of virtual machines: `<cputune>` takes effect in groups below the machine's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.kernel.cgroup.domain_groups import DomainGroups
from collectors.kernel.cgroup.hierarchy import Hierarchy, Mode
from collectors.kernel.cgroup.limits import Limits
from collectors.kernel.cgroup.open_files import CgroupDirs, find_directories
from collectors.kernel.cgroup.parsers import Throttling
from collectors.model.workloads import WorkloadId
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_hugepages import MACHINE, machine, read
from tests.unit.collectors.kernel.cgroup.test_source import UUID, opened

V1 = "/machine/qemu-1-capped.libvirt-qemu"
V2 = f"/{MACHINE}"


class Capped:
    """A machine in either version of cgroups, whose groups get quotas (in percent of a core) and CPUs."""

    def __init__(self, root: Path, mode: Mode) -> None:
        self._mode = mode
        self._root = root
        mounts = {"unified": str(root)} if mode is Mode.V2 else {name: f"{root}/{name}" for name in ("cpu", "cpuset")}
        self.hierarchy = Hierarchy(mode, mounts)
        self.path = V2 if mode is Mode.V2 else V1
        self.inner = f"{V2}/libvirt" if mode is Mode.V2 else V1
        write(root / "sys", {"devices/system/cpu/online": "0-7\n"})
        self.set("")

    def set(self, name: str, percent: int | None = None, cpus: str = "0-7", counted: tuple[int, int] = (0, 0)) -> None:
        """Make a group of the machine, the outermost or one below it, with its quota, CPUs and throttling."""
        group = f"{self.inner}/{name}".removesuffix("/").removeprefix("/")
        stat = f"nr_periods {counted[0]}\nnr_throttled {counted[1]}\n"
        if self._mode is Mode.V2:
            quota = "max" if percent is None else str(percent * 1000)
            files = {"cpu.max": f"{quota} 100000\n", "cpu.stat": f"usage_usec 1\n{stat}throttled_usec {counted[1]}\n"}
            write(self._root / group, {**files, "cpuset.cpus.effective": f"{cpus}\n"})
            return
        quota = "-1" if percent is None else str(percent * 1000)
        files = {"cpu.cfs_quota_us": f"{quota}\n", "cpu.cfs_period_us": "100000\n"}
        write(self._root / "cpu" / group, {**files, "cpu.stat": f"{stat}throttled_time {counted[1] * 1000}\n"})
        write(self._root / "cpuset" / group, {"cpuset.effective_cpus": f"{cpus}\n"})

    @property
    def directories(self) -> CgroupDirs:
        """The machine's directories."""
        return find_directories(self.hierarchy, self.path)

    @property
    def cores(self) -> float:
        """What the machine may use."""
        return DomainGroups(self.directories).find_cores(Limits(self.hierarchy, str(self._root / "sys")))

    def read_throttling(self) -> Throttling:
        """What its quotas did."""
        groups = DomainGroups(self.directories)
        groups.find_cores(Limits(self.hierarchy, str(self._root / "sys")))
        return groups.throttling()


@pytest.fixture(params=[Mode.V1, Mode.V2], ids=["v1", "v2"])
def capped(tmp_path: Path, request: pytest.FixtureRequest) -> Capped:
    """A machine without any limit, in both versions."""
    return Capped(tmp_path, request.param)


def test_a_machine_may_use_what_its_virtual_cpus_may(capped: Capped) -> None:
    capped.set("emulator", 5)
    assert capped.cores == 8.0, "no virtual CPU has a group: another hypervisor, or one about to start"
    capped.set("vcpu0", 10)
    assert capped.cores == 0.1
    capped.set("vcpu1")
    assert capped.cores == 1.1, "one without a quota uses a core at most"
    capped.set("vcpu1", 250)
    assert capped.cores == 1.1, "a virtual CPU runs on one core at a time"


def test_the_global_quota_is_that_of_the_group_around_them(capped: Capped) -> None:
    capped.set("vcpu0", 90)
    capped.set("", 50)
    assert capped.cores == 0.5


def test_virtual_cpus_that_are_pinned_share_the_cpus(capped: Capped) -> None:
    capped.set("vcpu0", cpus="2")
    capped.set("vcpu1", cpus="2")
    capped.set("vcpu2", cpus="2-3")
    capped.set("emulator", cpus="0-1")
    assert capped.cores == 2.0


def test_throttling_is_that_of_all_quotas_together(capped: Capped) -> None:
    assert capped.read_throttling() == (None, None, None)
    capped.set("vcpu0", 10, counted=(75, 5))
    capped.set("emulator", 20, counted=(25, 12))
    capped.set("iothread1", 20, counted=(10, 1))
    capped.set("vcpu1", counted=(900, 0))
    assert capped.read_throttling() == (110, 18, 18_000), "without vcpu1, whose quota was removed"
    capped.set("", 50, counted=(31, 0))
    assert capped.read_throttling() == (141, 18, 18_000)


def test_memtune_is_read_where_libvirt_sets_it(tmp_path: Path) -> None:
    group = machine(tmp_path / "cgroup", tmp_path / "proc")
    write(group, {"memory.max": "max\n", "memory.high": "max\n"})
    write(group / "libvirt", {"memory.max": "64000000\n", "memory.high": "48000000\n"})
    source = opened(tmp_path / "cgroup", proc=str(tmp_path / "proc"))
    one = read(source, WorkloadId("qemu", UUID))
    source.close()
    assert one.value("memory_limit_bytes") == 48_000_000


def test_the_source_counts_a_machines_quotas_once(tmp_path: Path) -> None:
    """Those of the machine's own group are in the sum; the fast reading leaves them out."""
    group = machine(tmp_path / "cgroup", tmp_path / "proc")
    own = "usage_usec 5\nnr_periods 31\nnr_throttled 0\nthrottled_usec 0\n"
    write(group, {"cpu.stat": own, "cpu.max": "50000 100000\n"})
    inner = "usage_usec 4\nnr_periods 32\nnr_throttled 32\nthrottled_usec 9\n"
    write(group / "libvirt" / "vcpu0", {"cpu.stat": inner, "cpu.max": "10000 100000\n"})
    source = opened(tmp_path / "cgroup", proc=str(tmp_path / "proc"))
    one = read(source, WorkloadId("qemu", UUID))
    source.close()
    counted = {pair.current.source: pair.current.cpu_throttled_periods_total for pair in one.pairs}
    assert counted == {"cgroup": None, "cgroup-slow": 32}
    assert one.gauge("cpu_periods_total") == 63
    assert one.value("cpu_limit_cores") == 0.1
