"""Charts: exact sizes, round ticks with units, the limit's own row, wall-clock times, words for bands and gaps."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import pairwise
from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.model.metrics import Unit
from tui.presenters.charts.chart import Chart, chart_lines, column_words, gap_words, plot_width
from tui.presenters.charts.limits import Limit
from tui.presenters.charts.time_axis import TimeAxis
from tui.presenters.styled_lines import Line, plain_text

NOON = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    os.environ.pop("TZ", None)
    time.tzset()


def chart(means: list[float], **more: object) -> Chart:
    given_values: dict[str, object] = {"highest": (), "column_s": 4.0, "end_wall": NOON, "top": 200.0, **more}
    return Chart("CPU%", Unit.PERCENT, "cpu", means, **given_values)  # type: ignore[arg-type]


def texts(lines: list[Line]) -> list[str]:
    return [plain_text(line) for line in lines]


@given(
    st.integers(0, 120),
    st.integers(0, 40),
    st.lists(st.one_of(st.just(nan), st.floats(0, 1e6)), max_size=240),
    st.one_of(st.none(), st.floats(0.1, 1e6)),
    st.floats(0.5, 1e5),
    st.booleans(),
)
@settings(max_examples=80)
def test_a_chart_has_exactly_the_size_that_was_asked_for(
    width: int, height: int, means: list[float], limit: float | None, column_s: float, is_ascii: bool
) -> None:
    asked = chart(means, limit=None if limit is None else Limit(limit, "limit x"), column_s=column_s)
    lines = texts(chart_lines(asked, width, height, is_ascii))
    assert len(lines) == height
    assert {len(line) for line in lines} <= {width}
    assert not is_ascii or all(line.isascii() for line in lines)


def test_ticks_are_round_and_the_limit_has_a_row_of_its_own_with_its_origin() -> None:
    lines = texts(chart_lines(chart([190.0] * 80, limit=Limit(200.0, "limit 2 cores (host)")), 48, 23))
    assert lines[0].startswith("   200% ┄┄ limit 2 cores (host) ┄┄")
    assert [line[:8].strip() for line in lines if line[:8].strip()] == ["200%", "150%", "100%", "50%", "0%"]


def test_a_limit_above_the_top_is_not_in_the_picture() -> None:
    assert "limit" not in "".join(texts(chart_lines(chart([1.0] * 80, top=10.0, limit=Limit(800.0, "limit")), 48, 20)))


def test_times_are_wall_clock_times_at_round_minutes() -> None:
    times = texts(chart_lines(chart([1.0] * 80), 48, 20))[-1]
    assert times.split() == ["22:08", "22:10", "22:12", "now"]


def test_a_time_stands_at_its_cell() -> None:
    axis = TimeAxis(NOON, 10.0, 40)
    line, cells = axis.labels()
    assert [line[cell : cell + 5] for cell in cells] == ["22:14", "22:16", "22:18"]
    assert axis.cell(NOON + 100) == 10
    assert cells == [4, 16, 28]
    assert line.endswith("now")


@given(st.floats(0, 4e9), st.floats(0.01, 1e6), st.integers(0, 200))
def test_labels_never_overlap_nor_leave_the_axis(start: float, cell_s: float, width: int) -> None:
    line, cells = TimeAxis(start, cell_s, width).labels()
    assert len(line) == width
    assert all(later - earlier >= 6 for earlier, later in pairwise(cells))
    assert all(line[cell - 1 : cell] in ("", " ") and line[cell] != " " for cell in cells)


def test_a_restart_stands_on_the_axis() -> None:
    lines = texts(chart_lines(chart([1.0] * 80, restarts=[NOON - 80]), 48, 10))
    assert lines[-2][8:].index("↻") == 30


def test_the_title_says_what_a_column_is() -> None:
    assert column_words(4, 1.0) == "filled: mean of 4 s · above it: the highest second"
    assert column_words(120, 5.0) == "filled: mean of 2 min · above it: the highest sample"


def test_gaps_are_named_with_their_times() -> None:
    assert gap_words([]) == ""
    assert gap_words([(NOON, NOON + 31)]) == "no data 22:13:20 to 22:13:51"
    assert gap_words([(NOON - 9, NOON - 5), (NOON, None)]) == "no data since 22:13:20 and in one other gap"


def test_the_area_takes_all_but_the_ticks() -> None:
    assert plot_width(48) == 40
