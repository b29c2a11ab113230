"""What is measured, and that it says how: on trees of the test's own making."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.cgroup.hierarchy import UNIFIED, Hierarchy, Mode
from collectors.kernel.cgroup.open_files import CgroupDirs
from collectors.running.budget import Limit, judge
from collectors.running.group_meter import GroupMeter
from collectors.running.quantities import QUANTITIES, Measured, missing
from collectors.running.quota_watch import QuotaWatch
from collectors.running.resident import ResidentPeak
from collectors.running.tree_meter import TreeMeter
from tests.helpers.process_tree import capture
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write

MIB = 1 << 20
FILES = {
    "cpu.stat": "usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\n",
    "memory.current": "1000000\n",
    "memory.stat": "inactive_file 300000\n",
    "memory.events": "low 0\noom_kill 2\n",
    "memory.peak": "5000000\n",
    "io.stat": "",
    "pids.peak": "17\n",
}


def metered(root: Path, without: str = "", is_whole: bool = True) -> GroupMeter:
    write(root / "job", {name: text for name, text in FILES.items() if name != without})
    hierarchy = Hierarchy(Mode.V2, {UNIFIED: str(root)})
    return GroupMeter(CgroupDirs("/job", hierarchy, {UNIFIED: str(root / "job")}), list, is_whole)


def test_the_peak_is_the_kernels_not_the_highest_sample(tmp_path: Path) -> None:
    meter = metered(tmp_path)
    meter.sample()
    usage = meter.usage()
    assert usage["mem"] == Measured(5_000_000, "the kernel's memory.peak, page cache included")
    assert (usage["working_set"].value, usage["working_set"].is_lower_bound) == (700_000, True)
    assert (usage["cpu_seconds"].value, usage["user_seconds"].value, usage["system_seconds"].value) == (3, 2, 1)
    assert (usage["oom_kills"].value, usage["pids"].value) == (2, 17)


def test_without_memory_peak_it_is_sampled_and_a_lower_bound(tmp_path: Path) -> None:
    meter = metered(tmp_path, without="memory.peak")
    write(tmp_path / "job", {"memory.current": "4000000\n"})
    meter.sample()
    write(tmp_path / "job", {"memory.current": "2000000\n"})
    meter.sample()
    peak = meter.usage()["mem"]
    assert (peak.value, peak.is_lower_bound) == (4_000_000, True)
    assert "the kernel has no memory.peak" in peak.how


@pytest.mark.parametrize(("key", "file"), [("pids", "pids.peak"), ("oom_kills", "memory.events")])
def test_what_the_kernel_does_not_tell_is_missing_not_zero(tmp_path: Path, key: str, file: str) -> None:
    meter = metered(tmp_path, without=file)
    meter.sample()
    measured = meter.usage()[key]
    assert measured.value is None
    assert measured.how


def test_of_a_group_that_was_there_before_only_the_growth_counts(tmp_path: Path) -> None:
    meter = metered(tmp_path, is_whole=False)
    write(tmp_path / "job", {"cpu.stat": "usage_usec 4500000\n", "memory.events": "oom_kill 3\n"})
    meter.sample()
    usage = meter.usage()
    assert (usage["cpu_seconds"].value, usage["oom_kills"].value) == (1.5, 1)
    assert usage["mem"].is_lower_bound, "its peak is from before"
    write(tmp_path / "job", {"memory.peak": "6000000\n"})
    meter.sample()
    assert meter.usage()["mem"] == Measured(6_000_000, "the kernel's memory.peak, page cache included")


def test_a_group_that_has_gone_leaves_what_was_read_last(tmp_path: Path) -> None:
    meter = metered(tmp_path)
    meter.sample()
    for name in FILES:
        (tmp_path / "job" / name).unlink()
    meter.sample()
    usage = meter.usage()
    assert (usage["mem"].value, usage["oom_kills"].value, usage["pids"].value) == (5_000_000, 2, 17)


def throttled(periods: int, throttled_periods: int, usec: int) -> str:
    return f"usage_usec 1\nnr_periods {periods}\nnr_throttled {throttled_periods}\nthrottled_usec {usec}\n"


def test_throttling_is_that_of_the_group_with_the_quota_however_far_above(tmp_path: Path) -> None:
    write(tmp_path / "ci.slice", {"cpu.max": "20000 100000", "cpu.stat": throttled(100, 10, 5_000_000)})
    write(tmp_path / "ci.slice" / "job", {"cpu.max": "max 100000", "cpu.stat": "usage_usec 1\n"})
    watch = QuotaWatch(Hierarchy(Mode.V2, {UNIFIED: str(tmp_path)}), str(tmp_path / "ci.slice" / "job"))
    write(tmp_path / "ci.slice", {"cpu.stat": throttled(200, 60, 7_500_000)})
    found = watch.measured()
    assert (found["throttled_seconds"].value, found["throttled_percent"].value) == (2.5, 50.0)
    assert "/ci.slice" in found["throttled_seconds"].how


def test_without_a_quota_nothing_is_throttled_unless_it_may_be_out_of_sight(tmp_path: Path) -> None:
    write(tmp_path / "job", {"cpu.max": "max 100000"})
    whole = QuotaWatch(Hierarchy(Mode.V2, {UNIFIED: str(tmp_path)}), str(tmp_path / "job"))
    assert whole.measured()["throttled_seconds"].value == 0
    part = QuotaWatch(Hierarchy(Mode.V2, {UNIFIED: str(tmp_path)}, is_private=True), str(tmp_path / "job"))
    assert part.measured()["throttled_seconds"].value is None


def test_without_a_group_the_largest_process_and_the_samples_are_lower_bounds(tmp_path: Path) -> None:
    write(tmp_path / "self", {"status": "Name:\tx\nVmHWM:\t   30000 kB\n"})
    write(tmp_path / "7", {"smaps_rollup": "0-1 ---p 0 00:00 0 [rollup]\nRss: 900 kB\nPss: 500 kB\nPss_Anon: 1 kB\n"})
    write(tmp_path / "8", {"smaps_rollup": "Pss:  200 kB\n"})
    peak = ResidentPeak(str(tmp_path))
    assert peak.peak(None).value is None
    peak.sample([7, 8, 9])
    assert (peak.peak(None).value, peak.peak(None).is_lower_bound) == (700 * 1024, True)
    used = list(resource.getrusage(resource.RUSAGE_SELF))
    used[2] = 40_000
    assert peak.peak(resource.struct_rusage(used)).value == 700 * 1024, "that much may be vmtop's own copy"
    used[2] = 400_000
    assert peak.peak(resource.struct_rusage(used)).value == 400_000 * 1024


def test_what_a_process_held_before_it_became_the_command_is_not_the_commands(tmp_path: Path) -> None:
    capture(tmp_path, 7, "vmtop")
    write(tmp_path / "7", {"smaps_rollup": "Pss: 13000 kB\n"})
    tree = TreeMeter(7, str(tmp_path))
    tree.begin()
    assert (tree.usage()["mem"].value, tree.usage()["pids"].value) == (None, 3)
    write(tmp_path / "7", {"smaps_rollup": "Pss: 900 kB\n"})
    tree.sample()
    assert tree.usage()["mem"].value == 900 * 1024


def test_in_a_group_without_a_count_of_memory_it_is_not_either(tmp_path: Path) -> None:
    write(tmp_path / "job", {"cpu.stat": FILES["cpu.stat"]})
    directories = CgroupDirs("/job", Hierarchy(Mode.V2, {UNIFIED: str(tmp_path)}), {UNIFIED: str(tmp_path / "job")})
    group = GroupMeter(directories, lambda: [os.getpid()])
    group.begin()
    assert group.usage()["mem"].value is None
    group.sample()
    assert (group.usage()["mem"].value or 0) > MIB


@given(st.floats(0, 1e15), st.floats(0, 1e15), st.booleans())
def test_a_limit_is_kept_up_to_and_with_its_value(used: float, most: float, is_lower_bound: bool) -> None:
    (one,) = judge([Limit("mem", most, "mem=x")], {"mem": Measured(used, "how", is_lower_bound)})
    assert one.is_kept is (used <= most)


@pytest.mark.parametrize("key", QUANTITIES)
def test_what_was_not_measured_is_neither_kept_nor_exceeded(key: str) -> None:
    (one,) = judge([Limit(key, 0, f"{key}=0")], {key: missing("why")})
    assert one.is_kept is None
    (one,) = judge([Limit(key, 0, f"{key}=0")], {})
    assert one.is_kept is None
