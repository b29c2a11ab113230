"""Several hosts on the screen, through Textual's pilot: one table, groups, one host alone, their pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.helpers.far_fleet import FarFleet
from tests.helpers.scenes import SMALL, Scene, Stage, pressing, staged
from tui.screens.compare import CompareScreen
from tui.screens.host import HostScreen
from tui.widgets.header import HeaderLines

MIDDLE = (120, 36)


@asynccontextmanager
async def hosts(
    size: tuple[int, int] = MIDDLE, names: tuple[str, ...] = ("hv01", "hv02", "hv03"), is_local: bool = False
) -> AsyncIterator[Stage]:
    async with staged(Scene(pressing(), size), fleet=FarFleet(names, is_local=is_local), ticks=4) as stage:
        yield stage


def fleet_of(stage: Stage) -> FarFleet:
    assert isinstance(stage.fleet, FarFleet)
    return stage.fleet


def heads(stage: Stage) -> str:
    return next(line for line in stage.text().splitlines() if "NAME" in line)


@pytest.mark.parametrize("size", [SMALL, MIDDLE, (200, 60)])
async def test_several_hosts_have_a_column_a_line_above_all_and_their_states(size: tuple[int, int]) -> None:
    async with hosts(size) as stage:
        text = stage.text()
        assert heads(stage).split()[0] == "HOST"
        assert "■ 3 hosts" in text
        assert "of 96" in text.splitlines()[0]
        assert "●hv01" in text.splitlines()[2]
        assert all(len(line) <= size[0] for line in text.splitlines())


async def test_sixteen_hosts_are_all_told_on_80_columns() -> None:
    async with hosts(SMALL, tuple(f"hv{number:02}" for number in range(1, 17))) as stage:
        assert stage.text().splitlines()[2].count("●") == 16


async def test_a_single_other_host_looks_like_this_one_would() -> None:
    async with hosts(SMALL, ("hv01",)) as stage:
        text = stage.text()
        assert text.splitlines()[0].startswith(" hv01 ")
        assert heads(stage).split()[0] == "NAME"
        assert stage.screen.query_one(HeaderLines).size.height == 2
        assert "■ host" in text


async def test_h_looks_at_one_host_alone_and_back() -> None:
    async with hosts() as stage:
        await stage.point_at(lambda line: line.id.host == "hv02")
        await stage.press("H")
        text = stage.text()
        assert text.splitlines()[0].startswith(" hv02 ")
        assert "hv02 only" in text
        assert heads(stage).split()[0] == "NAME"
        assert {line.id.host for line in stage.screen.view.lines} == {"hv02"}
        await stage.press("H")
        assert len({line.id.host for line in stage.screen.view.lines}) == 3


async def test_escape_comes_back_to_all_hosts() -> None:
    async with hosts() as stage:
        await stage.point_at(lambda line: line.id.host == "hv02")
        await stage.press("H", "escape")
        assert stage.screen.view.alone is None


async def test_h_on_the_line_of_all_hosts_says_what_to_choose() -> None:
    async with hosts() as stage:
        await stage.press("g", "k", "H")
        assert "choose one of them" in stage.text()


async def test_t_groups_by_host_and_enter_opens_one() -> None:
    async with hosts() as stage:
        await stage.press("t")
        assert sorted(line.label for line in stage.screen.view.lines) == ["hv01", "hv02", "hv03"]
        assert "HOST" not in heads(stage)
        await stage.press("g", "enter")
        assert len(stage.screen.view.lines) == 13


async def test_enter_on_the_line_of_all_hosts_shows_each() -> None:
    async with hosts() as stage:
        await stage.press("g", "k", "enter")
        assert stage.screen.view.is_tree


async def test_the_page_of_a_host_is_that_of_the_row() -> None:
    async with hosts() as stage:
        await stage.point_at(lambda line: line.id.host == "hv03")
        await stage.press("5")
        assert isinstance(stage.app.screen, HostScreen)
        assert stage.text().splitlines()[0].startswith(" hv03 ")
        assert "32 cores" in stage.text()


async def test_the_page_of_the_sources_tells_of_every_host() -> None:
    async with hosts((120, 60)) as stage:
        await stage.press("exclamation_mark")
        text = stage.text()
        assert all(f"{name}: ok" in text for name in ("hv01", "hv02", "hv03"))


async def test_a_host_that_is_gone_folds_into_one_line_and_comes_back() -> None:
    async with hosts((150, 40)) as stage:
        fleet = fleet_of(stage)
        fleet.silent.add("hv02")
        await stage.tick()
        for _ in range(70):
            fleet.frame()
        await stage.tick()
        assert "hv02  gone 1m  10 workloads  ssh: connect to host hv02" in stage.text()
        assert not [line for line in stage.screen.view.lines if line.reading and line.id.host == "hv02"]
        fleet.silent.clear()
        await stage.tick(2)
        assert [line for line in stage.screen.view.lines if line.reading and line.id.host == "hv02"]


async def test_this_host_stands_among_the_others_as_local() -> None:
    async with hosts((150, 40), ("hv01",), is_local=True) as stage:
        assert "■ 2 hosts" in stage.text()
        await stage.press("slash", *("h", "o", "s", "t", "equals_sign", "l", "o", "c", "a", "l"), "enter")
        assert {line.id.host for line in stage.screen.view.lines} == {""}


async def test_the_palette_goes_to_a_host() -> None:
    async with hosts() as stage:
        await stage.press("colon", *"hv02", "enter")
        assert stage.screen.view.alone == "hv02"


async def test_workloads_of_folded_hosts_are_compared() -> None:
    async with hosts() as stage:
        for name in ("hv01", "hv02"):
            await stage.point_at(lambda line, name=name: line.id.host == name)  # type: ignore[misc]
            await stage.press("space")
        await stage.press("t", "equals_sign")
        assert isinstance(stage.app.screen, CompareScreen)


async def test_marks_of_equal_workloads_on_two_hosts_are_two_marks() -> None:
    async with hosts() as stage:
        await stage.point_at(lambda line: line.id.host == "hv01")
        identity = stage.screen.view.cursor
        assert identity is not None
        await stage.press("space")
        assert stage.screen.view.marks == {identity}
        assert identity._replace(host="hv02") in stage.screen.shown_moment.readings  # type: ignore[union-attr]


async def test_the_menu_of_orders_knows_hosts() -> None:
    async with hosts() as stage:
        await stage.press("s", *"host", "enter")
        assert stage.screen.view.sort == "host"
        assert [line.id.host for line in stage.screen.view.lines[:10]] == ["hv01"] * 10


async def test_help_explains_the_column_of_hosts() -> None:
    async with hosts((120, 60)) as stage:
        await stage.press("question_mark", *"HOST")
        assert "the host that it is on" in stage.text()


async def test_a_single_host_that_never_answered_says_so_and_why() -> None:
    async with staged(Scene(pressing(), MIDDLE), fleet=_silent("hv01"), ticks=1) as stage:
        text = stage.text()
        assert "hv01 does not answer." in text
        assert "ssh: connect to host hv01 port 22: Connection refused" in text


async def test_hosts_that_never_answered_have_a_line_each() -> None:
    async with staged(Scene(pressing(), MIDDLE), fleet=_silent("hv01", "hv02"), ticks=1) as stage:
        assert [line.label for line in stage.screen.view.lines] == ["hv01", "hv02"]


def _silent(*names: str) -> FarFleet:
    fleet = FarFleet(names)
    fleet.silent.update(names)
    return fleet
