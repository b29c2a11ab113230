"""The main screen as a whole: the host's row, the tree, empty states, and what a tick may not change."""

from __future__ import annotations

import gc

import msgspec
import pytest

from collectors.model.workloads import Availability
from tests.app.test_workload_list import notes, session
from tui.presenters.main_screen.panes import ROWS
from tui.presenters.main_screen.view_words import ON_HOST
from tui.presenters.table.state import HOST_INDEX
from tui.settings.screen_options import ScreenOptions
from tui.widgets.sparkline_panes import Panes
from tui.widgets.workload_table import PINNED


async def test_the_host_is_the_first_row_and_neither_order_filter_nor_scrolling_moves_it() -> None:
    async with session((120, 24), 60) as running:
        await running.tick(3)
        place = running.table.region.y + 1
        for keys in ((), ("M",), ("r",), ("G",), ("slash", *"kind=vm", "enter"), ("slash", *"qqq", "enter")):
            await running.press(*keys)
            assert running.text().splitlines()[place].startswith(" ■ host "), f"after {keys}"


async def test_the_cursor_goes_to_the_host_above_the_first_row_and_back() -> None:
    async with session() as running:
        await running.tick(3)
        assert running.screen.view.index() == 0
        await running.press("k")
        assert running.screen.view.is_on_host
        await running.press("k")
        assert running.screen.view.index() == HOST_INDEX
        await running.tick(2)
        assert running.screen.view.is_on_host, "a tick does not move it"
        await running.press("j")
        assert running.screen.view.cursor == running.table.lines[0].id
        await running.pilot.click(running.table, offset=(5, 1))
        await running.pilot.pause()
        assert running.screen.view.is_on_host
        await running.press("g")
        assert running.screen.view.index() == 0


@pytest.mark.parametrize("key", ["l", "e", "i", "x"])
async def test_what_is_done_to_workloads_is_refused_on_the_host_with_a_sentence(key: str) -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("k", key)
        (told,) = running.pilot.app._notifications
        assert told.message == ON_HOST


async def test_marks_ignore_the_host() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("k", "space")
        assert running.screen.view.marks == set()
        assert running.screen.view.index() == 0, "Space goes on to the next row as ever"


async def test_the_count_stands_after_name() -> None:
    async with session() as running:
        await running.tick(3)
        heads = running.table.region.y
        assert running.text().splitlines()[heads].startswith("   NAME  20 ")
        await running.press("2")
        vms = len(running.table.lines)
        assert running.text().splitlines()[heads].startswith(f"   NAME  {vms} of 20 ")
        await running.press("1", "t")
        groups = sum(line.reading is None for line in running.table.lines)
        assert running.text().splitlines()[heads].startswith(f"   NAME  20 in {groups} ")


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_group_under_the_cursor_has_the_panes_of_its_members_together(size: tuple[int, int]) -> None:
    async with session(size, 12) as running:
        await running.tick(3)
        await running.press("t", "g")
        group = running.table.lines[0]
        assert running.screen.view.cursor == group.id
        shown = running.text()
        title = next(line for line in shown.splitlines() if line.startswith(f"─ {group.label}  "))
        assert f"{len(group.members)} " in title
        assert f"CPU {group.value('cpu_percent'):.1f}%" in shown
        await running.press("enter")
        assert f"▸ {group.label} {len(group.members)}" in running.text()
        await running.press("enter")
        assert f"▾ {group.label} {len(group.members)}" in running.text()


async def test_a_tick_changes_neither_the_height_of_the_panes_nor_the_widths() -> None:
    async with session((120, 36), 20) as running:
        await running.tick(8)
        panes, table = running.screen.query_one(Panes), running.table
        before = panes.size.height, [column.width for column in table._columns]
        for _ in range(3):
            frame = running.fleet.frame()
            gone = list(frame.workloads)[:6]
            for identity in gone:
                del frame.workloads[identity], frame.samples[identity]
            await running.show(frame)
            assert (panes.size.height, [column.width for column in table._columns]) == before
        await running.press("2")
        assert panes.size.height != before[0], "a change of the view does"
        assert panes.size.height - 3 in ROWS


async def test_a_source_in_trouble_takes_the_place_of_vmtops_name() -> None:
    async with session() as running:
        await running.tick(3)
        assert running.text().splitlines()[1].startswith(" vmtop ")
        frame = running.fleet.frame()
        late = tuple(
            msgspec.structs.replace(state, availability=Availability.STALE, read_at_ns=frame.at_ns - 40 * 10**9)
            for state in frame.sources
        )
        await running.show(msgspec.structs.replace(frame, sources=late))
        assert "✗40s" in running.text().splitlines()[1]


async def test_an_empty_host_says_what_is_read_and_what_to_do() -> None:
    async with session((80, 24), 0) as running:
        await running.tick(2)
        shown = running.text()
        assert "No machines, containers or services are running here." in shown
        assert "demo      ok" in shown
        await running.press("k", "j", "l")
        assert "No machines" in running.text(), "keys do not blank it"


async def test_ascii_keeps_every_meaning() -> None:
    options = ScreenOptions(is_demo=True, ascii=True)
    async with session((80, 24), 12, options) as running:
        await running.tick(12)
        await running.press("t", "g", "enter")
        shown = running.text()
        assert shown.isascii()
        lines = shown.splitlines()
        assert "CPU" in lines[0]
        assert "v" in lines[0].partition("%")[2]
        assert lines[running.table.region.y + 1].startswith(" # host ")
        assert any(line.startswith(" > ") for line in lines[running.table.region.y + PINNED :])


async def test_marks_and_filter_are_told_in_the_second_line() -> None:
    async with session((80, 24)) as running:
        await running.tick(3)
        await running.press("space", "slash", *"kind=vm", "enter")
        assert "filter kind=vm" in notes(running)
        assert "1 marked" in notes(running)


async def test_a_step_of_the_cursor_formats_the_two_lines_that_it_concerns() -> None:
    async with session() as running:
        await running.tick(3)
        before = running.table.formatted
        await running.press("j")
        assert running.table.formatted - before == 2
        await running.press("k", "k")
        assert running.table.formatted - before == 6
        place = running.table.region.y + 1
        assert running.text().splitlines()[place].startswith(" ■ host ")


async def test_values_of_many_workloads_are_derived_without_searching_them_for_garbage() -> None:
    """There is nothing to find among them, and every one is an object or two."""
    async with session(workloads=3000) as running:
        frames = [running.fleet.frame() for _ in range(6)]
        running.screen.track.feed(frames[0])
        before = _searches()
        for frame in frames[1:]:
            running.screen.track.feed(frame)
        assert _searches() - before < len(frames) - 1


def _searches() -> int:
    """Return how often Python has looked for garbage."""
    return sum(generation["collections"] for generation in gc.get_stats())
