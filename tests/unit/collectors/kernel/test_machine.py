"""What the page of the host reads, from captured trees: odd hardware, and numbers that add up to the header's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.analysis.counter_rates import Rates
from collectors.kernel.devices import Disks
from collectors.kernel.host import _cpu_times
from collectors.kernel.machine.cores import cpu_model, read_cores, read_pressures
from collectors.kernel.machine.disks import DiskReader, Space, read_file_systems
from collectors.kernel.machine.graphics import read_gpus
from collectors.kernel.machine.interfaces import InterfaceReader
from collectors.kernel.machine.reader import MachineReader
from collectors.kernel.machine.sensors import read_sensors
from tests.helpers.block_tree import add_device, add_partition, diskstats


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def stat(cores: dict[int, tuple[int, ...]]) -> str:
    total = [sum(column) for column in zip(*cores.values(), strict=True)]
    lines = [f"cpu  {' '.join(map(str, total))} 0 0"]
    lines += [f"cpu{number} {' '.join(map(str, ticks))} 0 0" for number, ticks in cores.items()]
    return "\n".join([*lines, "btime 1700000000"]) + "\n"


def psi(what: str, *averages: float) -> str:
    spans = zip((10, 60, 300), averages, strict=True)
    return f"{what} {' '.join(f'avg{span}={average:.2f}' for span, average in spans)} total=17\n"


ZERO = (0,) * 8


def test_the_cores_add_up_to_the_hosts_cpu_and_steal_is_not_use(tmp_path: Path) -> None:
    rates = Rates()
    write(tmp_path, {"stat": stat({0: ZERO, 1: ZERO})})
    assert [core.busy_percent for core in read_cores(str(tmp_path), str(tmp_path), rates)] == [None, None]
    text = stat({0: (10, 5, 20, 40, 5, 3, 2, 15), 1: (0, 0, 0, 100, 0, 0, 0, 0)})
    write(tmp_path, {"stat": text})
    first, second = read_cores(str(tmp_path), str(tmp_path), rates)
    assert (first.busy_percent, first.steal_percent) == (40.0, 15.0)
    assert second.busy_percent == 0.0
    user_ns, system_ns = _cpu_times(text.encode())
    assert user_ns is not None
    assert system_ns is not None
    ticks = (user_ns + system_ns) * os.sysconf("SC_CLK_TCK") / 1e9
    assert ticks == pytest.approx(sum(core.busy_percent or 0 for core in (first, second)))


def test_a_core_that_is_switched_off_is_listed_and_one_that_comes_back_starts_anew(tmp_path: Path) -> None:
    rates = Rates()
    write(tmp_path, {"stat": stat({0: ZERO, 1: ZERO}), "devices/system/cpu/offline": "\n"})
    read_cores(str(tmp_path), str(tmp_path), rates)
    write(tmp_path, {"stat": stat({0: (50,) * 8}), "devices/system/cpu/offline": "1,4-5\n"})
    cores = read_cores(str(tmp_path), str(tmp_path), rates)
    assert [(core.number, core.is_online) for core in cores] == [(0, True), (1, False), (4, False), (5, False)]
    assert cores[1].busy_percent is None
    write(tmp_path, {"stat": stat({0: (60,) * 8, 1: (5,) * 8}), "devices/system/cpu/offline": "\n"})
    assert len(read_cores(str(tmp_path), str(tmp_path), rates)) == 2


def test_idle_time_that_runs_backwards_makes_no_nonsense(tmp_path: Path) -> None:
    rates = Rates()
    write(tmp_path, {"stat": stat({0: (0, 0, 0, 100, 50, 0, 0, 0)})})
    read_cores(str(tmp_path), str(tmp_path), rates)
    write(tmp_path, {"stat": stat({0: (10, 0, 0, 110, 20, 0, 0, 0)})})
    (core,) = read_cores(str(tmp_path), str(tmp_path), rates)
    assert core.busy_percent == 50.0


def test_pressure_has_three_spans_and_is_absent_where_the_kernel_has_none(tmp_path: Path) -> None:
    assert read_pressures(str(tmp_path)) == ()
    write(
        tmp_path,
        {
            "pressure/cpu": psi("some", 1.5, 2.0, 3.25) + psi("full", 0, 0, 0),
            "pressure/memory": "some avg10=broken avg60=0 avg300=0 total=0\n",
            "pressure/io": psi("some", 0.1, 0.2, 0.3) + psi("full", 0.01, 0.02, 0.03),
        },
    )
    cpu, io = read_pressures(str(tmp_path))
    assert (cpu.resource, cpu.some, cpu.full) == ("CPU", (1.5, 2.0, 3.25), None)
    assert io.full == (0.01, 0.02, 0.03)


def test_the_model_of_the_processor_is_one_line_without_padding(tmp_path: Path) -> None:
    assert cpu_model(str(tmp_path)) == ""
    write(tmp_path, {"cpuinfo": "processor\t: 0\nmodel name\t: AMD  EPYC 7313   16-Core\x1b Processor   \n"})
    assert cpu_model(str(tmp_path)) == "AMD EPYC 7313 16-Core\N{REPLACEMENT CHARACTER} Processor"


def test_disks_come_first_with_what_is_built_on_them_and_add_up_to_the_hosts_total(tmp_path: Path) -> None:
    sys, proc = tmp_path / "sys", tmp_path / "proc"
    add_device(sys, "sda", "8:0")
    add_partition(sys, "sda", "sda1")
    add_device(sys, "nvme0c0n1")
    add_device(sys, "nvme0n1", "259:0")
    add_device(sys, "dm-0", "253:0", below=["sda1"])
    add_device(sys, "loop0", "7:0")
    write(sys, {"devices/sda/size": "2048\n"})
    reader, total = DiskReader(str(proc), str(sys)), Disks(str(sys), str(proc))
    names = {"loop0": "7:0", "sda": "8:0", "sda1": "8:1", "dm-0": "253:0", "nvme0n1": "259:0"}
    before = diskstats({name: (number, 0, 0, 0, 0) for name, number in names.items()})
    after = diskstats({name: (number, 1 << 20, 2 << 20, 5, 7) for name, number in names.items()})
    proc.mkdir()
    (proc / "diskstats").write_bytes(before)
    reader.read(10.0, {})
    (proc / "diskstats").write_bytes(after)
    rows = reader.read(12.0, {})
    assert [(row.name, row.on) for row in rows][:1] == [("sda", "")]
    assert "loop0" not in {row.name for row in rows}
    assert "sda1" not in {row.name for row in rows}, "a partition's I/O is its disk's"
    assert next(row for row in rows if row.name == "dm-0").on == "sda"
    disks = [row for row in rows if not row.on or row.on.startswith("nvme") or "hidden" in row.on]
    assert sum(row.read_bps or 0 for row in disks) * 2 == total.read(after).read_bytes
    assert sum(row.write_bps or 0 for row in disks) * 2 == total.read(after).write_bytes
    assert rows[0].size_bytes == 1 << 20
    assert rows[0].iops == 6.0


def test_busy_and_await_are_those_of_iostat_and_absent_without_requests(tmp_path: Path) -> None:
    sys = tmp_path / "sys"
    add_device(sys, "sda", "8:0")
    reader = DiskReader(str(tmp_path), str(sys))
    write(tmp_path, {"diskstats": "8 0 sda 0 0 0 0 0 0 0 0 0 0 0\n"})
    (row,) = reader.read(0.0, {})
    assert (row.read_bps, row.busy_percent, row.await_ms) == (None, None, None)
    write(tmp_path, {"diskstats": "8 0 sda 30 0 0 60 10 0 0 60 2 410 0\n"})
    (row,) = reader.read(1.0, {})
    assert (row.iops, row.busy_percent, row.await_ms) == (40.0, 41.0, 3.0)
    (row,) = reader.read(2.0, {})
    assert (row.iops, row.await_ms) == (0.0, None)


def test_each_file_system_is_listed_once_and_those_of_the_network_are_never_asked(tmp_path: Path) -> None:
    lines = [
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw",
        "2 1 8:1 /var /var/lib/docker rw - ext4 /dev/sda1 rw",
        "3 1 0:40 / /mnt rw - nfs4 server:/export rw",
        "4 1 7:0 / /snap/core ro - squashfs /dev/loop0 ro",
        "5 1 8:2 / /data\\040disk rw - xfs /dev/sda2 rw",
        "6 1 0:50 / /tank rw - zfs tank rw",
    ]
    write(tmp_path, {"self/mountinfo": "\n".join(lines) + "\n"})
    asked: list[str] = []

    def space(path: str) -> Space:
        asked.append(path)
        if path == "/tank":
            raise OSError(5, "Input/output error")
        return Space(1000, 250, 200)

    systems = read_file_systems(str(tmp_path), space)
    assert sorted(asked) == ["/", "/data disk", "/tank"]
    assert {system.mount: system.used_bytes for system in systems.values()} == {
        "/": 750,
        "/data disk": 750,
        "/tank": None,
    }
    assert systems["tank"].why == "Input/output error"


def test_used_space_is_that_of_the_partitions_of_a_disk(tmp_path: Path) -> None:
    sys = tmp_path / "sys"
    add_device(sys, "sda", "8:0")
    add_partition(sys, "sda", "sda1")
    (sys / "dev" / "block" / "8:1").symlink_to(sys / "devices" / "sda" / "sda1")
    write(
        tmp_path,
        {"diskstats": "8 0 sda 0 0 0 0 0 0 0 0 0 0 0\n", "self/mountinfo": "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"},
    )
    systems = read_file_systems(str(tmp_path), lambda path: Space(1100, 490, 390))
    (row,) = DiskReader(str(tmp_path), str(sys)).read(0.0, systems)
    assert row.used_percent == pytest.approx(61.0)


NET = """Inter-|
 face |
    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0
  eth0: {0} 1 0 0 0 0 0 0 {0} 1 0 0 0 0 0 0
 bond0: {0} 1 0 3 0 0 0 0 {0} 1 0 0 0 0 0 0
 eth0.5: {0} 1 0 0 0 0 0 0 {0} 1 0 0 0 0 0 0
