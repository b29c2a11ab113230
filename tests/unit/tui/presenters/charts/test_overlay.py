"""Lines over each other, drawn by plotext: their exact size, their gaps, their tones."""

from __future__ import annotations

from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.model.metrics import Unit
from tui.presenters.area import MUTED
from tui.presenters.charts.overlay import TONES, Overlay, Series, paint_overlay
from tui.presenters.styled_lines import Line, plain_text

_TIMES = ("13:53", "13:58", "now")


def text(painted: list[Line]) -> list[str]:
    return [plain_text(line) for line in painted]


def overlay(*values: list[float]) -> Overlay:
    series = [Series("one", line, tone) for line, tone in zip(values, TONES, strict=False)]
    return Overlay(series, Unit.PERCENT, _TIMES)


@given(
    st.integers(0, 220),
    st.integers(0, 60),
    st.lists(st.one_of(st.just(nan), st.floats(0, 1e6)), min_size=1, max_size=240),
    st.booleans(),
)
@settings(max_examples=60)
def test_it_has_exactly_the_size_that_was_asked_for(
    width: int, height: int, values: list[float], ascii_only: bool
) -> None:
    lines = text(paint_overlay(overlay(values), width, height, ascii_only))
    assert len(lines) == height
    assert {len(line) for line in lines} <= {width}
    if ascii_only:
        assert all(line.isascii() for line in lines)


def test_a_gap_stays_blank_and_is_no_zero() -> None:
    values = [50.0] * 40 + [nan] * 40 + [50.0] * 40
    lines = paint_overlay(overlay(values), 100, 20)
    drawn = {
        column
        for line in lines
        for column, tone in enumerate(tone for words, tone in line for _ in words)
        if tone == "text"
    }
    inside = range(9, 99)
    third = len(inside) // 3
    assert not drawn & set(inside[third + 3 : 2 * third - 3])
    assert len(drawn & set(inside[:third])) > third * 0.8


def test_ticks_have_units_and_times_are_those_that_were_given() -> None:
    lines = text(paint_overlay(overlay([40.0, 50.0, 60.0]), 60, 15))
    assert "100%" in "".join(lines)
    assert all(time in lines[-1] for time in _TIMES)


def test_without_values_words_take_their_place() -> None:
    assert any("no values yet" in line for line in text(paint_overlay(overlay([nan, nan]), 60, 10)))


def test_each_series_has_a_tone_of_its_own() -> None:
    lines = paint_overlay(overlay([900.0, 900.0], [500.0, 500.0], [100.0, 100.0]), 60, 12)
    assert {tone for line in lines for _, tone in line} == {*TONES, MUTED}


@pytest.mark.parametrize("count", [1, 2, 240])
def test_a_single_value_is_a_point_and_many_are_a_line(count: int) -> None:
    lines = paint_overlay(overlay([50.0] * count), 60, 12)
    assert any(tone == "text" for line in lines for _, tone in line)
