"""The host source against a captured procfs, and against psutil on this host."""

import os
import time
from pathlib import Path

import psutil
import pytest

from collectors.kernel.cgroup.parsers import NS_PER_TICK
from collectors.kernel.devices import Disks, Interfaces
from collectors.kernel.host import HostSource
from collectors.model.errors import SourceAbsent, SourceDown
from collectors.model.workloads import Kind, Sample, WorkloadId
from collectors.sampling.source import SourceReading

STAT = "cpu  100 20 30 4000 500 6 7 800 90 10\ncpu0 50 10 15 2000 250 3 3 400 0 0\ncpu3 50 10 15 2000 250 3 4 400 0 0\n"
MEMINFO = """MemTotal:       1000 kB
MemFree:         400 kB
MemAvailable:    700 kB
Inactive(file):  200 kB
SwapTotal:       100 kB
SwapFree:         60 kB
HugePages_Total:   0
Shmem:            50 kB
Zswap:             3 kB
Hugetlb:           0 kB
"""
DISKSTATS = """   7       0 loop0 5 0 500 0 5 0 500 0 0 0 0
   8       0 sda 10 0 100 0 20 0 200 0 0 0 0
   8       1 sda1 10 0 100 0 20 0 200 0 0 0 0
 259       0 nvme0n1 1 0 10 0 2 0 20 0 0 0 0
 259       1 nvme0n1p1 1 0 10 0 2 0 20 0 0 0 0
 253       0 dm-0 10 0 100 0 20 0 200 0 0 0 0
   9       0 md127 10 0 100 0 20 0 200 0 0 0 0
"""
NET_DEV = """Inter-|
 face |
    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
  eth0: 100 10 0 1 0 0 0 0 200 20 0 2 0 0 0 0
 bond0: 100 10 0 1 0 0 0 0 200 20 0 2 0 0 0 0
docker0: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
vethab: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
"""


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A captured procfs."""
    files = {
        "stat": STAT + "btime 1700000000\n",
        "meminfo": MEMINFO,
        "diskstats": DISKSTATS,
        "net/dev": NET_DEV,
        "loadavg": "0.50 0.40 0.30 1/200 4242\n",
        "uptime": "1234.56 99.00\n",
        "pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=17\nfull avg10=0.00 avg60=0.00 total=0\n",
        "pressure/io": "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.00 total=4\n",
        "sys/kernel/hostname": "cap\x1btured\n",
        "sys/kernel/osrelease": "6.1.0\n",
        "sys/kernel/random/boot_id": "b00t\n",
    }
    for name, text in files.items():
        path = tmp_path / "proc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "proc"


def read(proc: Path | str = "/proc", sys: Path | str = "/sys") -> SourceReading:
    """Read a host once."""
    source = HostSource(str(proc), str(sys))
    source.open(lambda: None)
    return source.read()


def only_sample(reading: SourceReading) -> Sample:
    """Return the host's sample."""
    (samples,) = reading.samples.values()
    (sample,) = samples
    return sample


ZONEINFO = """Node 0, zone   Normal
  pages free     4523
        boost    0
  pagesets
    cpu: 0
              count:    7
              high:     2171
              batch:    63
  vm stats threshold: 16
    cpu: 1
              count:    3
              high:     2171
  node_unreclaimable:  0
"""


def test_free_pages_on_lists_of_cpus_are_not_taken(proc: Path) -> None:
    taken = only_sample(read(proc)).memory_charged_bytes
    assert taken == 600 * 1024
    (proc / "zoneinfo").write_text(ZONEINFO)
    assert only_sample(read(proc)).memory_charged_bytes == taken - 10 * os.sysconf("SC_PAGE_SIZE")


def test_a_captured_host_is_read_whole(proc: Path, tmp_path: Path) -> None:
    reading = read(proc, tmp_path / "sys")
    assert reading.host is not None
    assert (reading.host.kind, reading.host.id) == (Kind.HOST, WorkloadId("host", "cap\ufffdtured"))
    assert reading.host.started_at == 1_700_000_000
    assert reading.host.id in reading.samples
    assert (reading.cpus, reading.memory_bytes) == (2, 1_024_000)
    assert reading.facts == {
        "hostname": "cap\ufffdtured",
        "kernel": "6.1.0",
        "uptime_s": "1234",
        "load": "0.50 0.40 0.30",
        "swap_total": "102400",
        "swap_used": "40960",
        "memory_available": "716800",
    }
    sample = only_sample(reading)
    assert (sample.epoch, sample.load_1m) == ("b00t", 0.5)
    assert (sample.memory_charged_bytes, sample.memory_inactive_file_bytes) == (614_400, 204_800)
    assert (sample.memory_available_bytes, sample.memory_swap_bytes) == (716_800, 40_960)
    assert sample.memory_unreclaimable_bytes == 1_024_000 - 716_800
    assert (sample.cpu_stall_total_ns, sample.memory_stall_total_ns) == (17_000, None)
    assert (sample.io_stall_total_ns, sample.io_stall_full_total_ns) == (9000, 4000)
    assert sample.memory_stall_full_total_ns is None
    assert sample.cpu_stall_full_total_ns is None, "of a host the kernel always writes 0"


