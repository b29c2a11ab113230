"""Keys and clicks on the table: what is in sight, by what it is ordered, who is marked, what is shown around it."""

from __future__ import annotations

import re

import msgspec
import pytest
from textual.widgets import Input

from tests.app.test_workload_list import Session, notes, session
from tui.presenters.table.state import SORTS
from tui.screens.column_picker import ColumnPicker
from tui.screens.command_line import CommandLine
from tui.widgets.header import HeaderLines
from tui.widgets.sparkline_panes import Panes
from tui.widgets.workload_table import PINNED


def is_in_sight(running: Session) -> bool:
    """Whether the line under the cursor is on the screen, in the table."""
    line = running.screen.view.current()
    assert line is not None
    table = running.table
    rows = running.text().splitlines()[table.region.y + PINNED : table.region.bottom]
    return any(line.label in row for row in rows)


async def test_the_cursor_stays_in_sight_however_far_it_moves() -> None:
    async with session((120, 24), 60) as running:
        await running.tick(3)
        for key in ("G", "pageup", "pageup", "ctrl+u", "g", "pagedown", "pagedown", "ctrl+d", *["j"] * 6, *["k"] * 20):
            await running.press(key)
            assert is_in_sight(running), f"after {key}"


async def test_the_cursor_is_followed_when_the_order_changes_only_where_that_is_wished() -> None:
    async with session((120, 24), 60) as running:
        await running.tick(3)
        await running.press("j")
        seen = []
        for wish in ("without", "with"):
            if wish == "with":
                await running.press("F")
                assert "following" in notes(running)
            for key in ("M", "r", "M", "r"):
                await running.press(key)
                seen.append((wish, is_in_sight(running)))
        assert ("without", False) in seen
        assert ("with", False) not in seen


async def test_the_order_goes_column_by_column_and_round() -> None:
    async with session((200, 40)) as running:
        await running.tick(3)
        columns = [key for key in running.table.shown_keys if key in SORTS]
        place = columns.index("cpu_percent")
        for key, step in [("greater_than_sign", 1)] * len(columns) + [("less_than_sign", -1)] * (place + 2):
            await running.press(key)
            place = (place + step) % len(columns)
            assert running.screen.view.sort == columns[place]


async def test_the_order_never_goes_to_a_column_without_room() -> None:
    async with session((80, 24)) as running:
        await running.tick(3)
        shown = running.table.shown_keys
        assert len(shown) < len(running.screen._keys)
        for _ in running.screen._keys:
            await running.press("less_than_sign")
            assert running.screen.view.sort in shown


async def test_a_click_on_a_column_orders_by_it_and_another_one_turns_it_round() -> None:
    async with session() as running:
        await running.tick(3)
        head = running.text().splitlines()[running.table.region.y]
        for label, sort in (("MEM ", "memory_host_bytes"), ("CPU%", "cpu_percent"), ("NAME", "name")):
            for is_reversed in (False, True):
                await running.pilot.click(running.table, offset=(head.index(label) + 1, 0))
                await running.pilot.pause()
                assert (running.screen.view.sort, running.screen.view.is_reversed) == (sort, is_reversed)


async def test_another_order_begins_the_right_way_round() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("r", "M")
        assert not running.screen.view.is_reversed


async def test_marking_goes_on_to_the_next_and_a_second_time_unmarks() -> None:
    async with session() as running:
        await running.tick(3)
        first, second, third = [line.id for line in running.table.lines[:3]]
        await running.press("space", "space")
        assert running.screen.view.marks == {first, second}
        assert running.screen.view.cursor == third
        assert "2 marked" in notes(running)
        await running.press("k", "space")
        assert running.screen.view.marks == {first}


async def test_all_that_are_shown_are_marked_and_no_others() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("2", "asterisk")
        shown = {line.id for line in running.table.lines}
        assert running.screen.view.marks == shown
        await running.press("1")
        assert running.screen.view.marks == shown
        assert len(running.table.lines) > len(shown)


async def test_a_mark_on_a_group_is_one_on_each_of_its_members() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("t", "g")
        group = running.table.lines[0]
        await running.press("space")
        assert running.screen.view.marks == {member.workload.id for member in group.members}


async def test_who_is_gone_is_marked_no_more() -> None:
    async with session() as running:
        await running.tick(3)
        gone, kept = [line.id for line in running.table.lines[:2]]
        await running.press("space", "space")
        frame = running.fleet.frame()
        del frame.workloads[gone], frame.samples[gone]
        await running.show(frame)
        assert running.screen.view.marks == {kept}
        assert "1 marked" in notes(running)


