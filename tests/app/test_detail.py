"""The detail screen, driven by keys on frames of a fleet with a clock of its own."""

from __future__ import annotations

import gc
import threading
from typing import Any

import msgspec
import pytest
from textual._styles_cache import StylesCache

from collectors.inspection.details import DetailsReader
from collectors.model.details import Column, Details, Fact, Page, Table
from collectors.model.metrics import METRICS, Unit
from collectors.model.workloads import Event, Workload
from tests.app.test_workload_list import Session, session
from tests.helpers.pilot_wait import rest, until
from tui.controllers.frame_feed import FrameReady
from tui.screens.detail import live
from tui.screens.detail.live import PAGES
from tui.screens.detail.live import LiveWorkloadScreen as WorkloadScreen
from tui.screens.workloads.live import LiveListScreen
from tui.widgets.line_view import LineView

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
        assert "container by docker" in running.text()
        assert len(screen.query_one("#metrics", LineView).lines) == len(METRICS)


async def test_one_chart_is_drawn_a_tick_and_none_on_other_pages() -> None:
    async with session() as running:
        screen = await look(running, "3", "j")
        before = screen.drawn
        await tick(running)
        assert screen.drawn == before + 1
        await running.press("2")
        before = screen.drawn
        await tick(running)
        await tick(running)
        assert screen.drawn == before


async def test_the_metric_under_the_cursor_is_charted_and_explained() -> None:
    async with session() as running:
        await look(running, "3", "j")
        assert METRICS["cpu_percent"].help[:30] in running.text()
        await running.press("j", "j")
        assert METRICS["memory_host_bytes"].help[:30] in running.text()
        place = list(METRICS).index("memory_swap_bytes")
        await running.press(*["j"] * (place - 2))
        assert "unknown:" in running.text()


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
        assert "GONE" in running.text()
        assert screen.target() == target
        assert screen.targets() == []


async def test_escape_closes_and_the_history_follows_no_more() -> None:
    async with session() as running:
        screen = await look(running, "3", "j")
        history, identity = screen._history, screen.identity
        assert history.recent(identity, "pids", 1)[0] == history.recent(identity, "pids", 1)[0]
        await running.press("escape")
        await running.pilot.pause(0.1)
        assert isinstance(running.pilot.app.screen, LiveListScreen)
        assert history.recent(identity, "pids", 1)[0] != history.recent(identity, "pids", 1)[0]  # NaN: kept no more


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
            gc.collect()
            return sum(type(one) is StylesCache for one in gc.get_objects())

        before = await open_and_close(3)
        assert await open_and_close(12) <= before + 12, (
            "what one screen has, that was closed just now, may still be there"
        )
