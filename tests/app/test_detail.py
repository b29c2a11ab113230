"""The detail screen, driven by keys on frames of a fleet with a clock of its own."""

from __future__ import annotations

import asyncio
import gc
import re
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual._styles_cache import StylesCache

from collectors.inspection.details import DetailsReader
from collectors.model.details import Column, Details, Fact, Page, Table
from collectors.model.metrics import METRICS, Unit
from collectors.model.workloads import Event, Kind, Workload
from tests.app.test_session_keys import kept
from tests.app.test_session_keys import live as live_frames
from tests.app.test_workload_list import Session, session
from tests.helpers.pilot_wait import rest, until
from tui.controllers.frame_feed import FrameReady
from tui.controllers.history_feed import HistoryFeed
from tui.presenters.pages.metric_groups import Entry, entries_of
from tui.screens.detail import live
from tui.screens.detail.charts import ChartsPage
from tui.screens.detail.live import PAGES
from tui.screens.detail.live import LiveWorkloadScreen as WorkloadScreen
from tui.screens.workloads.live import LiveListScreen
from tui.widgets.row_view import RowView

DETAILS = Details(
    1,
    (
        Table(
            Page.FACTS,
            "Container",
            facts=(Fact("image", "nginx"), Fact("memory", 64 << 20, Unit.BYTES), Fact("x", None)),
        ),
        Table(
            Page.PROCESSES,
            "2 processes",
            (Column("PID"), Column("CPU%", Unit.PERCENT), Column("COMMAND")),
            (("12", 3.25, "sleep 1000"), ("13", None, "x" * 300)),
        ),
    ),
    ("the engine is away; fix: start it",),
)


@pytest.fixture(autouse=True)
def fake_details(monkeypatch: pytest.MonkeyPatch) -> list[Workload]:
    """Answer every look with the same details, and note who was looked at."""
    looked: list[Workload] = []

    def read(_: DetailsReader, workload: Workload) -> Details:
        looked.append(workload)
        return DETAILS

    monkeypatch.setattr(DetailsReader, "read", read)
    return looked


async def look(running: Session, *keys: str) -> WorkloadScreen:
    await running.tick(3)
    await running.press(*keys, "enter")
    await rest(running.pilot)
    screen = running.pilot.app.screen
    assert isinstance(screen, WorkloadScreen)
    await tick(running)
    return screen


async def tick(running: Session, *events: Event, drop: bool = False) -> None:
    """Post a frame to the main screen, which hands it on."""
    frame = running.fleet.frame()
    screen = running.pilot.app.screen
    if drop and isinstance(screen, WorkloadScreen):
        frame.workloads.pop(screen.identity)
    frame = msgspec.structs.replace(frame, events=events)
    overview = next(one for one in running.pilot.app.screen_stack if isinstance(one, LiveListScreen))
    overview.post_message(FrameReady(frame))
    await running.pilot.pause(0.05)


async def test_the_title_names_the_workload_and_the_list_has_every_metric() -> None:
    async with session() as running:
        screen = await look(running, "3", "j")
        target = screen.target()
        assert target is not None
        assert target.name in running.text()
        assert f"{target.name}  container docker" in running.text()
        listed = [entry.metric.key for entry in entries_of(target.kind)]
        rows = [row for row in screen.query_one(RowView)._rows if isinstance(row, Entry)]
        assert [row.metric.key for row in rows] == listed
        assert set(METRICS) - set(listed) == {key for key in METRICS if set(METRICS[key].origins) == {"libvirt"}}


async def test_one_chart_is_drawn_a_tick_and_none_on_other_pages() -> None:
    async with session() as running:
        screen = await look(running, "3", "j")
        before = screen.query_one(ChartsPage).drawn
        await tick(running)
        assert screen.query_one(ChartsPage).drawn == before + 1
        await running.press("2")
        before = screen.query_one(ChartsPage).drawn
        await tick(running)
        await tick(running)
        assert screen.query_one(ChartsPage).drawn == before


async def test_the_metric_under_the_cursor_is_charted_and_explained() -> None:
    async with session() as running:
        await look(running, "3", "j")
        assert METRICS["cpu_percent"].help[:30] in running.text()
        keys = [entry.metric.key for entry in entries_of(Kind.CONTAINER)]
        place = keys.index("memory_host_bytes")
        await running.press(*["j"] * place)
        assert METRICS["memory_host_bytes"].help[:30] in running.text(), "headings are passed over"
        await running.press(*["j"] * (keys.index("memory_swap_bytes") - place))
        assert "Not known:" in running.text()


