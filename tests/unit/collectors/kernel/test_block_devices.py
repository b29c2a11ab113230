"""Each byte counts once, however the devices that it passes are stacked. Against sysfs trees of ordinary files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.cgroup.parsers import io_v1, io_v2
from collectors.kernel.devices import Disks
from tests.helpers.block_tree import add_device, add_partition, diskstats


def total(sys: Path, io_stat: str) -> tuple[int, int, int, int]:
    """Return what an io.stat adds up to."""
    return BlockDevices(str(sys)).total(io_v2(io_stat.encode()))


def line(number: str, read: int, written: int, reads: int = 0, writes: int = 0) -> str:
    return f"{number} rbytes={read} wbytes={written} rios={reads} wios={writes} dbytes=0 dios=0\n"


@pytest.fixture
def lvm(tmp_path: Path) -> Path:
    """A disk with two partitions, each below a logical volume, next to a plain one."""
    add_device(tmp_path, "sda", "8:0")
    add_partition(tmp_path, "sda", "sda2")
    add_partition(tmp_path, "sda", "sda3")
    add_device(tmp_path, "dm-0", "254:0", ["sda2"])
    add_device(tmp_path, "dm-1", "254:1", ["sda3"])
    add_device(tmp_path, "nvme0n1", "259:0")
    return tmp_path


def test_a_byte_that_passes_a_logical_volume_counts_once(lvm: Path) -> None:
    assert total(lvm, line("8:0", 0, 9437184, 0, 81) + line("254:0", 0, 9437184, 0, 9)) == (0, 9437184, 0, 81)


def test_it_counts_once_on_cgroup_v1_too(lvm: Path) -> None:
    service_bytes = b"8:0 Read 5\n8:0 Write 10\n254:0 Read 5\n254:0 Write 10\nTotal 30\n"
    operations = b"8:0 Read 1\n8:0 Write 4\n254:0 Read 1\n254:0 Write 2\nTotal 8\n"
    assert BlockDevices(str(lvm)).total(io_v1(service_bytes, operations)) == (5, 10, 1, 4)


def test_what_goes_to_the_disk_without_a_volume_counts_too(lvm: Path) -> None:
    assert total(lvm, line("8:0", 150, 100) + line("254:0", 100, 100) + line("259:0", 7, 9)) == (157, 109, 0, 0)


def test_what_the_kernel_charges_to_the_upper_device_alone_is_not_lost(lvm: Path) -> None:
    """A worker of dm-mirror writes: its reads are charged to both devices, its writes to the upper one."""
    mirror = line("8:0", 100, 0, 1, 0) + line("254:0", 100, 70, 1, 7) + line("254:1", 0, 30, 0, 3)
    assert total(lvm, mirror) == (100, 100, 1, 10)
    assert total(lvm, line("254:0", 100, 70)) == (100, 70, 0, 0)
    assert total(lvm, line("8:0", 100, 70)) == (100, 70, 0, 0)


def test_volumes_on_an_encrypted_disk_on_a_raid_count_what_the_disks_write(tmp_path: Path) -> None:
    add_device(tmp_path, "sda", "8:0")
    add_device(tmp_path, "sdb", "8:16")
    add_device(tmp_path, "md127", "9:127", ["sda", "sdb"])
    add_device(tmp_path, "dm-0", "254:0", ["md127"])
    add_device(tmp_path, "dm-1", "254:1", ["dm-0"])
    add_device(tmp_path, "dm-2", "254:2", ["dm-0"])
    volumes = line("254:1", 60, 60) + line("254:2", 40, 40)
    assert total(tmp_path, volumes) == (100, 100, 0, 0)
    assert total(tmp_path, volumes + line("254:0", 100, 100)) == (100, 100, 0, 0)
    mirrored = line("254:0", 100, 100) + line("9:127", 100, 100) + line("8:0", 50, 100) + line("8:16", 50, 100)
    assert total(tmp_path, volumes + mirrored) == (100, 200, 0, 0)


def test_memory_is_no_disk(tmp_path: Path) -> None:
    for number, name in (("7:0", "loop0"), ("1:0", "ram0"), ("252:0", "zram0")):
        add_device(tmp_path, name, number)
    add_device(tmp_path, "dm-0", "254:0", ["ram0"])
    add_device(tmp_path, "dm-1", "254:1")  # such as dm-zero
    lines = "".join(line(number, 5, 5, 1, 1) for number in ("7:0", "1:0", "252:0", "254:0", "254:1"))
    assert total(tmp_path, lines) == (0, 0, 0, 0)


@pytest.mark.parametrize(("dio", "counted"), [("0", 5), ("1", 9)])
def test_a_loop_device_counts_unless_its_file_is_cached(tmp_path: Path, dio: str, counted: int) -> None:
    """Past the page cache its bytes go to the disk, where an older kernel charges them to nobody."""
    add_device(tmp_path, "sda", "8:0")
    add_device(tmp_path, "sdb", "8:16")
    (tmp_path / "self").mkdir()
    mounts = "1 1 8:16 / / rw - ext4 /dev/sdb rw\n2 1 8:0 / /with\\040space rw shared:1 - ext4 /dev/sda rw\n"
    (tmp_path / "self/mountinfo").write_text(f"{mounts}3 1 0:30 / /run rw - tmpfs tmpfs rw\n")
    (add_device(tmp_path, "loop0", "7:0") / "loop").mkdir()
    (tmp_path / "devices/loop0/loop/dio").write_text(f"{dio}\n")
    (tmp_path / "devices/loop0/loop/backing_file").write_text("/with space/image\n")
    lines = line("8:0", 0, 5) + line("7:0", 0, 9)
    assert BlockDevices(str(tmp_path), str(tmp_path)).total(io_v2(lines.encode())).write_bytes == counted
    (tmp_path / "devices/loop0/loop/backing_file").write_text("/run/image\n")
    assert BlockDevices(str(tmp_path), str(tmp_path)).total(io_v2(lines.encode())).write_bytes == 5, "in memory"


def test_a_network_disk_has_nothing_below_and_counts(tmp_path: Path) -> None:
    add_device(tmp_path, "nbd0", "43:0")
    add_device(tmp_path, "rbd0", "250:0")
    assert total(tmp_path, line("43:0", 1, 2) + line("250:0", 10, 20)) == (11, 22, 0, 0)


def test_the_paths_of_a_multipath_disk_count_once(tmp_path: Path) -> None:
    for name in ("nvme0c0n1", "nvme0c1n1"):
        add_device(tmp_path, name)
    add_device(tmp_path, "nvme0n1", "259:0")
    hidden = line("(unknown)", 60, 0, 6, 1) + line("(unknown)", 40, 0, 4, 1)
    assert total(tmp_path, line("259:0", 100, 30, 10, 2) + hidden) == (100, 30, 10, 2)
    table = diskstats(
        {
            "nvme0c0n1": ("0:0", 512, 1024, 1, 2),
            "nvme0c1n1": ("0:0", 512, 1024, 1, 2),
            "nvme0n1": ("259:0", 0, 0, 0, 0),  # before Linux 6.3
        }
    )
    assert Disks(str(tmp_path)).read(table) == (1024, 2048, 2, 4)


def test_a_device_without_a_number_counts_where_there_are_no_paths(lvm: Path) -> None:
    assert total(lvm, line("(unknown)", 1, 2) + line("8:0", 10, 20)) == (11, 22, 0, 0)


def test_the_cache_of_bcache_is_below_it(tmp_path: Path) -> None:
    add_device(tmp_path, "sda", "8:0")
    add_device(tmp_path, "nvme0n1", "259:0")
    bcache = add_device(tmp_path, "bcache0", "251:0", ["sda"]) / "bcache"
    bcache.mkdir()
    (tmp_path / "devices/nvme0n1/bcache").mkdir()
    (tmp_path / "set").mkdir()
    (tmp_path / "set/cache0").symlink_to(tmp_path / "devices/nvme0n1/bcache")
    (bcache / "cache").symlink_to(tmp_path / "set")
    hit = line("251:0", 100, 0) + line("259:0", 100, 0)
    assert total(tmp_path, hit) == (100, 0, 0, 0)
    assert BlockDevices(str(tmp_path)).below(b"251:0") == ["nvme0n1", "sda"]


def test_a_device_that_appears_is_looked_up_at_once(lvm: Path) -> None:
    devices = BlockDevices(str(lvm))
    add_device(lvm, "dm-7", "254:7", ["dm-0"])
    lines = line("254:7", 0, 10) + line("254:0", 0, 10) + line("8:0", 0, 10)
    assert devices.total(io_v2(lines.encode())) == (0, 10, 0, 0)


def test_a_device_that_is_gone_counts_as_a_disk_and_is_not_looked_for_again_and_again(
    lvm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = BlockDevices(str(lvm))
    looks: list[str] = []
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: looks.append(path) or real(path))  # type: ignore[func-returns-value]
    for number in ("8:160", "8:176", "8:160"):
        assert devices.total(io_v2(line(number, 1, 2).encode())) == (1, 2, 0, 0)
    assert looks.count(f"{lvm}/block") == 2


def test_the_host_line_uses_the_same_rule(lvm: Path) -> None:
    add_device(lvm, "loop0", "7:0")
    table = diskstats(
        {
            "sda": ("8:0", 1024, 4096, 3, 9),
            "sda2": ("8:2", 1024, 4096, 3, 9),
            "dm-0": ("254:0", 1024, 4096, 1, 1),
            "nvme0n1": ("259:0", 512, 512, 1, 1),
            "loop0": ("7:0", 512, 512, 1, 1),
        }
    )
    assert Disks(str(lvm)).read(table) == (1536, 4608, 4, 10)


def test_a_disk_that_is_added_to_the_host_counts_at_once(lvm: Path) -> None:
    disks = Disks(str(lvm))
    disks.read(diskstats({"sda": ("8:0", 512, 512, 1, 1)}))
    add_device(lvm, "sdb", "8:16")
    table = diskstats({"sda": ("8:0", 512, 512, 1, 1), "sdb": ("8:16", 512, 512, 1, 1)})
    assert disks.read(table).write_bytes == 1024
