"""The line of the header about several hosts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.analysis.rates import Deriver, Moment
from tests.helpers.far_fleet import FarFleet
from tui.presenters.main_screen.header import Header, header_lines
from tui.presenters.main_screen.hosts_line import hosts_line
from tui.presenters.styled_lines import plain_text


def moment(names: tuple[str, ...], silent: dict[str, float] | None = None, is_local: bool = False) -> Moment:
    fleet, deriver = FarFleet(names, workloads=2, is_local=is_local), Deriver()
    for _ in range(3):
        deriver.feed(fleet.frame())
    fleet.silent = set(silent or {})
    return deriver.feed(fleet.frame(max((silent or {"": 1.0}).values())))


SIXTEEN = tuple(f"hv{number:02}" for number in range(1, 17))


def shown(of: Moment, width: int = 80, alone: str | None = None) -> str:
    return plain_text(hosts_line(of, alone, width, False))


def test_few_hosts_are_told_with_their_use() -> None:
    assert shown(moment(("hv01", "hv02"))).split("  ")[0].startswith(" ●hv01 ")
    assert "%" in shown(moment(("hv01", "hv02")))


def test_sixteen_hosts_fit_80_columns_each_with_its_state() -> None:
    text = shown(moment(SIXTEEN))
    assert text.startswith(" hv ●01 ●02 ")
    assert text.count("●") == 16
    assert cell_len(text) < 80


def test_a_silent_host_says_for_how_long() -> None:
    assert "?hv02 5s" in shown(moment(("hv01", "hv02"), {"hv02": 5.0}))
    assert "✗hv02 5m" in shown(moment(("hv01", "hv02"), {"hv02": 300.0}))


def test_of_too_many_hosts_only_the_silent_ones_are_named() -> None:
    names = tuple(f"node-{number}.example.org" for number in range(64))
    text = shown(moment(names, dict.fromkeys(names[:20], 300.0)))
    assert text.startswith(" 44 of 64 hosts answer ✗node-0 5m ")
    assert text.rpartition("+")[2].strip().isdigit()
    assert cell_len(text) < 80


def test_this_host_is_called_local() -> None:
    assert shown(moment(("hv01",), is_local=True)).startswith(" ●local ")


@pytest.mark.parametrize("width", [80, 150])
def test_the_header_has_the_totals_of_all_hosts(width: int) -> None:
    lines = [plain_text(line) for line in header_lines(moment(SIXTEEN), Header("LIVE", 1.0), width)]
    assert lines[0].startswith(" 16 hosts ")
    assert "of 512" in lines[0]
    assert all(cell_len(line) <= width for line in lines)


def test_the_header_names_the_host_whose_source_fails() -> None:
    text = plain_text(header_lines(moment(("hv01", "hv02"), {"hv02": 300.0}), Header("LIVE", 1.0), 80)[1])
    assert text.startswith(" hv02 ✗5m")


@given(
    st.lists(st.from_regex(r"\A[a-z][a-z0-9.-]{0,20}\Z"), min_size=2, max_size=12, unique=True),
    st.integers(40, 160),
    st.booleans(),
)
def test_the_line_never_exceeds_the_width(names: list[str], width: int, is_ascii: bool) -> None:
    fleet = FarFleet(tuple(names), workloads=1)
    fleet.silent = set(names[::3])
    line = plain_text(hosts_line(Deriver().feed(fleet.frame()), names[0], width, is_ascii))
    assert cell_len(line) <= width
    assert not is_ascii or line.isascii()
