"""The page of the host, through Textual's pilot: live on this host, in the demo, and in the past."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.test_replay import replaying
from tests.app.test_workload_list import session
from tests.helpers.demo_fleet import Fleet
from tests.helpers.pilot_wait import told_of, until
from tests.unit.collectors.session.test_session_file import write
from tui.screens.host import HostScreen, PastHostScreen
from tui.screens.processes import ProcessesScreen
from tui.widgets.line_view import LineView


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 60)])
async def test_key_5_opens_the_host_and_escape_leaves_it(size: tuple[int, int]) -> None:
    async with session(size) as running:
        await running.tick(3)
        await running.press("5")
        screen = running.pilot.app.screen
        assert isinstance(screen, HostScreen)
        await until(running.pilot, lambda: "Cores" in running.text())
        assert "CPU" in running.text()
        assert all(len(line) <= size[0] for line in running.text().splitlines())
        await running.press("escape")
        assert running.pilot.app.screen is running.screen


async def test_numbers_and_tab_go_to_the_parts() -> None:
    async with session((80, 24)) as running:
        await running.tick(3)
        await running.press("5")
        await until(running.pilot, lambda: "Cores" in running.text())
        screen = running.pilot.app.screen
        assert isinstance(screen, HostScreen)
        await running.press("4")
        top = screen.query_one(LineView).top
        assert top == screen._starts[3]
        await running.press("tab")
        assert screen.query_one(LineView).top >= top


async def test_the_page_follows_every_frame_and_opens_processes_and_sources() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("5")
        before = running.text()
        await running.tick(5)
        assert running.text() != before
        await running.press("exclamation_mark")
        assert "Sources" in running.text()
        await running.press("escape", "p")
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, ProcessesScreen))


async def test_nothing_is_read_before_the_page_is_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[object] = []
    monkeypatch.setattr("tui.screens.host.MachineReader", lambda: made.append(1) or _Broken())  # type: ignore[func-returns-value]
    async with session() as running:
        await running.tick(3)
        assert made == []
        await running.press("5")
        await until(running.pilot, lambda: "no such luck" in running.text())
        assert made == [1]
        assert "Memory" in running.text(), "what the frames hold is shown all the same"


class _Broken:
    def read(self) -> None:
        raise RuntimeError("no such luck")


async def test_a_replay_shows_the_totals_of_its_moment_and_says_what_it_lacks(tmp_path: Path) -> None:
    fleet = Fleet(20)
    path = write(tmp_path / "a.vmtop.gz", [fleet.frame() for _ in range(20)])
    async with replaying(path) as replayed:
        await replayed.press("5")
        screen = replayed.pilot.app.screen
        assert isinstance(screen, PastHostScreen)
        assert "A recording holds the totals of the host" in replayed.text()
        assert "REPLAY" in replayed.text()
        first = replayed.text()
        await replayed.press("right", "right", "right")
        assert replayed.text() != first
        await replayed.press("p")
        await told_of(replayed, "A recording holds no processes")
        await replayed.press("escape", "j", "enter", "4")
        assert "A recording holds no processes" in replayed.text()
