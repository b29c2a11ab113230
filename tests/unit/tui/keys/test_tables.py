"""Tables of keys: no key does two things on a screen, and every row has something to start."""

from __future__ import annotations

from typing import Any

import pytest

from tui.app.live import VmtopApp
from tui.keys.everywhere import actions
from tui.keys.host import PANEL
from tui.keys.key import Key, key_names, with_user_keys
from tui.keys.tables import (
    CLASSES,
    COMPARE,
    DETAIL,
    DETAIL_PROCESSES,
    FLEET,
    FLEET_PAST,
    HELP_PAGE,
    HOST,
    INSPECT,
    LIVE,
    LOGS,
    PAST,
    PAST_DETAIL,
    PAST_HOST,
    PROCESSES,
    REPLAY,
    TABLES,
    TITLES,
    clashes,
)
from tui.presenters.footer import PINNED_FROM
from tui.screens.compare import CompareScreen
from tui.screens.detail.live import LiveWorkloadScreen
from tui.screens.detail.replay import ReplayWorkloadScreen
from tui.screens.help import HelpScreen
from tui.screens.host import HostScreen, PastHostScreen
from tui.screens.inspect import InspectScreen
from tui.screens.logs.screen import LogScreen
from tui.screens.processes import ProcessesScreen
from tui.screens.workload_classes import ClassesScreen
from tui.screens.workloads.live import LiveListScreen
from tui.screens.workloads.past import PastScreen
from tui.screens.workloads.replay import ReplayScreen
from tui.widgets.line_view import LineView
from tui.widgets.process_view import ProcessPanel

SCREENS: dict[str, type[Any]] = {
    LIVE: LiveListScreen,
    PAST: PastScreen,
    REPLAY: ReplayScreen,
    DETAIL: LiveWorkloadScreen,
    PAST_DETAIL: ReplayWorkloadScreen,
    LOGS: LogScreen,
    INSPECT: InspectScreen,
    COMPARE: CompareScreen,
    CLASSES: ClassesScreen,
    HOST: HostScreen,
    PAST_HOST: PastHostScreen,
    PROCESSES: ProcessesScreen,
    DETAIL_PROCESSES: LiveWorkloadScreen,
    HELP_PAGE: HelpScreen,
}


@pytest.mark.parametrize("screen", TABLES)
def test_a_key_of_a_screen_does_one_thing(screen: str) -> None:
    assert clashes(TABLES[screen]) == []
    names = [row.name for row in TABLES[screen]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("screen", SCREENS)
def test_every_row_starts_something_that_exists(screen: str) -> None:
    for row in TABLES[screen]:
        action = row.action.partition("(")[0].removeprefix("app.")
        owners = (SCREENS[screen], VmtopApp, LineView)
        assert any(hasattr(owner, f"action_{action}") for owner in owners), row.name


@pytest.mark.parametrize("row", PANEL, ids=lambda row: row.name)
def test_every_row_of_the_table_of_processes_starts_something_that_exists(row: Key) -> None:
    assert hasattr(ProcessPanel, f"action_{row.action.split(chr(39))[1]}")


@pytest.mark.parametrize("screen", TABLES)
def test_every_screen_has_help_and_a_way_out_that_its_footer_never_loses(screen: str) -> None:
    pinned = [row for row in TABLES[screen] if row.rank >= PINNED_FROM and row.word]
    assert [row.name for row in pinned if row.name == "help"] or screen == HELP_PAGE
    assert [row for row in pinned if row.name != "help"]
    assert TITLES[screen]


def test_the_names_that_users_write_are_listed_with_their_screens() -> None:
    assert actions()["help"] == tuple(screen for screen in TABLES if screen != HELP_PAGE)
    assert actions()["filter"] == (LIVE, PAST, REPLAY, PROCESSES, DETAIL_PROCESSES, FLEET, FLEET_PAST)


def test_a_users_key_takes_the_place_of_ours_and_a_clash_is_found() -> None:
    rows = with_user_keys(TABLES[LIVE], {"look": "f12", "act": "slash"})
    assert key_names(next(row.keys for row in rows if row.name == "look")) == "F12"
    assert [(key, one.name, other.name) for key, one, other in clashes(rows)] == [("slash", "filter", "act")]


def test_live_and_past_share_the_meaning_of_a_key_unless_time_needs_it() -> None:
    of = {screen: {key: row.name for row in TABLES[screen] for key in row.keys.split(",")} for screen in (LIVE, PAST)}
    different = {key for key in of[LIVE].keys() & of[PAST].keys() if of[LIVE][key] != of[PAST][key]}
    assert different == {"space", "left", "right", "home", "end", "plus", "minus", "T"}
