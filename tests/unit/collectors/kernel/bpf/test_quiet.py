"""What is read of groups that are quiet, and what happens when the rows are wrong or fail."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.engines.registry import specs_from
from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.bpf import libbpf
from collectors.kernel.bpf.libbpf import BpfError
from collectors.kernel.bpf.quiet import QuietGroups
from collectors.kernel.bpf.rows import Rows
from collectors.kernel.cgroup import source as cgroup_source
from collectors.kernel.cgroup.fast_files import FastFiles
from collectors.kernel.cgroup.hierarchy import UNIFIED, Hierarchy, Mode
from collectors.kernel.cgroup.open_files import CgroupDirs
from collectors.model.workloads import Sample
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_source import ID, opened

CHECKED_EVERY = 4
"""Readings after which everything is read."""
FILES = {
    "cpu.stat": "usage_usec 5\nuser_usec 3\nsystem_usec 2\n",
    "cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n",
    "memory.current": "4096\n",
    "memory.stat": "inactive_file 0\n",
    "io.stat": "",
}


class FakeReader:
    """Supplies rows that a test writes, or fails."""

    def __init__(self, trees: int = 1) -> None:
        self.rows: tuple[Rows, ...] = tuple({} for _ in range(trees))
        self.failure: Exception | None = None
        self.is_closed = False

    def read(self) -> tuple[Rows, ...]:
        if self.failure is not None:
            raise self.failure
        return tuple(dict(rows) for rows in self.rows)

    def close(self) -> None:
        self.is_closed = True


class OneGroup:
    """A group made of ordinary files, and its row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "one"
        self.change(**FILES)
        self.reader = FakeReader()
        self.quiet = QuietGroups(str(folder), make_reader=lambda _: self.reader)
        places = {UNIFIED: str(self.folder)}
        directories = CgroupDirs("/one", Hierarchy(Mode.V2, {UNIFIED: str(folder)}), places)
        devices = BlockDevices(str(folder), str(folder))
        self.move(b"at rest")
        self.files = FastFiles(directories, devices, quiet_groups=self.quiet)
        self.readings = 0

    def change(self, **files: str) -> None:
        """Change files."""
        write(self.folder, files)

    def move(self, row: bytes) -> None:
        """Change the row."""
        self.reader.rows[0][self.folder.stat().st_ino] = row

    def read(self) -> Sample:
        """Read as a tick does."""
        self.quiet.refresh()
        self.readings += 1
        return self.files.read(None, is_thorough=self.readings % CHECKED_EVERY == 0)


@pytest.fixture
def one(tmp_path: Path) -> Iterator[OneGroup]:
    group = OneGroup(tmp_path)
    yield group
    group.files.close()


def busy(usage: int) -> dict[str, str]:
    return {"cpu.stat": f"usage_usec {usage}\nuser_usec 3\nsystem_usec 2\n"}


def test_no_file_of_a_quiet_group_is_read(one: OneGroup) -> None:
    first = one.read()
    one.change(**busy(6))
    second = one.read()
    assert one.files.rested == 1
    assert (first.cpu_total_ns, second.cpu_total_ns) == (5000, 5000), "the row tells that nothing has moved"
    assert second.at_ns == one.quiet.at_ns > first.at_ns, "its counters are known to be those of this instant"


def test_a_group_that_wakes_is_read_by_its_files_in_the_same_tick(one: OneGroup) -> None:
    one.read()
    one.read()
    one.change(**busy(6))
    one.move(b"awake")
    assert one.read().cpu_total_ns == 6000
    assert one.files.rested == 0


def test_a_group_without_a_row_is_read_by_its_files(one: OneGroup) -> None:
    one.read()
    one.reader.rows[0].clear()
    for usage in (6, 7):
        one.change(**busy(usage))
        assert one.read().cpu_total_ns == usage * 1000


def test_a_quiet_group_is_checked_now_and_then(one: OneGroup) -> None:
    one.read()
    one.change(**{"memory.stat": "inactive_file 4096\n"})
    aged = [one.read().memory_inactive_file_bytes for _ in range(CHECKED_EVERY)]
    assert set(aged) == {0, 4096}, "the kernel may age its pages, which no row tells"
    assert not one.quiet.problem


def test_files_that_have_changed_under_the_same_row_end_the_use_of_rows(
    one: OneGroup, caplog: pytest.LogCaptureFixture
) -> None:
    one.read()
    one.change(**busy(6))
    with caplog.at_level(logging.WARNING):
        values = [one.read().cpu_total_ns for _ in range(CHECKED_EVERY + 1)]
    assert values[-1] == 6000
    assert one.quiet.problem == f"the files of {one.folder} had changed, and its row had not"
    assert one.reader.is_closed
    one.change(**busy(7))
    assert one.read().cpu_total_ns == 7000, "from then on every group is read by its files"
    assert [one.quiet.problem in record.getMessage() for record in caplog.records] == [True], "it is said once"


