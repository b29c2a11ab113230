"""A byte on a real device-mapper device counts once, for the workload, for the host, and on the devices page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.kernel.cgroup.source import CgroupSource
from collectors.kernel.details import KernelDetails
from collectors.kernel.host import HostSource
from collectors.model.workloads import Sample, WorkloadId
from tests.helpers.lab.process import CGROUPS, find_program
from tests.helpers.lab.uml import UmlLab

MIB = 1 << 20
_FILE = "/run/in-memory"
ID = "d" * 64
ROW = WorkloadId("docker", ID)


@pytest.mark.lab
def test_in_a_kernel_with_device_mapper(uml_lab: UmlLab) -> None:
    find_program("dmsetup")
    finished = uml_lab.run([sys.executable, "-m", "pytest", "-m", "uml", "-q", __file__])
    assert finished.returncode == 0, finished.stdout
    assert "3 passed" in finished.stdout


@pytest.fixture
def group() -> Iterator[Path]:
    """A cgroup that looks like a container's."""
    path = CGROUPS / "docker" / ID
    path.mkdir(parents=True)
    (CGROUPS / "docker" / "cgroup.subtree_control").write_text("+cpu +memory +io +pids")
    yield path
    path.rmdir()


def run(*argv: str) -> None:
    subprocess.run(argv, check=True)


def minor_of(name: str) -> int:
    """Return the minor number of a device of device-mapper."""
    argv = ["dmsetup", "info", "--columns", "--noheadings", "-o", "minor", name]
    return int(subprocess.run(argv, check=True, capture_output=True).stdout)


def run_in(group: Path, script: str) -> None:
    """Run a script in a cgroup, to its end."""
    run("sh", "-c", f"echo $$ >{group}/cgroup.procs; {script}")


def disk_of(samples: tuple[Sample, ...]) -> tuple[int, int, int, int]:
    """Return what a sample says: bytes read and written, operations of both."""
    sample = samples[0]
    counted = (
        sample.disk_read_total_bytes,
        sample.disk_write_total_bytes,
        sample.disk_reads_total,
        sample.disk_writes_total,
    )
    return tuple(value or 0 for value in counted)  # type: ignore[return-value]  # four


def grown(group: Path, script: str) -> tuple[list[int], list[int]]:
    """Return by how much the row and the host line grow while a script runs."""
    rows, host = CgroupSource(), HostSource()
    rows.open(lambda: None)
    host.open(lambda: None)
    taken = []
    for step in ("sleep 0", script):
        run_in(group, step)
        (of_host,) = host.read().samples.values()
        taken.append((disk_of(rows.read().samples[ROW]), disk_of(of_host)))
    rows.close()
    before, after = taken
    return tuple([now - then for then, now in zip(*pair, strict=True)] for pair in zip(before, after, strict=True))  # type: ignore[return-value]  # two


@pytest.mark.uml
def test_two_layers_of_device_mapper_count_once(group: Path) -> None:
    run("modprobe", "-d", "/run/modules", "dm-mod")
    run("dmsetup", "create", "--noudevsync", "lower", "--table", "0 65536 linear /dev/ubdb 0")
    run("dmsetup", "create", "--noudevsync", "upper", "--table", "0 65536 linear /dev/dm-0 0")
    row, host = grown(
        group,
        "dd if=/dev/zero of=/dev/dm-1 bs=1M count=4 oflag=direct 2>&1;"
        "dd if=/dev/dm-1 of=/dev/null bs=1M count=3 iflag=direct 2>&1",
    )
    assert (group / "io.stat").read_text().count("wbytes=4194304") == 3, "the kernel counts it on each device"
    assert row[:2] == [3 * MIB, 4 * MIB]
    assert all(mine <= all_ for mine, all_ in zip(row, host, strict=True)), (row, host)
    details = KernelDetails()
    source = CgroupSource()
    source.open(lambda: None)
    table = next(one for one in details.tables(source.read().workloads[ROW]) if one.title.startswith("I/O by device"))
    run("dmsetup", "remove", "--noudevsync", "upper")
    run("dmsetup", "remove", "--noudevsync", "lower")
    assert [line[:2] for line in table.rows] == [
        ("dm-0 (lower)", "ubdb"), ("dm-1 (upper)", "dm-0"), ("ubdb", None)
    ]  # fmt: skip


@pytest.mark.uml
def test_the_writes_of_a_mirror_are_not_lost_although_the_kernel_charges_them_to_nobody_below(group: Path) -> None:
    run("modprobe", "-d", "/run/modules", "dm-mirror")
    for name, start in (("left", 0), ("right", 65536)):
        run("dmsetup", "create", "--noudevsync", name, "--table", f"0 65536 linear /dev/ubdb {start}")
    left, right = (f"/dev/dm-{minor_of(name)}" for name in ("left", "right"))
    table = f"0 65536 mirror core 2 1024 nosync 2 {left} 0 {right} 0"
    run("dmsetup", "create", "--noudevsync", "mirror", "--table", table)
    mirror = f"/dev/dm-{minor_of('mirror')}"
    row, host = grown(
        group,
        f"dd if={mirror} of=/dev/null bs=1M count=3 iflag=direct 2>&1;"
        f"dd if=/dev/zero of={mirror} bs=1M count=4 oflag=direct 2>&1",
    )
    disk = next(line for line in (group / "io.stat").read_text().splitlines() if line.startswith("98:16 "))
    assert "rbytes=3145728 wbytes=0 " in disk, "the disk has a line, and the writes are not in it"
    assert row[:2] == [3 * MIB, 4 * MIB]
    assert host[1] >= 8 * MIB, "both halves of the mirror"


@pytest.mark.uml
def test_what_a_cached_loop_device_holds_is_counted_where_it_reaches_a_disk(group: Path) -> None:
    run("modprobe", "-d", "/run/modules", "loop")
    run("truncate", "--size", "16M", _FILE)
    run("losetup", "/dev/loop0", _FILE)
    row, host = grown(group, "dd if=/dev/zero of=/dev/loop0 bs=1M count=4 oflag=direct 2>&1")
    assert "7:0 rbytes=0 wbytes=4194304" in (group / "io.stat").read_text()
    assert row[1] == 0, "it is in memory"
    assert host[1] < 4 * MIB
