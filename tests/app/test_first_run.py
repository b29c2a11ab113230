"""The first runs show the keys of a newcomer, until Esc hides them for good; clicks and empty tables lead on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.test_workload_list import Session, screen_text, session
from tests.helpers.demo_fleet import Fleet, QuietSampler
from tui.app.live import VmtopApp
from tui.configuration.screen_state import ScreenState
from tui.controllers.screen_memory import ScreenMemory
from tui.screens.detail.base import WorkloadScreen
from tui.settings.screen_options import ScreenOptions


async def run_with(memory: ScreenMemory, width: int, *keys: str) -> str:
    app = VmtopApp(QuietSampler([]), ScreenOptions(), memory=memory)
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        running = Session(pilot, Fleet(12))
        await running.tick(2)
        await running.press(*keys)
        return screen_text(app)


@pytest.mark.parametrize("width", [40, 80, 120])
async def test_the_welcome_is_whole_at_every_width_and_goes_with_escape(width: int, tmp_path: Path) -> None:
    memory = ScreenMemory(ScreenState(), tmp_path / "screen.toml")
    line = (await run_with(memory, width)).splitlines()[2]
    assert line.startswith(" Welcome.  j k move")
    assert line.endswith("Esc hides")
    assert "Welcome" not in await run_with(memory, width, "escape")
    assert "Welcome" not in await run_with(memory, width), "for good"


async def test_the_welcome_is_shown_three_times(tmp_path: Path) -> None:
    memory = ScreenMemory(ScreenState(), tmp_path / "screen.toml")
    shown = ["Welcome" in await run_with(memory, 80) for _ in range(4)]
    assert shown == [True, True, True, False]


async def test_a_line_that_is_clicked_twice_opens() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        await running.pilot.click("WorkloadTable", offset=(6, 4), times=2)
        await running.pilot.pause()
        await running.pilot.pause()
        assert isinstance(running.pilot.app.screen, WorkloadScreen)


@pytest.mark.parametrize("key", ["enter", "l", "e", "i", "x", "y"])
async def test_on_an_empty_table_every_key_says_what_to_do(key: str) -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        await running.press("slash", *"zzzz", "enter", key)
        assert "Esc clears it" in running.text().splitlines()[-1]
        assert "? help  q quit" in running.text().splitlines()[-1]


async def test_the_footer_follows_what_is_on_the_screen() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        assert "t flat list" not in running.text().splitlines()[-1]
        await running.press("t")
        assert "t flat list" in running.text().splitlines()[-1]
        await running.press("slash", *"zzzz", "enter")
        assert "Esc clear filter" in running.text().splitlines()[-1]
