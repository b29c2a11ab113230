"""Where the limit of open files does not let all stay open, every group keeps its hottest ones."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.kernel.cgroup import descriptor_shares
from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.workloads import WorkloadId
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_quiet_folders import _files
from tests.unit.collectors.kernel.cgroup.test_source import opened

_COUNT = 6
_MINUTE = 60
_BUSY = 3


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A cgroup v2 tree of ordinary files: fewer groups than would rest with their folder."""
    write(tmp_path / "cgroup", {"cgroup.controllers": "cpu io memory pids"})
    for number in range(_COUNT):
        _write(tmp_path / "cgroup", number, 1)
    write(tmp_path / "proc", {"stat": "btime 1700000000\n", "meminfo": ""})
    return tmp_path / "cgroup"


def _write(root: Path, number: int, amount: int) -> None:
    write(root / "docker" / f"{number:064x}", _files(Counter(cpu=amount, memory=4096)))


@pytest.fixture
def source(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CgroupSource]:
    """A source whose groups may keep fifteen files, two each."""
    monkeypatch.setattr(descriptor_shares, "highest_kept", lambda: 15)
    found = opened(root, proc=str(root.parent / "proc"))
    yield found
    found.close()


def _kept(root: Path) -> dict[int, list[str]]:
    """Return the files of each group that are open."""
    kept: dict[int, list[str]] = {number: [] for number in range(_COUNT)}
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink(f"/proc/self/fd/{descriptor}")
        except OSError:
            continue
        if found := re.fullmatch(rf"{re.escape(str(root))}/docker/([0-9a-f]{{64}})/(.+)", path):
            kept[int(found[1], 16)].append(found[2])
    return kept


def test_every_group_keeps_its_hottest_files(root: Path, source: CgroupSource) -> None:
    source.read()
    assert {number: sorted(names) for number, names in _kept(root).items()} == {
        number: ["cpu.stat", "memory.current"] for number in range(_COUNT)
    }


def test_what_is_left_goes_to_the_busiest_group(root: Path, source: CgroupSource) -> None:
    for amount in range(2 * _MINUTE):
        _write(root, _BUSY, amount)
        source.read()
    counts = {number: len(names) for number, names in _kept(root).items()}
    assert sum(counts.values()) == 15
    assert counts[_BUSY] == 5
    assert {count for number, count in counts.items() if number != _BUSY} == {2}


def test_values_are_the_same_with_and_without_descriptors(root: Path, source: CgroupSource) -> None:
    free = opened(root, proc=str(root.parent / "proc"))
    for amount in range(1, 2 * _MINUTE):
        _write(root, amount % _COUNT, amount)
        expected = {one: samples[0].cpu_total_ns for one, samples in free.read().samples.items()}
        assert {one: samples[0].cpu_total_ns for one, samples in source.read().samples.items()} == expected
    free.close()


def test_fewer_groups_keep_more_again(root: Path, source: CgroupSource) -> None:
    source.read()
    for number in range(1, _COUNT):
        folder = root / "docker" / f"{number:064x}"
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    source.read()
    assert len(_kept(root)[0]) > 2


def test_a_group_without_a_descriptor_is_missed_when_it_is_removed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptor_shares, "highest_kept", lambda: 0)
    source = opened(root, proc=str(root.parent / "proc"))
    identity = WorkloadId("docker", f"{1:064x}")
    source.read()
    assert identity in source.read().samples
    folder = root / "docker" / f"{1:064x}"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert identity not in source.read().samples
    source.close()
