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


async def test_a_notice_stands_in_the_footer_and_covers_nothing_else() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        before = running.text().splitlines()[:-1]
        running.pilot.app.notify("kept in a file", markup=False)
        await running.pilot.pause(0.2)
        assert running.text().splitlines()[-1].startswith(" kept in a file")
        assert running.text().splitlines()[-1].endswith("? help  q quit")
        assert running.text().splitlines()[:-1] == before


async def test_a_long_error_takes_two_lines_and_the_action_log_has_all_of_it() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        words = " ".join(f"word{number}" for number in range(60))
        running.pilot.app.notify(words, severity="error", markup=False)
        await running.pilot.pause(0.2)
        *_, first, last = running.text().splitlines()
        assert first.startswith(" word0 word1")
        assert last.endswith("…  ? help  q quit")
        assert "word59" not in running.text()
        await running.press("A")
        assert "word59" in running.text()


async def test_left_and_right_change_the_column_that_orders() -> None:
    async with session((120, 36)) as running:
        await running.tick(2)
        before = running.screen.view.sort
        await running.press("right")
        assert running.screen.view.sort != before
        await running.press("left")
        assert running.screen.view.sort == before


@pytest.mark.parametrize("keys", [("U",), ("asterisk",), ("space",), ("2",), ("slash", *"web")])
async def test_a_notice_about_marks_goes_with_the_next_key_that_changes_marks_or_filter(keys: tuple[str, ...]) -> None:
    async with session((120, 24)) as running:
        await running.tick(2)
        await running.press("space", "equals_sign")
        assert "workloads to compare; 1 marked." in running.text()
        await running.press(*keys)
        assert "workloads to compare" not in running.text()
