"""What is read of an idle group, and what is not left out of it."""

from pathlib import Path

from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.cgroup.fast_files import AT_LEAST_EVERY, FastFiles
from collectors.kernel.cgroup.hierarchy import Hierarchy, Mode
from collectors.kernel.cgroup.open_files import CgroupDirs
from collectors.model.workloads import Sample, WorkloadId
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_source import ID, opened


def test_a_group_that_may_not_run_is_not_taken_for_an_idle_one(tmp_path: Path) -> None:
    places = {name: str(tmp_path / name) for name in ("cpu", "cpuacct", "memory")}
    write(tmp_path / "cpuacct", {"cpuacct.usage": "5000000\n", "cpuacct.stat": "user 1\nsystem 0\n"})
    write(tmp_path / "memory", {"memory.usage_in_bytes": "4096\n", "memory.stat": "total_inactive_file 0\n"})
    hot = FastFiles(CgroupDirs("/one", Hierarchy(Mode.V1, places), places), BlockDevices(str(tmp_path), str(tmp_path)))
    periods = []
    for number in range(1, 2 * AT_LEAST_EVERY):
        write(tmp_path / "cpu", {"cpu.stat": f"nr_periods {number}\nnr_throttled {number}\nthrottled_time 9\n"})
        hot.reopen()
        periods.append(hot.read(None).cpu_throttled_periods_total)
    hot.close()
    assert periods == [*range(1, 2 * AT_LEAST_EVERY)], (
        "it paid off what it had used too much: no CPU time, all throttled"
    )


def test_the_io_of_very_many_processes_is_asked_for_seldom_and_by_its_own_clock(tmp_path: Path) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    write(root / "blkio", {"blkio.throttle.io_service_bytes": "Total 0\n", "cgroup.procs": ""})
    write(root / "cpuacct" / "docker" / ID, {"cgroup.procs": "".join(f"{pid}\n" for pid in range(1, 121))})
    write(root / "cpuacct", {"cgroup.procs": ""})
    write(proc, {"stat": "btime 1700000000\n", "meminfo": "", "diskstats": " 254 0 vda 9 0 80 0 1 0 8 0 0 0 0\n"})
    source = None
    taken: list[Sample] = []
    for amount in range(1, 22):
        write(root / "cpuacct" / "docker" / ID, {"cpuacct.usage": f"{amount}\n", "cpuacct.stat": "user 1\nsystem 0\n"})
        for pid in range(1, 121):
            write(proc / str(pid), {"io": f"read_bytes: {amount}\nwrite_bytes: 0\n"})
        source = source or opened(root, proc=str(proc))
        samples = source.read().samples[WorkloadId("docker", ID)]
        taken += [sample for sample in samples if sample.source == "process-io"]
    assert source is not None
    source.close()
    assert len(taken) == 21
    values = {sample.at_ns: sample.disk_read_total_bytes for sample in taken}
    assert len(values) == len(set(values.values())), "one that was not asked for anew keeps its instant"
    assert 21 // 3 <= len(values) <= 21 // 3 + 2, "120 processes: each third reading"
