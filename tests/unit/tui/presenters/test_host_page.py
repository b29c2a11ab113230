"""The page of the host: every host fits, what is not known is a dash, and totals are the header's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.analysis.rates import Moment
from collectors.analysis.tracker import MomentTracker
from collectors.model.machine import Core, DiskRow, FileSystem, Gpu, InterfaceRow, MachineReading, Pressure, Sensor
from tests.helpers.demo_fleet import Fleet
from tui.presenters.host_page.devices import disks_part, graphics_part, network_part, sensors_part
from tui.presenters.host_page.page import RECORDED, HostView, halves, host_lines, host_parts, host_words, parts_line
from tui.presenters.host_page.usage import cores_part
from tui.presenters.styled_lines import Line, plain_text

EMPTY = MachineReading(0, "", (), (), (), (), 0, (), (), (), ())


def tracked(ticks: int = 3) -> MomentTracker:
    fleet, tracker = Fleet(20), MomentTracker()
    for _ in range(ticks):
        tracker.feed(fleet.frame())
    return tracker


def moment() -> Moment:
    newest = tracked().moment
    assert newest is not None
    return newest


def words(lines: list[Line]) -> str:
    return "\n".join(plain_text(line) for line in lines)


def page(reading: MachineReading | None, width: int = 120, is_ascii: bool = False, missing: str = "") -> str:
    tracker = tracked()
    assert tracker.moment is not None
    parts = host_parts(HostView(tracker.moment, tracker.history, reading, missing), width, is_ascii)
    return words(host_lines(parts, width, is_ascii)[0])


def cores(count: int, busy: float = 20.0) -> tuple[Core, ...]:
    return tuple(Core(number, busy, 0.0) for number in range(count))


FULL = MachineReading(
    at_ns=1,
    cpu_model="AMD EPYC 7313",
    cores=(*cores(30), Core(30, 98.0, 0.0), Core(31, None, None, is_online=False)),
    disks=(
        DiskRow("nvme0n1", "", 1 << 41, 61.0, 11e6, 22e6, 612.0, 9.0, 0.4),
        DiskRow("dm-0 (vg-root)", "nvme0n1", 1 << 40, None, None, None, None, None, None),
    ),
    file_systems=(
        FileSystem("/", "/dev/sda1", "ext4", 1000, 960, 40),
        FileSystem("/gone", "/dev/sdb1", "xfs", None, None, None, "Input/output error"),
    ),
    interfaces=(
        InterfaceRow("eno1", "", 16e6, 11e6, 0.0, 10_000),
        InterfaceRow("br0", "bridge", 2e6, 2e6, 3.0, None, "no speed reported"),
    ),
    inner_interfaces=212,
    temperatures=(Sensor("k10temp", "Tctl", 91.0, None, 95.0), Sensor("nct", "temp3", None, why="it reports 255 °C")),
    fans=(Sensor("nct", "fan1", 1350.0), Sensor("nct", "fan2", 0.0)),
    gpus=(Gpu("AMD card0", "amdgpu", 37.0, 1 << 30, 8 << 30, None),),
    pressures=(Pressure("CPU", (12.0, 1.1, 0.9), None),),
)


def test_the_page_has_every_part_and_each_value_in_its_place() -> None:
    shown = page(FULL)
    for expected in (
        "CPU", "Cores  31 of 32 online", "▲ 98%", "Memory", "nvme0n1", "2.0T", "61%", "0.4 ms", "on nvme0n1", "eno1",
        "10G", "not counted: bridge", "and 212 interfaces", "Input/output error", "96%", "Tctl", "91 °C", "of 95",
        "1350 rpm", "it reports", "AMD card0", "37%", "Waiting", "12.0", "Sources", "demo",
    ):  # fmt: skip
        assert expected in shown, expected


def test_parts_of_which_the_kernel_shows_nothing_are_absent_not_empty() -> None:
    shown = page(EMPTY)
    assert "Graphics" not in shown
    assert "Temperatures" not in shown
    assert "no block device is visible" in shown


def test_a_recording_says_what_it_does_not_hold_and_shows_the_totals() -> None:
    shown = page(None, missing=RECORDED)
    assert RECORDED in shown
    assert "Cores" not in shown.replace(RECORDED, "")
    assert "Memory" in shown
    assert "read " in shown


def test_the_totals_of_disks_and_network_are_those_of_the_frame() -> None:
    newest = moment()
    from collectors.model.metrics import Unit
    from tui.presenters.formatting import text

    read = text(newest.host.value("disk_read_bytes_per_second"), Unit.BYTES_PER_SECOND, 5).strip()
    sent = text(newest.host.value("net_tx_bytes_per_second"), Unit.BYTES_PER_SECOND, 5).strip()
    assert disks_part(newest, (), 100).right.startswith(f"read {read}/s")
    assert network_part(newest, FULL, 100).right.endswith(f"tx {sent}/s")


def test_the_totals_of_disks_are_the_sums_of_the_rows_below_that_lie_on_no_other() -> None:
    disk = FULL.disks[0]._replace(on="", read_bps=150 * 1024.0, write_bps=8 * 1024.0)
    volume = disk._replace(name="dm-9", on=disk.name)
    assert disks_part(moment(), (disk, volume), 100).right == "read 150K/s  write 8.0K/s"
    unknown = disk._replace(read_bps=None, write_bps=None)
    assert disks_part(moment(), (unknown,), 100).right == "read -/s  write -/s"


def test_the_parts_of_memory_add_up_to_all_of_it() -> None:
    newest = moment()
    shares = newest.ledger.memory_bytes
    assert shares is not None
    assert sum(part or 0 for part in (shares.vm, shares.container, shares.service, shares.rest)) == pytest.approx(
        shares.host
    )


@pytest.mark.parametrize(
    ("count", "width", "most"), [(2, 80, 1), (32, 120, 5), (96, 80, 9), (256, 80, 5), (1024, 80, 17)]
)
def test_any_number_of_cores_fits(count: int, width: int, most: int) -> None:
    lines = cores_part(cores(count), width, is_ascii=False).lines
    assert len(lines) <= most
    assert all(cell_len(plain_text(line)) <= width for line in lines)


def test_hot_cores_of_a_large_host_are_named_and_a_sign_goes_with_the_colour() -> None:
    part = cores_part((*cores(255), Core(255, 99.0, 0.0)), 80, is_ascii=True)
    assert "! 255 99%" in words(list(part.lines))
    assert "@" in plain_text(part.lines[3]), "the highest level, without Unicode"
    stolen = cores_part((Core(0, 10.0, 25.0), Core(1, 10.0, 0.0)), 80, is_ascii=False)
    assert "0 25%" in words(list(stolen.lines))
    assert stolen.right == "steal 12.5%"


@given(width=st.integers(70, 220), is_ascii=st.booleans())
def test_no_line_is_wider_than_the_screen_and_ascii_is_ascii(width: int, is_ascii: bool) -> None:
    for reading in (FULL, None):
        for line in page(reading, width, is_ascii, "nothing is read").splitlines():
            assert cell_len(line) <= width, line
            assert not is_ascii or line.replace("…", "").replace("°", "").isascii(), line


def test_parts_stand_side_by_side_where_there_is_room() -> None:
    assert halves("Disks", 100) == (100, 100)
    left, right = halves("Disks", 160)
    assert left + right == 160
    tracker = tracked()
    assert tracker.moment is not None
    parts = host_parts(HostView(tracker.moment, tracker.history, FULL, ""), 160, False)
    lines, starts = host_lines(parts, 160, False)
    by_name = dict(zip([part.name for part in parts], starts, strict=True))
    assert by_name["Disks"] == by_name["Network"]
    assert "nvme0n1" in plain_text(lines[by_name["Disks"] + 2])
    assert "eno1" in plain_text(lines[by_name["Disks"] + 2])


def test_a_sensor_near_its_limit_is_a_warning_and_a_broken_one_says_what_it_reports() -> None:
    part = sensors_part(FULL, 120, is_ascii=False)
    assert part is not None
    runs = [run for line in part.lines for run in line]
    assert ("91 °C", "warn") in runs
    assert any(text.startswith("- it reports 255") for text, _ in runs)
    assert sensors_part(EMPTY, 120, is_ascii=False) is None
    assert graphics_part((), 120) is None


def test_the_title_names_kernel_cores_and_memory() -> None:
    shown = host_words(moment(), FULL)
    assert "cores AMD EPYC 7313" in shown
    assert shown.startswith("host · ")


def test_the_names_of_all_parts_fit_and_the_present_one_stands_out() -> None:
    names = ["CPU", "Cores", "Memory", "Disks", "Network", "File systems", "Waiting", "Sources"]
    for width in (80, 160):
        line = parts_line(names, 2, width)
        assert len(plain_text(line)) <= width
        assert ("3 Memory", "accent bold underline") in line
