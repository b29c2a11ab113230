"""Typing a filter hides nothing before it is finished; Tab completes, Up recalls; going to a name hides nothing."""

from __future__ import annotations

from textual.widgets import Input

from tests.app.test_workload_list import session


async def test_a_field_that_is_being_typed_hides_nothing_and_the_count_is_live() -> None:
    async with session((80, 24)) as running:
        await running.tick(3)
        await running.press("slash", *"kind=container")
        containers = len(running.table.lines)
        assert 0 < containers < 20
        assert f"{containers} of 20" in running.text().splitlines()[-1]
        for letter in (" ", "c", "p", "u", ">"):
            await running.press("greater_than_sign" if letter == ">" else "space" if letter == " " else letter)
            assert len(running.table.lines) == containers, f"after {letter!r}"
        assert "cpu" in running.text().splitlines()[-2], "what is missing stands on a line of its own"
        await running.press(*"999")
        assert len(running.table.lines) == 0
        assert running.text().splitlines()[-1].startswith(" / kind=container cpu>999")


async def test_tab_completes_fields_and_values_and_goes_through_them() -> None:
    async with session((80, 24)) as running:
        await running.tick(3)
        await running.press("slash", *"ki", "tab")
        prompt = running.screen.query_one("#prompt", Input)
        assert prompt.value == "kind="
        offered = []
        for _ in range(3):
            await running.press("tab")
            offered.append(prompt.value)
        assert set(offered) == {"kind=vm", "kind=container", "kind=service"}
        assert "service" in running.text().splitlines()[-2]


async def test_up_brings_back_earlier_filters() -> None:
    async with session((80, 24)) as running:
        await running.tick(3)
        for text in ("kind=vm", "kind=service"):
            await running.press("slash", "ctrl+u", *text, "enter")
        await running.press("escape", "slash", "up", "up")
        assert running.screen.query_one("#prompt", Input).value == "kind=vm"
        await running.press("down", "down")
        assert running.screen.query_one("#prompt", Input).value == ""


async def test_slash_edits_the_filter_that_is_there() -> None:
    async with session((80, 24)) as running:
        await running.tick(3)
        await running.press("slash", *"kind=vm", "enter", "slash", *" cpu>0")
        assert running.screen.query_one("#prompt", Input).value == "kind=vm cpu>0"


async def test_a_name_that_is_typed_moves_the_cursor_and_hides_nothing() -> None:
    async with session((80, 24)) as running:
        await running.tick(3)
        start = running.screen.view.cursor
        names = [line.label for line in running.table.lines]
        wanted = next(name for name in reversed(names) if name != names[0])
        await running.press("apostrophe", *wanted.replace("-", " ").split()[0])
        line = running.screen.view.current()
        assert line is not None
        assert line.label.startswith(wanted.split("-")[0])
        assert len(running.table.lines) == 20
        await running.press("escape")
        assert running.screen.view.cursor == start, "Esc goes back"
