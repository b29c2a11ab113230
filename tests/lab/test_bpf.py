"""The BPF program on this host's kernel: what it tells of groups is what their files tell."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from operator import attrgetter
from pathlib import Path

import pytest

from bench.made_cgroups import cgroups
from collectors.kernel.bpf import rows
from collectors.kernel.bpf.rows import RowReader, counters
from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.group import ANYWAY_EVERY
from collectors.kernel.cgroup.hierarchy import Hierarchy, detect
from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.workloads import Sample
from collectors.sampling.source import SourceReading
from tests.helpers.lab.process import LabUnavailable, wait_until
from tests.unit.collectors.kernel.cgroup.test_source import LiveGroups, find, opened

pytestmark = pytest.mark.lab

SPINS = "exec('while True: pass')"
SLEEPS = "import time; time.sleep(1000)"
WAKES = "import time\nwhile True: sum(range(20000)); time.sleep(0.7)"
TOLD = attrgetter("memory_charged_bytes", "cpu_total_ns", "cpu_stall_total_ns")
GROWING = ("cpu_total_ns", "cpu_user_total_ns", "cpu_system_total_ns", "cpu_stall_total_ns")


@pytest.fixture
def live() -> Iterator[LiveGroups]:
    if not Path("/sys/kernel/btf/vmlinux").exists():
        raise LabUnavailable("this kernel does not describe its types (BTF)")
    if not Path(rows.__file__).with_name(rows.OBJECT).exists():
        raise LabUnavailable("the BPF program is not compiled: .ci/build-bpf")
    groups = LiveGroups(f"vmtop-bpf-{os.getpid()}")
    try:
        yield groups
    finally:
        groups.close()


def identity(name: str) -> str:
    """Return the name of a container's group."""
    return sha256(f"{name} of {os.getpid()}".encode()).hexdigest()


def below(name: str) -> Hierarchy:
    """Return this host's trees from a folder in each of them on."""
    hierarchy = detect()
    return Hierarchy(hierarchy.mode, {key: f"{root}/{name}" for key, root in hierarchy.mounts.items()})


def measured(reading: SourceReading, path: str) -> Sample | None:
    found = find(reading, path)
    return found[1][0] if found else None


def quiet_paths(source: CgroupSource) -> set[str]:
    return {path for path, group in source._groups.items() if group._fast_files.rested}


def test_values_are_those_of_the_files_while_groups_spin_sleep_come_and_go(live: LiveGroups) -> None:
    paths = {name: live.make(identity(name)) for name in ("spins", "sleeps", "wakes")}
    for name, program in (("spins", SPINS), ("sleeps", SLEEPS), ("wakes", WAKES)):
        live.run(identity(name), program)
    by_files, by_bpf = opened(), opened(has_bpf=True)
    for _ in range(3):
        by_files.read()
        by_bpf.read()
    quiet: list[set[str]] = []
    for turn in range(30):
        if turn % 2 == 0:
            passing = live.make(identity(f"passing{turn}"))
        else:
            live.remove(passing.rpartition("/")[2])
        before, between, after = by_files.read(), by_bpf.read(), by_files.read()
        quiet.append(quiet_paths(by_bpf))
        for path in paths.values():
            triple = [measured(reading, path) for reading in (before, between, after)]
            for key in GROWING:
                first, middle, last = (getattr(sample, key) for sample in triple)
                assert first <= middle <= last, f"{key} of {path} at turn {turn}"
            if path in quiet[-1]:
                assert triple[1] is not None
                assert TOLD(triple[1]) == TOLD(triple[0]), f"{path} at turn {turn}"
        assert set(paths.values()) <= by_bpf._groups.keys()
        assert (passing in by_bpf._groups) == (turn % 2 == 0)
        time.sleep(0.25)
    by_files.close()
    by_bpf.close()
    assert "BPF" in between.detail.split(", ")
    assert not between.unseen.count("BPF")
    assert not any(paths["spins"] in turn for turn in quiet)
    assert sum(paths["sleeps"] in turn for turn in quiet) > 10, "its files are not read at most turns"


def test_rows_have_the_counters_of_the_files(live: LiveGroups) -> None:
    path = live.make("spins.service")
    live.run("spins.service", SPINS)
    hierarchy = detect()
    assert hierarchy.v2 is not None
    memory = hierarchy.v1("memory") or hierarchy.v2
    reader = RowReader((hierarchy.v2, memory))
    usage, charged = Path(f"{hierarchy.v2}{path}/cpu.stat"), Path(f"{memory}{path}")
    charged /= "memory.usage_in_bytes" if hierarchy.v1("memory") else "memory.current"
    page = os.sysconf("SC_PAGE_SIZE")

    def agree() -> bool:
        bytes_before, first = int(charged.read_text()), parsers.cpu_v2(usage.read_bytes()).total_ns
        unified, of_memory = (
            counters(tree[file.parent.stat().st_ino])
            for tree, file in zip(reader.read(), (usage, charged), strict=True)
        )
        last, bytes_after = parsers.cpu_v2(usage.read_bytes()).total_ns, int(charged.read_text())
        assert first is not None
        assert last is not None
        assert first // 1000 <= unified.cpu_ns // 1000 <= last // 1000
        assert unified.moving, "it runs"
        return bytes_before == bytes_after == of_memory.memory_pages * page

    wait_until(agree, 20, "memory that stays the same for as long as a reading takes")
    reader.close()


def test_the_table_grows_with_the_groups(live: LiveGroups, monkeypatch: pytest.MonkeyPatch) -> None:
    hierarchy = detect()
    assert hierarchy.v2 is not None
    monkeypatch.setattr(rows, "_LEAST_ROOM", 4)
    monkeypatch.setattr(rows, "_group_count", lambda _: 1)
    inodes = {Path(hierarchy.v2 + live.make(f"one{number}.service")).stat().st_ino for number in range(20)}
    reader = RowReader((hierarchy.v2,))
    assert len(reader.read()[0]) == 3
    assert inodes <= reader.read()[0].keys()
    reader.close()


def test_groups_that_come_and_go_during_the_walk_do_not_end_it(live: LiveGroups) -> None:
    live.make("stays.service")
    is_over = threading.Event()

    def churn() -> None:
        while not is_over.is_set():
            for number in range(20):
                live.make(f"churn{number}.service")
            for number in range(20):
                live.remove(f"churn{number}.service")

    source = CgroupSource(has_bpf=True, hierarchy=below(live.folders[0].name))
    source.open(lambda: None)
    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(100):
            reading = source.read()
            assert measured(reading, "/stays.service") is not None
    finally:
        is_over.set()
        thread.join()
        source.close()
    assert "BPF" in reading.detail.split(", "), reading.unseen


def test_of_a_thousand_quiet_groups_few_files_are_read(live: LiveGroups, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    real = os.pread

    def counted(descriptor: int, length: int, offset: int) -> bytes:
        read.append(descriptor)
        return real(descriptor, length, offset)

    with cgroups(1000) as name:
        source = CgroupSource(has_bpf=True, hierarchy=below(name))
        source.open(lambda: None)
        for _ in range(3):
            source.read()
        wait_until(lambda: bool(source.read()) and len(quiet_paths(source)) == 1000, 20, "all to be quiet")
        monkeypatch.setattr(os, "pread", counted)
        for _ in range(ANYWAY_EVERY):
            source.read()
        source.close()
    groups = 1000 * ANYWAY_EVERY
    assert len(read) < groups, f"{len(read)} files in {groups} readings of a group"
