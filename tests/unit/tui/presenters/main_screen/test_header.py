"""The two lines at the top, without a terminal."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.analysis.rates import Deriver, Moment
from collectors.model.workloads import Availability, SourceState
from tests.helpers.demo_fleet import Fleet
from tui.presenters.main_screen.header import Header, header_lines
from tui.presenters.styled_lines import Line, plain_text

LIVE = Header("LIVE", 1.0)


def moment(fleet: Fleet | None = None, ticks: int = 3, **changes: object) -> Moment:
    deriver, fleet = Deriver(), fleet or Fleet(20)
    for _ in range(ticks - 1):
        deriver.feed(fleet.frame())
    return deriver.feed(msgspec.structs.replace(fleet.frame(), **changes))


def texts(lines: list[Line]) -> list[str]:
    return [plain_text(line) for line in lines]


def troubled(*states: SourceState) -> Moment:
    return moment(sources=states)


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_the_parts_of_cpu_and_memory_stand_under_each_other(width: int) -> None:
    cpu, memory = texts(header_lines(moment(), LIVE, width))
    for part in ("vm ", "ct ", "svc ", "rest ", "of "):
        assert cpu.index(part) == memory.index(part)
    assert cpu.index("CPU ") == memory.index("MEM ")
    assert len(re.findall("[━╸─]", cpu)) == len(re.findall("[━╸─]", memory)) > 8


@given(st.integers(10, 260), st.sampled_from(["LIVE", "PAST", "FROZEN"]), st.lists(st.text(max_size=60), max_size=3))
def test_no_line_is_wider_than_the_terminal_unless_notes_alone_are(width: int, mode: str, notes: list[str]) -> None:
    header = Header(mode, 1.0, [(note, "text") for note in notes])
    for line in header_lines(moment(Fleet(5)), header, width):
        right = cell_len("".join(f"  {note}" for note in notes)) + 30
        assert cell_len(plain_text(line)) <= max(width, right)


def test_the_clock_is_there_from_a_hundred_columns_and_in_the_past_always() -> None:
    clock = re.compile(r"\d\d:\d\d:\d\d")
    assert not clock.search(texts(header_lines(moment(), LIVE, 80))[0])
    assert clock.search(texts(header_lines(moment(), LIVE, 100))[0])
    for mode in ("PAST", "REPLAY"):
        (line, _) = header_lines(moment(), Header(mode, 1.0), 80)
        assert clock.search(plain_text(line))
        assert line[-1][1] == "warn reverse", "it is a chip: one is not looking at now"


def test_another_interval_than_a_second_is_told_at_every_width() -> None:
    assert "1s" not in texts(header_lines(moment(), LIVE, 80))[0]
    assert "2s  LIVE" in texts(header_lines(moment(), Header("LIVE", 2.0), 80))[0]


def test_vmtop_has_its_name_there_until_a_source_is_in_trouble() -> None:
    assert texts(header_lines(moment(), LIVE, 120))[1].startswith(" vmtop ")
    assert texts(header_lines(moment(), LIVE, 80))[1].startswith("      MEM")
    now_ns = moment().frame.at_ns
    down = SourceState("docker", Availability.DOWN, reason="refused", read_at_ns=now_ns - 40 * 10**9)
    denied = SourceState("libvirt", Availability.DENIED)
    for width in (80, 120):
        lines = header_lines(troubled(denied, down), LIVE, width)
        assert plain_text(lines[1]).startswith(" docker ✗40s +1")
        assert lines[1][0][1] == "bad"
        assert plain_text(lines[0]).index("CPU ") == plain_text(lines[1]).index("MEM ")
    assert texts(header_lines(troubled(denied), LIVE, 120))[1].startswith(" libvirt ✗ denied")
    assert texts(header_lines(troubled(down), LIVE._replace(bar="ascii"), 120))[1].startswith(" docker x40s")


@pytest.mark.parametrize("calm", [Availability.OK, Availability.ABSENT])
def test_what_is_well_or_not_there_is_not_told(calm: Availability) -> None:
    assert texts(header_lines(troubled(SourceState("docker", calm)), LIVE, 120))[1].startswith(" vmtop ")


def test_every_part_that_is_not_zero_has_a_cell_where_there_is_room() -> None:
    cpu, memory = header_lines(moment(ticks=30), LIVE, 120)
    for line in (cpu, memory):
        tones = {tone for text, tone in line if "━" in text}
        assert tones == {"kind-vm", "kind-container", "kind-service", "rest"}


def test_without_colours_and_in_ascii_the_parts_are_told_apart_by_their_signs() -> None:
    for bar, signs in (("mono", "█▓▒░"), ("ascii", "vcsr")):
        cpu = texts(header_lines(moment(ticks=30), LIVE._replace(bar=bar), 120))[0]
        assert re.search(f"{signs[0]}+{signs[1]}+{signs[2]}+{signs[3]}+", cpu)


def test_notes_stand_at_the_right_of_the_second_line_and_take_the_room_of_the_bars() -> None:
    for note, is_whole in (("filter kind=vm", True), ("filter kind=vm cpu>50 mem>1G", False)):
        lines = texts(header_lines(moment(), Header("LIVE", 1.0, [(note, "accent"), ("2", "accent")]), 80))
        assert lines[1].endswith(f"  {note}  2")
        assert (" of 256G " in lines[1]) == is_whole
        assert is_whole or " of " not in lines[1], "a part is never cut within its number"
        assert lines[0].index("vm ") == lines[1].index("vm ")


def test_before_the_first_moment_it_says_what_it_waits_for() -> None:
    assert "reading this host" in texts(header_lines(None, LIVE, 80))[0]
