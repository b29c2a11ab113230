"""The first runs show the keys of a newcomer, until Esc hides them for good; clicks and empty tables lead on."""

from __future__ import annotations

import pytest

from tests.app.test_workload_list import Session, screen_text, session
from tests.helpers.demo_fleet import Fleet, QuietSampler
from tui.app.live import VmtopApp
from tui.screens.detail.base import WorkloadScreen
from tui.settings.screen_options import ScreenOptions


class Memory:
    """Remembers hints as a run's memory does."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.hidden: list[str] = []

    def hint(self, name: str) -> bool:
        self.shown.append(name)
        return name not in self.hidden and self.shown.count(name) <= 3

    def hide(self, name: str) -> None:
        self.hidden.append(name)


async def run_with(memory: Memory, width: int, *keys: str) -> str:
    app = VmtopApp(QuietSampler([]), ScreenOptions())
    app.__dict__["memory"] = memory
    async with app.run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        app.__dict__["memory"] = memory
        running = Session(pilot, Fleet(12))
        await running.tick(2)
        await running.press(*keys)
        return screen_text(app)


@pytest.mark.parametrize("width", [40, 80, 120])
async def test_the_welcome_is_whole_at_every_width_and_goes_with_escape(width: int) -> None:
    line = (await run_with(Memory(), width)).splitlines()[2]
    assert line.startswith(" Welcome.  j k move")
    assert line.endswith("Esc hides this")
    memory = Memory()
    assert "Welcome" not in await run_with(memory, width, "escape")
    assert memory.hidden
    assert "Welcome" not in await run_with(memory, width), "for good"


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