async def test_facts_have_units_and_what_is_missing_is_a_dash() -> None:
    async with session() as running:
        await look(running, "3", "j")
        await running.press("2")
        await rest(running.pilot)
        shown = running.text()
        assert "the engine is away; fix: start it" in shown
        assert any("memory" in line and "64M" in line for line in shown.splitlines())
        assert any(line.strip().startswith("x") and line.strip().endswith("-") for line in shown.splitlines())


async def test_processes_of_a_remote_engine_are_a_table_that_fits() -> None:
    async with session((80, 24)) as running:
        frame = running.fleet.frame()
        for identity, workload in frame.workloads.items():
            frame.workloads[identity] = msgspec.structs.replace(workload, endpoint="ssh://hv02")
        await running.show(frame)
        await running.press("3", "j", "enter")
        await running.press("4")
        await rest(running.pilot)
        shown = running.text()
        assert "sleep 1000" in shown
        assert "3.2" in shown
        assert max(len(line) for line in shown.splitlines()) <= 80


async def test_tab_goes_through_the_pages_and_back_to_the_first() -> None:
    async with session() as running:
        screen = await look(running, "3", "j")
        pages = []
        for _ in range(len(PAGES) + 1):
            pages.append(screen._page)
            await running.press("tab")
        assert pages == [*PAGES, PAGES[0]]


async def test_events_and_the_start_up_are_told() -> None:
    async with session() as running:
        screen = await look(running, "3", "j")
        now = running.fleet.wall
        identity = screen.identity
        await tick(running, Event(now, identity, "create", "", ""), Event(now + 0.25, identity, "start", "", ""))
        await running.press("5")
        await tick(running)
        shown = running.text()
        assert "counted from: create event" in shown
        assert "running after 0.25 s" in shown
        assert "create" in shown
        assert "2 events" in shown


async def test_a_workload_that_is_gone_says_so_and_keeps_its_last_values() -> None:
    async with session() as running:
        screen = await look(running, "3", "j")
        target = screen.target()
        await tick(running, drop=True)
        assert running.text().splitlines()[0].endswith(" gone")
        assert screen.target() == target
        assert screen.targets() == []


async def test_every_metric_has_the_history_of_the_session_when_the_page_opens(tmp_path: Path) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, recorder):
        frames = await live_frames(running, recorder, 30)
        await running.press("3", "j", "enter")
        await rest(running.pilot)
        screen = running.pilot.app.screen
        assert isinstance(screen, WorkloadScreen)
        page = screen.query_one(ChartsPage)
        await until(running.pilot, lambda: page.feed.history.first_wall == frames[0].wall)
        for key in ("pids", "cpu_user_percent", "memory_charged_bytes", "disk_reads_per_second"):
            means = page.feed.history.columns(key, frames[-1].wall, 1, 20).means
            assert all(mean == mean for mean in means), f"{key} has a value for each second"


async def test_a_page_that_is_left_while_its_past_is_read_takes_nothing_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_for_ever(*_: object) -> None:
        await asyncio.sleep(1000)

    monkeypatch.setattr(HistoryFeed, "read", read_for_ever)
    async with kept(tmp_path, tmp_path / "spool") as (running, recorder):
        await live_frames(running, recorder, 3)
        await running.press("3", "j", "enter")
        await until(running.pilot, lambda: bool(running.pilot.app.screen.query(ChartsPage)))
        await rest(running.pilot)
        await running.press("escape")
        await rest(running.pilot)
        assert running.pilot.app.screen is running.screen
        assert running.pilot.app.is_running


async def test_without_a_session_the_history_begins_when_the_page_opens(tmp_path: Path) -> None:
    async with kept(tmp_path, None) as (running, recorder):
        await live_frames(running, recorder, 3)
        await running.press("3", "j", "enter")
        await live_frames(running, recorder, 3)
        page = running.pilot.app.screen.query_one(ChartsPage)
        await until(running.pilot, lambda: len(known(page, "pids")) == 4)
        assert len(known(page, "memory_host_bytes")) == 6, "what is kept of every workload is there from the start"
        await running.press("plus")
        await until(running.pilot, lambda: page.span == 1)
        assert len(known(page, "pids")) == 4, "a longer span does not drop what there is"


def known(page: ChartsPage, key: str) -> list[float]:
    history = page.feed.history
    return [mean for mean in history.columns(key, history.last_wall, 1, 50).means if mean == mean]