async def test_a_group_folds_and_unfolds() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("t", "g")
        before = [line.id for line in running.table.lines]
        await running.press("enter")
        assert len(running.table.lines) < len(before)
        await running.press("enter")
        assert [line.id for line in running.table.lines] == before


async def test_the_filter_is_there_to_be_changed_and_escape_gives_the_keys_back() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("slash", *"kind=vm", "enter", "slash")
        prompt = running.screen.query_one("#prompt", Input)
        assert prompt.value == "kind=vm"
        assert prompt.has_focus
        await running.press("escape")
        assert not running.screen.is_prompt_open
        assert running.screen.query_one("#footer").display
        assert running.table.has_focus
        assert len(running.table.lines) == 20
        await running.press("slash")
        assert prompt.value == "", "what was cleared does not come back"


async def test_the_panes_grow_and_shrink() -> None:
    async with session() as running:
        await running.tick(3)
        heights = []
        for _ in range(3):
            heights.append(running.screen.query_one(Panes).size.height)
            await running.press("o")
        assert heights == [13, 17, 13]


@pytest.mark.parametrize(
    ("height", "has_panes", "header_lines"), [(40, True, 2), (14, True, 2), (13, False, 2), (8, False, 1)]
)
async def test_the_table_is_the_last_to_give_way(height: int, has_panes: bool, header_lines: int) -> None:
    async with session((120, height)) as running:
        await running.tick(2)
        assert running.screen.query_one(Panes).display == has_panes
        assert running.screen.query_one(HeaderLines).size.height == header_lines
        assert running.table.size.height >= 5


async def test_workloads_that_use_more_than_the_host_leave_a_rest_below_zero() -> None:
    async with session() as running:
        await running.tick(2)
        frame = running.fleet.frame()
        host = frame.samples[frame.host.id][0]
        little = msgspec.structs.replace(host, memory_charged_bytes=1 << 20, memory_inactive_file_bytes=0)
        samples = {**frame.samples, frame.host.id: (little, *frame.samples[frame.host.id][1:])}
        await running.show(msgspec.structs.replace(frame, samples=samples))
        memory = next(line for line in running.text().splitlines() if " MEM " in line)
        assert re.search(r"rest -\d", memory)


async def test_the_name_is_a_column_even_where_it_is_not_ticked() -> None:
    async with session() as running:
        await running.tick(2)
        await running.press("c")
        assert isinstance(running.pilot.app.screen, ColumnPicker)
        await running.press("space", "J", "enter")
        assert running.table.keys[0] == "name"


async def test_a_frozen_view_holds_its_sparklines_too() -> None:
    async with session() as running:
        await running.tick(5)
        await running.press("z", "j")
        held = running.text().splitlines()[4:-1]
        await running.tick(4)
        assert running.text().splitlines()[4:-1] == held
        await running.press("j", "k")
        assert running.text().splitlines()[4:-1] == held, "also those that are drawn anew"
        await running.press("z")
        assert running.text().splitlines()[4:-1] != held


async def test_the_menu_of_orders_begins_at_the_present_one() -> None:
    async with session() as running:
        await running.tick(2)
        for keys, expected in (((), "memory_host_bytes"), (("down", "up"), "memory_host_bytes")):
            await running.press("M", "s")
            assert isinstance(running.pilot.app.screen, CommandLine)
            await running.press(*keys, "enter")
            assert running.screen.view.sort == expected


async def test_a_page_that_is_opened_again_begins_at_its_top() -> None:
    async with session((120, 24)) as running:
        await running.tick(2)
        await running.press("question_mark")
        top = running.text()
        await running.press("pagedown")
        assert running.text() != top
        await running.press("escape", "question_mark")
        assert running.text() == top


async def test_the_interval_ends_at_the_shortest_and_at_the_longest() -> None:
    async with session() as running:
        await running.tick(1)
        sampler, passed = running.screen.sampler, []
        for key in ["plus"] * 7 + ["minus"] * 9:
            await running.press(key)
            passed.append(sampler.interval_s)
            assert f" {sampler.interval_s:g}s " in running.text().splitlines()[0]
        assert passed == [2, 5, 10, 30, 60, 60, 60, 30, 10, 5, 2, 1, 0.5, 0.2, 0.2, 0.2]


async def test_an_interval_between_two_goes_on_from_the_nearest() -> None:
    async with session() as running:
        await running.tick(1)
        running.screen.sampler.set_interval(7.0)
        await running.press("plus")
        assert running.screen.sampler.interval_s == 10
        running.screen.sampler.set_interval(7.0)
        await running.press("minus")
        assert running.screen.sampler.interval_s == 2
