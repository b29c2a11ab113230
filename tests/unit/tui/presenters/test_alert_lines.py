"""The list of alerts, the count in the header, and the line on a workload's page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.alerts.alert import Alert, Subject
from collectors.alerts.condition import parse_condition
from collectors.alerts.rule import Level, Rule
from collectors.alerts.told import Told, beginning, told
from collectors.model.workloads import WorkloadId
from tests.helpers.hostile_text import TEXTS
from tui.presenters.pages.alert_lines import (
    AlertRow,
    active_line,
    alert_lines,
    count_run,
    detail_lines,
    row_of,
)
from tui.presenters.styled_lines import Line, plain_text

WALL = 1_700_000_000.0
ID = WorkloadId("docker", "web")


def row(level: Level = Level.WARNING, began: float = 10.0, ended: float | None = None, **fields: Any) -> AlertRow:
    made = AlertRow("busy", level, "web", "too much is asked of it", WALL + began)
    return made._replace(ended_wall=None if ended is None else WALL + ended, **fields)


def texts(rows: list[AlertRow], width: int = 100, ascii_only: bool = False) -> list[str]:
    return [plain_text(line).rstrip() for line in alert_lines(rows, WALL + 100, width, ascii_only)[0]]


def test_the_gravest_are_first_then_the_newest_and_what_is_over_is_last_by_its_end() -> None:
    rows = [
        row(ended=20, rule="old"),
        row(ended=40, rule="newer"),
        row(began=1, rule="minor"),
        row(began=50, rule="later"),
        row(Level.CRITICAL, began=5, rule="grave"),
    ]
    _, keys = alert_lines(rows, WALL + 100, 100, False)
    assert [rows[key].rule if key is not None else "" for key in keys] == [
        *("", "grave", "later", "minor", "", ""),
        *("newer", "old"),
    ]
    shown = texts(rows)
    assert (shown[0], shown[5]) == (" Active: 3", " Over: 2")


@pytest.mark.parametrize("ascii_only", [False, True])
def test_levels_have_signs_of_their_own_where_there_are_no_colours(ascii_only: bool) -> None:
    lines = texts([row(level) for level in Level], ascii_only=ascii_only)[1:4]
    assert len({line[1] for line in lines}) == len(Level)
    assert not ascii_only or all(line.isascii() for line in lines)


def test_a_line_says_how_long_it_has_lasted_and_why_it_is_over() -> None:
    lines = texts([row(began=40), row(began=10, ended=35, end="it is gone"), row(began=10, ended=12, end="over")])
    assert " 1m00s " in lines[1] or " 1m " in lines[1] or "60s" in lines[1]
    assert lines[4].endswith("too much is asked of it; it is gone")
    assert lines[5].endswith("too much is asked of it")


def test_one_that_was_seen_says_so_and_has_no_colour_of_its_own() -> None:
    (_, line), _ = alert_lines([row(is_acknowledged=True)], WALL, 100, False)[0][:2], None
    assert plain_text(line).rstrip().endswith("; seen")
    assert {tone for _, tone in line} == {"muted", "text"}


@pytest.mark.parametrize("ascii_only", [False, True])
def test_only_so_many_that_are_over_are_listed_and_all_are_counted(ascii_only: bool) -> None:
    shown = texts([row(ended=float(number + 11)) for number in range(500)], ascii_only=ascii_only)
    assert " Over: 500" in shown
    assert len(shown) < 210


_ROWS = st.builds(
    AlertRow,
    st.sampled_from([*TEXTS.values(), "busy"]).map(lambda text: text.encode("ascii", "replace").decode()[:30]),
    st.sampled_from(Level),
    st.sampled_from(("web", "a" * 80, "日本語" * 20)),
    st.sampled_from(("", "it is full (limit 97%)", "x" * 300)),
    st.floats(0, 2e9),
    st.none() | st.floats(0, 2e9),
    st.sampled_from(("", "over", "it is gone")),
    st.booleans(),
)


@given(st.lists(_ROWS, max_size=6), st.integers(1, 200), st.floats(0, 2e9))
def test_every_line_has_a_row_or_is_a_heading_and_the_fixed_part_never_grows(
    rows: list[AlertRow], width: int, wall: float
) -> None:
    lines, keys = alert_lines(rows, wall, width, False)
    assert len(lines) == len(keys)
    assert sorted(key for key in keys if key is not None) == list(range(len(rows)))
    fixed = max(width, 60)
    assert all(cell_len(plain_text(line)) <= fixed for line in lines)


def test_the_details_say_what_the_list_may_have_cut() -> None:
    first, second = detail_lines(row(ended=20, end="it is gone"))
    assert plain_text(first) == " web: too much is asked of it"
    assert "warning by the rule 'busy'" in plain_text(second)
    assert plain_text(second).endswith(": it is gone")


def test_the_count_is_of_what_is_active_and_not_seen_with_the_sign_of_the_gravest() -> None:
    assert count_run([row(ended=11), row(is_acknowledged=True)], False) is None
    assert count_run([row(), row(ended=11)], False) == ("! 1 alert", "warn")
    assert count_run([row(), row(Level.CRITICAL), row(Level.INFO)], False) == ("▲ 3 alerts", "bad")
    assert count_run([row(Level.CRITICAL)], True) == ("^ 1 alert", "bad")


def test_a_row_is_the_same_from_a_watch_and_from_the_events_of_a_session() -> None:
    rule = Rule("busy", parse_condition("cpu > 1"), None, Level.CRITICAL, "too much")
    alert = Alert(rule, Subject(ID._replace(host="hv01")), "web", WALL, "cpu 99%")
    assert row_of(alert) == row_of(*told([beginning(alert)]))
    assert row_of(alert).name == "hv01/web"


def active(*alerts: Told, width: int = 120) -> Line | None:
    return active_line(alerts, WALL + 100, width, False)


def test_the_line_of_a_page_has_the_gravest_first_and_is_absent_without_one() -> None:
    minor = Told("minor", Level.INFO, ID, "web", "a trifle", WALL + 10)
    grave = Told("grave", Level.CRITICAL, ID, "web", "it is full", WALL)
    assert active() is None
    assert active(grave._replace(ended_wall=WALL + 1)) is None
    line = active(minor, grave)
    assert line is not None
    assert plain_text(line).startswith(" ▲ grave: it is full for 1m40s  · minor: a trifle for 1m30s")
    for width in (1, 10, 40, 200):
        cut = active(minor, grave, width=width)
        assert cut is not None
        assert cell_len(plain_text(cut)) == width