async def test_a_past_that_cannot_be_read_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the past is torn")

    async with kept(tmp_path, tmp_path / "spool") as (running, recorder):
        await live_frames(running, recorder, 4)
        with monkeypatch.context() as broken:
            broken.setattr("tui.controllers.history_feed.HistoryReader.ticks", fail)
            await running.press("3", "j", "enter")
            await until(running.pilot, lambda: "the past is torn" in running.text())
        await running.press("plus")
        await until(running.pilot, lambda: "the past is torn" not in running.text())


async def test_the_span_is_chosen_by_key_and_marked() -> None:
    async with session() as running:
        screen = await look(running, "3", "j")
        page = screen.query_one(ChartsPage)
        assert page.span == 0, "a young session has nothing to fill a longer one"
        for key, span in (("minus", 0), ("plus", 1), ("plus", 2), ("minus", 1), ("plus", 2), ("plus", 3), ("plus", 3)):
            await running.press(key)
            assert page.span == span
        assert running.text().splitlines()[1].split()[-4:] == ["1m", "10m", "1h", "all"]


async def test_pages_and_spans_can_be_clicked() -> None:
    async with session() as running:
        screen = await look(running, "3", "j")
        tabs = running.text().splitlines()[1]
        await running.pilot.click("#tabs", offset=(tabs.index("10m"), 0))
        assert screen.query_one(ChartsPage).span == 1
        await running.pilot.click("#tabs", offset=(tabs.index("Facts"), 0))
        assert screen._page == "facts"
        await running.pilot.click("#tabs", offset=(tabs.index("10m") - 20, 0))
        assert screen._page == "facts", "a click beside them does nothing"


async def test_times_are_those_of_the_wall_clock() -> None:
    async with session((120, 36)) as running:
        await look(running, "3", "j")
        await running.press("minus")
        shown = running.text()
        assert re.search(r"\d\d:\d\d", shown)
        assert shown.count("now") >= 2


async def test_an_overlay_draws_related_metrics_as_lines_with_their_names() -> None:
    async with session() as running:
        await look(running, "3", "j")
        await running.press("o")
        assert "━ CPU%  ━ user  ━ system" in running.text()
        await running.press("o")
        assert "Overlay" not in running.text()


async def test_a_look_that_fails_as_no_one_foresaw_is_told_on_the_page_and_the_next_one_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[Details] = []

    def read(_: DetailsReader, workload: Workload) -> Details:
        if not answers:
            raise KeyError("[/b]State")
        return answers[0]

    monkeypatch.setattr(DetailsReader, "read", read)
    monkeypatch.setattr(live, "READ_EVERY_S", 0.1)
    async with session() as running:
        await look(running, "3", "j")
        await running.press("2")
        await until(running.pilot, lambda: "unexpected error: KeyError: '[/b]State'" in running.text())
        answers.append(DETAILS)
        await until(running.pilot, lambda: "nginx" in running.text())


async def test_looks_are_never_stacked(monkeypatch: pytest.MonkeyPatch) -> None:
    release, calls = threading.Event(), []

    def hang(_: Any, workload: Workload) -> Details:
        calls.append(workload)
        release.wait(10)
        return DETAILS

    monkeypatch.setattr(DetailsReader, "read", hang)
    async with session() as running:
        await look(running, "3", "j")
        await running.press("2")
        await running.pilot.pause(0.5)
        assert "reading ..." in running.text()
        for _ in range(3):
            await running.press("3")
            await running.press("2")
            await tick(running)
        assert len(calls) == 1
        await running.press("escape")  # it is closed while the look is still under way
        release.set()
        await running.pilot.pause(0.2)
        assert isinstance(running.pilot.app.screen, LiveListScreen)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_every_page_fits(size: tuple[int, int]) -> None:
    async with session(size) as running:
        await look(running, "3", "j")
        for page in "12345":
            await running.press(page)
            await running.pilot.pause(0.1)
            lines = running.text().splitlines()
            assert len(lines) <= size[1]
            assert max(len(line) for line in lines) <= size[0]
            assert "Esc back" in lines[-1]


@pytest.mark.slow
async def test_screens_that_were_closed_are_let_go_of() -> None:
    async with session() as running:
        await running.tick(3)

        async def open_and_close(times: int) -> int:
            for _ in range(times):
                await running.press("enter")
                await running.press("escape")
                await running.tick()
            return caches()

        def caches() -> int:
            gc.collect()
            return sum(type(one) is StylesCache for one in gc.get_objects())

        before = await open_and_close(3)
        await open_and_close(12)
        # what is read for screens that were closed just now may still be under way, on a thread
        await until(running.pilot, lambda: caches() <= before + 12)