@pytest.mark.parametrize(
    ("rows", "given_back"),
    [
        ("size 4 500000\nc_min 4 200000\nc_max 4 900000\n", 300_000),
        ("size                            4    500000\nc_min                           4    200000\n", 300_000),
        ("size 4 100000\nc_min 4 200000\n", 0),
        ("size 4 500000\n", 0),
        ("rubbish", 0),
    ],
)
def test_what_the_cache_of_zfs_gives_back_is_available(proc: Path, rows: str, given_back: int) -> None:
    (proc / "spl" / "kstat" / "zfs").mkdir(parents=True)
    (proc / "spl" / "kstat" / "zfs" / "arcstats").write_text(
        f"9 1 0x01 147 39984 5 6\nname type data\nhits 4 9\n{rows}"
    )
    assert only_sample(read(proc)).memory_available_bytes == 716_800 + given_back


def test_shared_memory_and_compressed_swap_of_the_host_are_those_of_meminfo(proc: Path) -> None:
    sample = only_sample(read(proc))
    assert (sample.memory_shmem_bytes, sample.memory_zswap_bytes) == (51_200, 3072)


def test_hugepages_that_nobody_uses_are_told_and_are_not_free_memory(proc: Path, tmp_path: Path) -> None:
    (proc / "meminfo").write_text(MEMINFO.replace("Hugetlb:           0", "Hugetlb:         192"))
    for kib, pages, free in ((64, 2, 1), (32, 2, 2)):
        folder = tmp_path / "sys" / "kernel" / "mm" / "hugepages" / f"hugepages-{kib}kB"
        folder.mkdir(parents=True)
        (folder / "nr_hugepages").write_text(f"{pages}\n")
        (folder / "free_hugepages").write_text(f"{free}\n")
    reading = read(proc, tmp_path / "sys")
    assert reading.facts["hugepages_total"] == str(192 * 1024)
    assert reading.facts["hugepages_unused"] == str(128 * 1024)
    sample = only_sample(reading)
    assert sample.memory_charged_bytes == 614_400, "MemFree is without the pool"
    assert sample.memory_hugetlb_bytes is None, "which is in what is charged already"


def test_cpu_time_is_without_guests_twice_waiting_and_steal(proc: Path) -> None:
    sample = only_sample(read(proc))
    assert sample.cpu_user_total_ns == 120 * NS_PER_TICK
    assert sample.cpu_system_total_ns == 43 * NS_PER_TICK
    assert sample.cpu_total_ns == 163 * NS_PER_TICK


def test_disks_are_counted_once_by_their_names_where_there_is_no_sysfs(tmp_path: Path) -> None:
    (tmp_path / "diskstats").write_text(DISKSTATS)
    assert Disks("/nowhere", str(tmp_path)).read(DISKSTATS.encode()) == (110 * 512, 220 * 512, 11, 22)


def test_operations_are_counted_before_the_kernel_merges_them_as_in_io_stat(tmp_path: Path) -> None:
    line = "98 16 ubdb 21 3 4120 128 51 967 12096 150 0 10 279 0 0 0 0 0 0\n"
    (tmp_path / "diskstats").write_text(line)
    assert Disks("/nowhere", str(tmp_path)).read(line.encode()) == (4120 * 512, 12096 * 512, 24, 1018)


def test_no_disk_is_none_and_not_zero(tmp_path: Path) -> None:
    assert Disks(str(tmp_path), str(tmp_path)).read(b"7 0 loop0 1 1 1 1 1 1 1 1\nbroken\n") == (None, None, None, None)


def test_where_the_namespace_may_not_be_seen_the_names_tell_which_interfaces_count(tmp_path: Path) -> None:
    assert Interfaces(str(tmp_path)).read(NET_DEV.encode()) == (100, 200, 10, 20, 3)


def test_a_host_without_procfs_is_absent(tmp_path: Path) -> None:
    with pytest.raises(SourceAbsent):
        read(tmp_path)


def test_a_procfs_that_vanishes_is_down(proc: Path) -> None:
    source = HostSource(str(proc))
    source.open(lambda: None)
    (proc / "stat").unlink()
    with pytest.raises(SourceDown):
        source.read()


def test_nonsense_in_procfs_is_none_and_not_an_error(proc: Path) -> None:
    for name in ("stat", "meminfo", "diskstats", "net/dev", "loadavg", "uptime", "pressure/cpu"):
        (proc / name).write_bytes(b"\xff\x00 nonsense: x\n")
    sample = only_sample(read(proc))
    assert (sample.cpu_total_ns, sample.memory_charged_bytes, sample.load_1m) == (None, None, None)


class TestAgainstPsutil:
    def test_cpu_time_equals_psutils(self) -> None:
        ours = only_sample(read()).cpu_total_ns
        theirs = psutil.cpu_times()
        assert ours is not None
        busy = theirs.user + theirs.nice + theirs.system + theirs.irq + theirs.softirq
        assert ours / 1e9 == pytest.approx(busy, abs=0.5 * (os.cpu_count() or 1))

    def test_memory_equals_psutils(self) -> None:
        reading, memory = read(), psutil.virtual_memory()
        sample = only_sample(reading)
        assert reading.memory_bytes == memory.total
        assert sample.memory_available_bytes == pytest.approx(memory.available, rel=0.05)
        assert sample.memory_swap_bytes == pytest.approx(psutil.swap_memory().used, abs=1 << 24)

    def test_the_rest_equals_psutils(self) -> None:
        reading = read()
        assert reading.cpus == psutil.cpu_count()
        assert reading.host is not None
        assert reading.host.started_at == psutil.boot_time()
        assert float(reading.facts["uptime_s"]) == pytest.approx(time.time() - psutil.boot_time(), abs=5)
