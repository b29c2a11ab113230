"""The screen, driven by keys through Textual's pilot on frames of a fleet with a clock of its own."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from collectors.model.workloads import Frame, Kind, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from tests.helpers.demo_fleet import Fleet, QuietSampler
from tests.helpers.pilot_wait import until
from tui.app.live import VmtopApp
from tui.controllers.frame_feed import FrameReady
from tui.presenters.main_screen.calm_order import Smoothing
from tui.screens.workloads.live import LiveListScreen
from tui.settings.screen_options import ScreenOptions
from tui.widgets.workload_table import WorkloadTable


class Session:
    """A running screen and the fleet that feeds it."""

    def __init__(self, pilot: Pilot[int], fleet: Fleet) -> None:
        self.pilot, self.fleet = pilot, fleet

    @property
    def screen(self) -> LiveListScreen:
        """The main screen, even under a page."""
        return next(screen for screen in self.pilot.app.screen_stack if isinstance(screen, LiveListScreen))

    @property
    def table(self) -> WorkloadTable:
        return self.screen.query_one(WorkloadTable)

    async def tick(self, count: int = 1) -> None:
        """Post the frames that production would post, and wait until they are painted."""
        for _ in range(count):
            await self.show(self.fleet.frame())

    async def show(self, frame: Frame) -> None:
        """Post a frame, and wait until it is painted."""
        self.screen.post_message(FrameReady(frame))
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    def text(self) -> str:
        """What the terminal shows, a line a row."""
        return screen_text(self.pilot.app)


def screen_text(app: App[int]) -> str:
    """Return the composited screen as plain text."""
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in lines)


def notes(running: Session) -> str:
    """The second line of the header: it ends with what is special now."""
    return running.text().splitlines()[1]


@asynccontextmanager
async def session(
    size: tuple[int, int] = (120, 40), workloads: int = 20, options: ScreenOptions | None = None
) -> AsyncIterator[Session]:
    """Run the app without sources; the test posts the frames."""
    app = VmtopApp(QuietSampler([]), options or ScreenOptions(is_demo=True))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        running = Session(pilot, Fleet(workloads))
        yield running


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_every_size_shows_ledger_table_and_panes(size: tuple[int, int]) -> None:
    async with session(size) as running:
        await running.tick(3)
        shown = running.text()
        assert re.search(r"CPU +\d+% +━.*vm .*ct .*svc .*rest .*of 32", shown)
        assert re.search(r"MEM +\d+% +[━╸].*vm .*ct .*svc .*rest .*of 256G", shown)
        assert "NAME" in shown
        assert "NET rx" in shown
        assert all(len(line) <= size[0] for line in shown.splitlines())


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (40, 10), (300, 100)])
async def test_odd_sizes_do_not_break_it(size: tuple[int, int]) -> None:
    async with session(size) as running:
        await running.tick(2)
        assert running.screen.moment is not None


async def test_first_paint_waits_for_no_frame() -> None:
    async with session() as running:
        assert "reading this host" in running.text()


async def test_rows_are_sorted_by_cpu_and_letters_change_that() -> None:
    async with session() as running:
        running.screen.view.smoothing = Smoothing.NOW
        await running.tick(3)
        values = [line.value("cpu_percent") or 0 for line in running.table.lines]
        assert values == sorted(values, reverse=True)
        await running.press("M")
        values = [line.value("memory_host_bytes") or 0 for line in running.table.lines]
        assert values == sorted(values, reverse=True)
        await running.press("r")
        values = [line.value("memory_host_bytes") or 0 for line in running.table.lines]
        assert values == sorted(values)
        running.screen.action_sort("name")
        names = [line.label for line in running.table.lines]
        assert names == sorted(names, key=str.casefold)


async def test_the_cursor_stays_on_its_workload_when_the_order_changes() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("j", "j")
        chosen = running.screen.view.cursor
        await running.press("M")
        await running.tick(5)
        assert running.screen.view.cursor == chosen
        await running.press("r")
        assert running.screen.view.cursor == chosen


async def test_nothing_moves_after_a_key_or_while_the_mouse_moves_over_the_table() -> None:
    async with session() as running:
        view, now = running.screen.view, 100.0
        view.clock = lambda: now
        await running.tick(3)
        assert not view.is_held
        assert "held" not in running.text()
        await running.press("j")
        assert view.is_held
        assert "20 held" in running.text()
        now += 10
        assert not view.is_held
        await running.pilot.hover(WorkloadTable, offset=(10, 5))
        assert view.is_held
        before = [line.id for line in running.table.lines]
        await running.tick(1)
        assert [line.id for line in running.table.lines] == before


async def test_tab_steps_through_sets_of_columns_and_back() -> None:
    async with session((160, 40)) as running:
        await running.tick(2)
        assert "PORTS" not in running.text()
        await running.press("shift+tab")
        shown = running.text()
        assert all(label in shown for label in ("PROJECT", "PORTS", "IP", "ENGINE", "RESTARTS", "EXIT"))
        assert "172.20.0." in shown
        await running.press("tab", "tab")
        assert "THROT%" in running.text()


async def test_the_dot_cycles_over_what_time_the_order_is_a_mean() -> None:
    async with session() as running:
        await running.tick(2)
        spans = []
        for _ in range(4):
            spans.append(running.screen.view.order_span)
            await running.press("full_stop")
        assert spans == ["10s", "1m", "", "10s"]
        assert "NAME  20  1m mean" in running.text()
        await running.press("shift+tab")
        assert "NAME  20  CPU% 1m" in running.text(), "of a column that is not shown"
        await running.press("full_stop")
        assert "mean" not in running.text().splitlines()[2]
        running.screen.view.sort = "name"
        assert running.screen.view.order_span == ""


async def test_when_its_workload_goes_the_cursor_takes_the_neighbour_not_the_top() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("j", "j", "j")
        before = [line.id for line in running.table.lines]
        assert running.screen.view.cursor == before[3]
        frame = running.fleet.frame()
        del frame.workloads[before[3]], frame.samples[before[3]]
        running.screen.post_message(FrameReady(frame))
        await running.pilot.pause()
        assert running.screen.view.cursor in (before[4], before[2])


async def test_filter_narrows_as_it_is_typed_and_escape_clears_it() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("slash", *"kind=vm")
        assert {line.reading.workload.kind for line in running.table.lines if line.reading} == {Kind.VM}
        await running.press("enter")
        assert "filter kind=vm" in notes(running)
        await running.press("escape")
        assert len(running.table.lines) == 20


async def test_a_wrong_filter_says_what_is_wrong_and_and_escape_mends_it() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("slash", *"cqu>5")
        assert "cqu" in running.text().splitlines()[-2]
        assert "cpu" in running.text().splitlines()[-2]
        await running.tick(2)
        assert "cqu" in running.text().splitlines()[-2], "the reason stays while the text is wrong"
        assert len(running.table.lines) == 20, "what was shown before is still shown"
        await running.press("enter")
        assert running.screen.is_prompt_open, "Enter does not take a wrong filter"
        await running.press("escape")
        assert len(running.table.lines) == 20


async def test_freezing_holds_the_rows_while_collection_goes_on() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("z")
        held = running.text().splitlines()[5:20]
        ticks = running.screen.history.ticks
        await running.tick(3)
        assert running.text().splitlines()[5:20] == held
        assert running.screen.history.ticks == ticks + 3
        assert "FROZEN" in running.text()


async def test_marks_belong_to_workloads() -> None:
    async with session() as running:
        await running.tick(3)
        first = running.table.lines[0].id
        await running.press("space")
        await running.press("M")
        assert running.screen.view.marks == {first}
        await running.press("U")
        assert running.screen.view.marks == set()


async def test_the_tree_groups_and_folds() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("t")
        groups = [line for line in running.table.lines if line.reading is None]
        assert "virtual machines" in [line.label for line in groups]
        assert sum(len(line.members) for line in groups) == 20
        await running.press("g", "enter")
        assert len(running.table.lines) == 20 + len(groups) - len(groups[0].members)


async def test_help_names_every_key() -> None:
    async with session((120, 100)) as running:
        await running.tick(1)
        await running.press("question_mark")
        shown = running.text()
        assert "filter as you type" in shown
        assert "freeze the view" in shown
        await running.press("escape")
        assert "NAME" in running.text()


async def test_why_tells_formula_and_source_of_a_number() -> None:
    async with session() as running:
        await running.tick(2)
        await running.press("w")
        assert "growth of CPU time" in running.text()


async def test_columns_can_be_chosen() -> None:
    async with session() as running:
        await running.tick(2)
        await running.press("c", "down", "space", "enter")
        assert "kind" not in running.table.keys


async def test_only_visible_lines_are_formatted() -> None:
    async with session((120, 40), 2000) as running:
        await running.tick(3)
        before = running.table.formatted
        await running.tick(1)
        assert running.table.formatted - before <= 2 * running.table.size.height


async def test_an_unchanged_frame_repaints_no_row() -> None:
    async with session() as running:
        await running.tick(3)
        repainted: list[object] = []
        table = running.table
        original = table.render_line
        table.render_line = lambda y: (repainted.append(y), original(y))[1]  # type: ignore[method-assign, func-returns-value]
        running.screen.redraw()
        await running.pilot.pause()
        assert repainted == []


async def test_hostile_names_stay_inert_and_columns_aligned() -> None:
    hostile = ["\x1b[2Jgone", "[/b][bold red]x", "a\u202eb\u200f", "漢字" * 40, "e" + "\u0301" * 50, "-rf", "\x9b31m"]
    async with session() as running:
        frame = running.fleet.frame()
        for index, name in enumerate(hostile):
            identity = WorkloadId("docker", f"{index:064x}")
            frame.workloads[identity] = Workload(identity, Kind.CONTAINER, sanitize(name), image=sanitize(name))
        running.screen.view.show_all = True
        running.screen.post_message(FrameReady(frame))
        await running.pilot.pause()
        shown = running.text()
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "[/b][bold red]x" in shown
        assert "-rf" in shown


def pane_title(running: Session) -> str:
    """The name in the rule above the panes."""
    return next(line for line in running.text().splitlines() if line.startswith("─ ")).split()[1]


async def test_the_panes_are_of_the_workload_under_the_cursor() -> None:
    async with session() as running:
        await running.tick(3)
        for key in ("j", "j", "k", "G", "g", "pagedown"):
            await running.press(key)
            line = running.screen.view.current()
            assert line is not None
            assert pane_title(running) == line.label, f"after {key}"
        await running.press("g", "k")
        assert running.screen.view.is_on_host
        assert "─ demo  host · 32 CPUs · 256G" in running.text()


async def test_the_panes_go_with_the_line_that_is_clicked() -> None:
    async with session() as running:
        await running.tick(3)
        await running.pilot.click(WorkloadTable, offset=(5, 5))
        line = running.screen.view.current()
        assert line is not None
        assert line is not running.table.lines[0]
        assert pane_title(running) == line.label


async def test_the_panes_take_the_neighbour_when_their_workload_goes() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("j")
        gone = running.table.lines[1]
        frame = running.fleet.frame()
        del frame.workloads[gone.id], frame.samples[gone.id]
        running.screen.post_message(FrameReady(frame))
        await running.pilot.pause()
        line = running.screen.view.current()
        assert line is not None
        assert pane_title(running) == line.label != gone.label


@pytest.mark.parametrize("typed", ["[/b]>5", "[bold]=1", "cpu>[/]", "[@click=app.quit]cqu>5"])
async def test_what_is_typed_into_the_filter_is_no_markup(typed: str) -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("slash")
        running.screen.query_one("#prompt", Input).value = typed
        await running.press("enter")
        await until(running.pilot, lambda: typed.split(">")[0].split("=")[0] in running.text().splitlines()[-2])


async def test_a_filter_that_looks_like_markup_is_shown_as_it_is() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("slash")
        running.screen.query_one("#prompt", Input).value = "name~[/]"
        await running.press("enter")
        assert "filter name~[/]" in notes(running)
        assert "Nothing matches name~[/]. 20 hidden. Esc clears." in running.text()


async def test_the_scale_goes_round_and_is_told_in_the_header() -> None:
    async with session() as running:
        await running.tick(3)
        told = []
        for _ in range(3):
            await running.press("percent_sign")
            told.append([one for one in notes(running).split() if one.startswith("100%=")])
        assert told == [["100%=host"], ["100%=limit"], []]
