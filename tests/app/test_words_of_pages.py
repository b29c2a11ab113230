"""What the pages say: which keys are theirs, where other keys work, which metric comes first."""

from __future__ import annotations

import re
from pathlib import Path

from textual.widgets import OptionList

from tests.app.test_detail import look
from tests.app.test_session_keys import kept, live
from tests.app.test_workload_list import session
from tests.helpers.pilot_wait import rest, until
from tui.dialogs.action_menu import ActionMenu, Entry
from tui.presenters.pages.metric_groups import Entry as Metric
from tui.screens.workloads.replay import ReplayScreen
from tui.widgets.row_view import RowView


async def test_the_keys_of_charts_are_in_the_footer_of_their_page_only() -> None:
    async with session((200, 40)) as running:
        await look(running)
        footer = running.text().splitlines()[-1]
        assert "+ - span" in footer
        assert "o overlay" in footer
        assert "Down Up metric" in footer
        for page in "235":
            await running.press(page)
            footer = running.text().splitlines()[-1]
            assert not any(word in footer for word in ("span", "overlay", "metric"))


async def test_the_page_of_a_workload_opens_with_the_metric_of_the_order() -> None:
    async with session() as running:
        screen = await look(running, "M")
        chosen = screen.query_one(RowView).chosen
        assert isinstance(chosen, Metric)
        assert chosen.metric.key == "memory_host_bytes"


async def test_keys_of_the_table_say_on_other_pages_where_they_work() -> None:
    async with session() as running:
        await running.tick(3)
        await running.press("space", "space", "equals_sign", "l")
        assert "l works on the table of workloads: Esc leads there." in running.text()


async def test_a_leap_over_the_start_of_the_session_says_so(tmp_path: Path) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 5)
        await running.press("left_curly_bracket")
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, ReplayScreen))
        await until(running.pilot, lambda: "start of the session" in running.text())


async def test_one_reason_for_every_verb_is_said_once() -> None:
    async with session() as running:
        verbs = [Entry(key, key, key, "systemd does not manage it", False) for key in "abc"]
        await running.pilot.app.push_screen(ActionMenu("service", verbs))
        await running.pilot.pause()
        assert running.text().count("systemd does not manage it") == 1
        assert running.pilot.app.screen.query_one(OptionList).option_count == 4


async def test_a_long_title_keeps_its_distance_from_the_state() -> None:
    async with session((40, 24)) as running:
        await look(running, "3")
        for width in range(36, 44):
            await running.pilot.resize_terminal(width, 24)
            await rest(running.pilot)
            title = running.text().splitlines()[0]
            assert "…" in title
            assert not re.search(r"…\S", title), title
