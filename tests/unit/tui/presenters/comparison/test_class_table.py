"""The classes: one short value a cell, who does best, and all else below the table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.comparison.workload_classes import CLASSES, Classes, Density, Member
from collectors.model.facts import Fact, unknown
from collectors.model.workloads import Kind, Workload, WorkloadId
from tui.presenters.comparison.class_details import detail_lines, plain_reason, rule, workload_lines
from tui.presenters.comparison.class_table import CELL, ClassRow, heading, rows_of, table_lines
from tui.presenters.styled_lines import plain_text

OVERHEAD = "memory_overhead_bytes"
LONG = "own mnt pid net ipc uts, seccomp filter, 14 capabilities with sys_admin, privileged, apparmor docker-default"


def classes(facts: dict[Kind, list[dict[str, Fact]]]) -> Classes:
    members = {
        kind: [
            Member(Workload(WorkloadId("e", f"{kind}-{index}"), kind, f"{kind}-{index}"), one)
            for index, one in enumerate(facts.get(kind, []))
        ]
        for kind in CLASSES
    }
    density = {kind: Density(len(members[kind]), 33 * 2.0**30, 1, 13.0, 1) for kind in CLASSES}
    return Classes(members, density, 32, 256 << 30, [])


def row(name: str, facts: dict[Kind, list[dict[str, Fact]]]) -> ClassRow:
    return next(one for one in rows_of(classes(facts)) if one.type.name == name)


def numbers(key: str, *values: float) -> list[dict[str, Fact]]:
    return [{key: Fact(value, f"/proc/{index + 100}/smaps: resident")} for index, value in enumerate(values)]


def text(one: ClassRow, width: int = 100, height: int = 13) -> str:
    return "\n".join(plain_text(line) for line in detail_lines(one, width, height, False))


def test_a_cell_is_a_median_and_the_least_does_best() -> None:
    found = row(
        "memory overhead",
        {
            Kind.VM: numbers(OVERHEAD, 41 << 20, 212 << 20, 388 << 20),
            Kind.CONTAINER: numbers(OVERHEAD, 17 << 20, 19 << 20, 23 << 20),
        },
    )
    assert [found.cells[kind].text for kind in CLASSES] == ["-", "212M", "19M"]
    assert found.best == "containers"


def test_classes_that_do_equally_well_are_both_named() -> None:
    facts = {
        Kind.SERVICE: numbers("cpu_overhead_percent", 0.0),
        Kind.VM: numbers("cpu_overhead_percent", 3.8),
        Kind.CONTAINER: numbers("cpu_overhead_percent", 0.0),
    }
    assert row("CPU overhead", facts).best == "bare, ct"
    assert row("CPU overhead", {Kind.VM: numbers("cpu_overhead_percent", 3.8)}).best == ""


def test_medians_that_look_the_same_are_equal() -> None:
    waiting = {kind: numbers("waiting_percent", value) for kind, value in zip(CLASSES, (0.0, 0.012, 0.04), strict=True)}
    found = row("waiting for CPU", waiting)
    assert {cell.text for cell in found.cells.values()} == {"0.0%"}
    assert found.best == "equal"
    waiting[Kind.VM] = numbers("waiting_percent", 0.2)
    assert row("waiting for CPU", waiting).best == "bare, ct"


def test_two_workloads_show_their_values_and_no_median() -> None:
    assert row("memory overhead", {Kind.VM: numbers(OVERHEAD, 41 << 20, 9 << 20)}).cells[Kind.VM].text == "9.0M, 41M"


@pytest.mark.parametrize(
    ("kind", "value", "short"),
    [
        (Kind.VM, "hardware (kvm, type 2), pc-q35-7.2, dac + selinux", "hardware (KVM)"),
        (Kind.VM, "emulated (tcg, type 2), no label", "emulated (TCG)"),
        (Kind.CONTAINER, LONG, "namespaces: 5"),
        (Kind.SERVICE, "no namespace of its own, seccomp off, 40 capabilities, uid 0", "namespaces: 0"),
    ],
)
def test_isolation_is_a_word_and_a_number(kind: Kind, value: str, short: str) -> None:
    found = row("boundary", {kind: [{"isolation": Fact(value, "/proc")}]})
    assert found.cells[kind].text == short
    assert value in " ".join(text(found, 200).split()), "all of it stands below"


def test_the_kernel_and_the_system_come_from_the_same_fact() -> None:
    facts = {
        Kind.SERVICE: [{"system": Fact("Debian GNU/Linux 12 (bookworm), kernel 6.1", "os-release")}],
        Kind.VM: [{"system": Fact("debian 12, its own kernel", "domain XML")}],
        Kind.CONTAINER: [{"system": Fact("Alpine Linux v3.19, on the host's kernel", "os-release")}],
    }
    assert [row("kernel", facts).cells[kind].text for kind in CLASSES] == ["the host's", "its own", "the host's"]
    assert [row("system", facts).cells[kind].text for kind in CLASSES] == ["Debian 12", "debian 12", "Alpine Linux v…"]


def test_privileged_is_counted() -> None:
    facts = {Kind.CONTAINER: [{"is_privileged": Fact(1.0, "engine")}, {"is_privileged": Fact(0.0, "engine")}]}
    assert row("privileged", facts).cells[Kind.CONTAINER].text == "1 of 2"


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1e15), st.text(max_size=80).filter(str.isprintable)), max_size=6),
    st.sampled_from(CLASSES),
    st.integers(80, 200),
)
def test_no_cell_is_longer_than_asked_and_every_line_fits(
    values: list[float | str | None], kind: Kind, width: int
) -> None:
    keys = ("isolation", "system", "size_bytes", "waiting_percent", "disk_host_bytes_per_second")
    facts = [{key: unknown("no reason") if value is None else Fact(value, "how") for key in keys} for value in values]
    rows = rows_of(classes({kind: facts}))
    for found in rows:
        assert all(cell_len(cell.text) <= CELL for cell in found.cells.values())
        assert cell_len(plain_text(rule(found, width, True))) == width
        assert len(detail_lines(found, width, 6, True)) <= 6
    lines, keys_of_lines = table_lines(rows, width)
    assert len(lines) == len(keys_of_lines)
    assert all(cell_len(plain_text(line)) <= width for line in [heading(width), *lines])


def test_below_stand_spread_number_method_and_a_range() -> None:
    below = text(row("memory overhead", {Kind.VM: numbers(OVERHEAD, 41 << 20, 212 << 20, 388 << 20)}), 140)
    assert "from 41M (vm-0) to 388M (vm-2) · 3 of 3 · /proc/<pid>/smaps: resident" in below
    assert "BARE METAL  -               none here" in below
    assert "● median" in below
    assert below.count("●") == 2


def test_what_is_not_measured_has_its_reason_and_no_raw_error() -> None:
    raw = "libvirt at qemu:///system: Invalid UUID"
    found = row(
        "size on disk", {Kind.VM: [{"size_bytes": unknown(raw)}], Kind.SERVICE: [{"size_bytes": unknown("no")}]}
    )
    assert found.cells[Kind.VM].text == "-"
    assert "libvirt did not answer" in text(found)
    assert "Invalid UUID" not in text(found) + "\n".join(workload_lines(found))
    assert plain_reason("a service uses the host's files") == "a service uses the host's files"


def test_every_workload_is_listed_with_its_value() -> None:
    lines = workload_lines(row("memory overhead", {Kind.VM: numbers(OVERHEAD, 41 << 20)}))
    assert lines[:2] == ["BARE METAL", "  none here"]
    assert "  vm-0: 41M (/proc/<pid>/smaps: resident)" in lines


def test_density_is_an_amount_and_a_share_of_the_host() -> None:
    found = row("memory assigned", {Kind.VM: numbers(OVERHEAD, 1.0)})
    assert found.cells[Kind.VM].text == "33G   13%"
