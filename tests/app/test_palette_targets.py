"""The palette and the action menu say what they act on: the marked rows, else the row under the cursor."""

from __future__ import annotations

from textual.widgets import OptionList

from tests.app.test_acting import acting
from tests.helpers.fake_engines import FakeEngine


async def test_the_palette_offers_what_the_act_key_would_act_on() -> None:
    async with acting(FakeEngine()) as session:
        await session.press("j")
        cursor = session.screen.target()
        assert cursor is not None
        offered = [command.text for command in session.screen.first_commands()]
        assert offered
        assert all(text.endswith(f" {cursor.name}") for text in offered)
        await session.press("g", "space", "space")
        offered = [command.text for command in session.screen.first_commands()]
        assert "stop 2 marked" in offered
        assert all(text.endswith(" 2 marked") for text in offered)


async def test_the_menu_says_that_the_marked_row_is_not_the_one_under_the_cursor() -> None:
    async with acting(FakeEngine()) as session:
        await session.press("space", "j")
        (marked,), line = session.screen.targets(), session.screen.view.current()
        assert line is not None
        await session.press("x")
        await session.pilot.pause(0.1)
        title = str(session.pilot.app.screen.query_one(OptionList).border_title)
        assert f"marked: {marked.name}; the cursor is on {line.label}" in title