def test_memory_that_grows_and_shrinks_between_two_rows_is_no_contradiction(one: OneGroup) -> None:
    one.read()
    one.change(**{"memory.current": "8192\n"})
    charged = {one.read().memory_charged_bytes for _ in range(CHECKED_EVERY + 1)}
    assert charged == {4096, 8192}
    assert not one.quiet.problem


def test_files_that_change_after_the_rows_were_read_are_no_contradiction(one: OneGroup) -> None:
    one.read()
    one.change(**busy(6))
    while one.read().cpu_total_ns == 5000:
        pass
    one.move(b"it ran between the rows and the files")
    one.read()
    assert not one.quiet.problem


@pytest.mark.parametrize("failure", [BpfError("the walk broke off"), OSError("no such device")])
def test_rows_that_cannot_be_read_leave_the_files_in_the_same_tick(one: OneGroup, failure: Exception) -> None:
    one.read()
    one.change(**busy(6))
    one.reader.failure = failure
    assert one.read().cpu_total_ns == 6000
    assert one.quiet.problem == str(failure)
    assert one.reader.is_closed


def test_disk_traffic_that_v1_counts_is_in_no_row(tmp_path: Path) -> None:
    write(tmp_path / "one", FILES)
    write(tmp_path / "blkio", {"blkio.throttle.io_service_bytes_recursive": "Total 0\n"})
    places = {UNIFIED: str(tmp_path / "one"), "blkio": str(tmp_path / "blkio")}
    reader = FakeReader()
    reader.rows[0][(tmp_path / "one").stat().st_ino] = b"at rest"
    quiet = QuietGroups(str(tmp_path), make_reader=lambda _: reader)
    files = FastFiles(
        CgroupDirs("/one", Hierarchy(Mode.HYBRID, places), places),
        BlockDevices(str(tmp_path), str(tmp_path)),
        quiet_groups=quiet,
    )
    for _ in range(3):
        quiet.refresh()
        files.read(None)
        assert files.rested == 0
    files.close()


def test_memory_that_v1_counts_has_rows_of_its_own(tmp_path: Path) -> None:
    for name in ("unified", "memory"):
        write(tmp_path / name / "one", FILES)
    reader = FakeReader(trees=2)
    quiet = QuietGroups(str(tmp_path / "unified"), str(tmp_path / "memory"), lambda _: reader)
    paths = [tmp_path / name / "one" for name in ("unified", "memory")]
    for rows, path in zip(reader.rows, paths, strict=True):
        rows[path.stat().st_ino] = b"at rest"
    watch = quiet.watch(str(paths[0]), str(paths[1]))
    assert watch is not None
    assert quiet.watch(str(paths[0])) is None, "without its memory nothing can be told"
    told = []
    for moved in (b"at rest", b"at rest", b"more memory", b"more memory"):
        reader.rows[1][paths[1].stat().st_ino] = moved
        quiet.refresh()
        told.append(watch.is_quiet())
        watch.note(False)
    assert told == [False, True, False, True]


def test_what_cannot_be_loaded_is_said_beside_the_files_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: tuple[str, ...]) -> FakeReader:
        raise BpfError("cannot load the program into the kernel: Operation not permitted")

    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    write(root, {"cgroup.controllers": "cpu memory", "cgroup.procs": ""})
    write(root / "docker" / ID, {**FILES, "cgroup.procs": ""})
    write(proc, {"stat": "btime 1700000000\n", "meminfo": ""})
    monkeypatch.setattr(
        cgroup_source, "QuietGroups", lambda unified, memory: QuietGroups(unified, memory, make_reader=refuse)
    )
    source = opened(root, proc=str(proc), has_bpf=True)
    for _ in range(5):
        reading = source.read()
    source.close()
    assert "no BPF" in reading.detail
    assert "BPF is not used, as cannot load the program into the kernel: Operation not permitted" in reading.unseen
    assert next(sample.cpu_total_ns for samples in reading.samples.values() for sample in samples) == 5000


def test_nothing_is_loaded_into_the_kernel_unless_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    write(root, {"cgroup.controllers": "cpu memory", "cgroup.procs": ""})
    write(proc, {"stat": "btime 1700000000\n", "meminfo": ""})
    monkeypatch.setattr(libbpf, "_library", lambda: pytest.fail("libbpf is loaded"))
    options = {spec.name: spec.options for spec in specs_from({})}["cgroup"]
    source = opened(root, proc=str(proc), **options)
    assert "BPF" not in source.read().detail
    source.close()
    assert {spec.name: spec.options for spec in specs_from({"bpf": True})}["cgroup"] == {"has_bpf": True}