vethab: 7 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0
"""


def test_interfaces_that_count_come_first_and_a_link_without_speed_says_why(tmp_path: Path) -> None:
    proc, sys = tmp_path / "proc", tmp_path / "sys"
    roles = {b"eth0": "edge", b"bond0": "bond", b"eth0.5": "on eth0", b"vethab": "inside", b"lo": "inside"}
    reader = InterfaceReader(lambda: roles, str(proc), str(sys))
    write(proc, {"net/dev": NET.format(1000)})
    write(
        sys,
        {
            "class/net/eth0/speed": "10000\n",
            "class/net/eth0/operstate": "up\n",
            "class/net/bond0/speed": "-1\n",
            "class/net/eth0.5/operstate": "lowerlayerdown\n",
            "class/net/eth0.5/speed": "4294967295\n",
        },
    )
    reader.read(0.0)
    write(proc, {"net/dev": NET.format(3000)})
    rows, inner = reader.read(2.0)
    assert inner == 1
    assert [(row.name, row.role) for row in rows] == [("eth0", ""), ("bond0", "bond"), ("eth0.5", "on eth0")]
    assert (rows[0].rx_bps, rows[0].link_mbps) == (1000.0, 10_000)
    assert (rows[1].link_mbps, rows[1].why) == (None, "no speed reported")
    assert (rows[2].link_mbps, rows[2].why) == (None, "down")


def test_sensors_that_report_nonsense_have_no_value_and_say_what_they_report(tmp_path: Path) -> None:
    hwmon = "class/hwmon/hwmon"
    write(
        tmp_path,
        {
            f"{hwmon}2/name": "k10temp\n",
            f"{hwmon}2/temp1_input": "61250\n",
            f"{hwmon}2/temp1_label": "Tctl\n",
            f"{hwmon}2/temp1_crit": "95000\n",
            f"{hwmon}10/name": "nct6775\n",
            f"{hwmon}10/temp2_input": "0\n",
            f"{hwmon}10/temp3_input": "255000\n",
            f"{hwmon}10/temp10_input": "what\n",
            f"{hwmon}10/fan1_input": "1350\n",
            f"{hwmon}10/fan2_input": "0\n",
            f"{hwmon}10/fan3_input": "-1\n",
            f"{hwmon}11/device/name": "old\n",
            f"{hwmon}11/device/temp1_input": "30000\n",
        },
    )
    temperatures, fans = read_sensors(str(tmp_path))
    assert [(sensor.chip, sensor.label, sensor.value) for sensor in temperatures] == [
        ("k10temp", "Tctl", 61.25),
        ("nct6775", "temp2", None),
        ("nct6775", "temp3", None),
        ("nct6775", "temp10", None),
        ("old", "temp1", 30.0),
    ]
    assert temperatures[0].critical == 95.0
    assert [sensor.why for sensor in temperatures[1:4]] == [
        "it reports 0 °C",
        "it reports 255 °C",
        "it reports no number",
    ]
    assert [(fan.value, fan.why) for fan in fans] == [(1350.0, ""), (0.0, ""), (None, "it reports -1 rpm")]


def test_without_chips_the_thermal_zones_are_read_and_without_those_nothing(tmp_path: Path) -> None:
    assert read_sensors(str(tmp_path)) == ((), ())
    write(
        tmp_path, {"class/thermal/thermal_zone0/type": "cpu-thermal\n", "class/thermal/thermal_zone0/temp": "48312\n"}
    )
    ((zone,), fans) = read_sensors(str(tmp_path))
    assert (zone.label, zone.value, fans) == ("cpu-thermal", 48.312, ())


def test_graphics_that_the_kernel_shows(tmp_path: Path) -> None:
    sys, proc = tmp_path / "sys", tmp_path / "proc"
    assert read_gpus(str(sys), str(proc)) == ()
    write(
        sys,
        {
            "class/drm/card0/device/vendor": "0x1002\n",
            "class/drm/card0/device/gpu_busy_percent": "37\n",
            "class/drm/card0/device/mem_info_vram_used": "1073741824\n",
            "class/drm/card0/device/mem_info_vram_total": "8589934592\n",
            "class/drm/card0-DP-1/status": "connected\n",
            "class/drm/card1/device/vendor": "0x8086\n",
            "class/drm/card1/gt_act_freq_mhz": "350\n",
            "class/drm/card2/device/vendor": "0x1a03\n",
        },
    )
    write(proc, {"driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA A2\nIRQ: 1\n"})
    amd, intel, nvidia = read_gpus(str(sys), str(proc))
    assert (amd.name, amd.busy_percent, amd.memory_used_bytes, amd.memory_bytes) == (
        "AMD card0",
        37.0,
        1 << 30,
        8 << 30,
    )
    assert (intel.clock_mhz, intel.busy_percent) == (350, None)
    assert (nvidia.name, nvidia.why) == ("NVIDIA A2", "its numbers need nvidia-smi")


def test_an_empty_tree_has_nothing_and_this_host_has_its_cores(tmp_path: Path) -> None:
    empty = MachineReader(str(tmp_path), str(tmp_path)).read()
    assert (empty.cores, empty.disks, empty.interfaces, empty.temperatures, empty.gpus) == ((), (), (), (), ())
    assert len(MachineReader().read().cores) >= 1
