"""The footer on real screens: clickable, and never without help."""

from __future__ import annotations

import pytest

from tests.app.test_workload_list import session
from tui.screens.help import HelpScreen


@pytest.mark.parametrize("width", [40, 80, 120])
async def test_a_word_of_the_footer_can_be_clicked(width: int) -> None:
    async with session((width, 24)) as running:
        await running.tick(2)
        last = running.text().splitlines()[-1]
        assert "? help  q quit" in last
        await running.pilot.click(offset=(last.index("help") + 2, 23))
        await running.pilot.pause()
        await running.pilot.pause()
        assert isinstance(running.pilot.app.screen, HelpScreen)


async def test_help_is_searched_by_typing_and_esc_clears_before_it_closes() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        await running.press("question_mark")
        assert "Most used" in running.text()
        await running.press(*"pressure")
        assert "Most used" not in running.text()
        assert "PSI" in running.text() or "pressure" in running.text()
        await running.press("escape")
        assert "Most used" in running.text()
        await running.press("escape")
        assert "NAME" in running.text()


async def test_help_opens_in_two_columns_where_there_is_room() -> None:
    async with session((120, 36)) as running:
        await running.tick(2)
        await running.press("question_mark")
        first = next(line for line in running.text().splitlines() if line.startswith(" / f F4"))
        assert len(first) > 70, "a second column stands beside the first"
