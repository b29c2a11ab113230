"""The area painter: exact sizes, tones, gaps, the band, the limit; and the scale: tops and round ticks."""

from __future__ import annotations

from itertools import pairwise
from math import isnan, nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.model.metrics import Unit
from tui.presenters.area import Area, axis_line, columns, paint_area, row_of
from tui.presenters.scale import steady_top, tick_text, ticks, top_of
from tui.presenters.sparkline import means, spark_line
from tui.presenters.styled_lines import Line, plain_text

_VALUE = st.one_of(st.just(nan), st.floats(0, 1e12))
_VALUES = st.lists(_VALUE, max_size=90)
_SIZE = st.integers(1, 40)


def texts(lines: list[Line]) -> list[str]:
    return [plain_text(line) for line in lines]


def tones(line: Line) -> list[str]:
    """The tone of each cell."""
    return [tone for text, tone in line for _ in text]


def dots_of(cell: str) -> int:
    return (ord(cell) - 0x2800).bit_count() if "\u2800" <= cell <= "\u28ff" else 0


@given(_VALUES, st.floats(0, 1e12), _SIZE, _SIZE, st.booleans(), st.booleans(), st.booleans())
def test_an_area_is_exactly_as_large_as_asked(
    values: list[float], top: float, width: int, height: int, has_limit: bool, has_band: bool, is_ascii: bool
) -> None:
    area = Area(values, top, highest=values if has_band else (), limit=top if has_limit else None, limit_label="limit")
    painted = texts(paint_area(area, width, height, is_ascii))
    assert [len(line) for line in painted] == [width] * height
    assert not is_ascii or all(line.isascii() for line in painted)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=2), st.integers(1, 9))
def test_a_higher_value_has_no_fewer_dots(pair: list[float], height: int) -> None:
    low, high = sorted(pair)
    counts = [
        sum(dots_of(line) for line in texts(paint_area(Area([value, nan], 100.0), 1, height))) for value in (low, high)
    ]
    assert counts[0] <= counts[1]


@given(st.floats(0, 1e9), st.floats(0.1, 1e6), st.integers(1, 12))
def test_a_value_ends_in_the_row_that_row_of_names(value: float, top: float, height: int) -> None:
    painted = texts(paint_area(Area([value, value], top), 1, height))
    assert painted.index(next(line for line in painted if line != " ")) == row_of(value, top, height)


@given(st.floats(100.1, 1e9), st.integers(2, 9))
def test_what_is_above_the_top_fills_the_height_and_never_covers_the_limit(value: float, height: int) -> None:
    first, *rest = paint_area(Area([value] * 8, 100.0, limit=100.0), 4, height)
    assert plain_text(first) == "┄" * 4
    assert texts(rest) == ["⣿" * 4] * (height - 1)


def test_a_zero_is_one_dot_a_gap_is_marked_and_the_time_before_the_start_is_blank() -> None:
    painted = texts(paint_area(Area([nan, nan, 0, 0, nan, nan, 10, 10], 10.0), 4, 2))
    assert painted == ["   ⣿", " ⣀·⣿"]
    assert texts(paint_area(Area([nan, 0, nan, 10], 10.0), 4, 2, ascii_only=True)) == ["   #", " ._#"]


def test_the_topmost_cell_of_each_column_is_the_contour() -> None:
    top, middle, bottom = paint_area(Area([4, 4, 12, 12], 12.0, "mem"), 2, 3)
    assert (tones(top)[1], tones(middle)[1], tones(bottom)[1]) == ("graph-mem", "fill-mem", "fill-mem")
    assert tones(middle)[0] == "graph-mem"


def test_the_band_reaches_from_the_mean_to_the_highest_sample_in_another_tone_and_another_texture() -> None:
    top, middle, bottom = paint_area(Area([3, 3], 11.0, highest=[11, 11]), 1, 3)
    assert (tones(top), tones(middle), tones(bottom)) == (["muted"], ["muted"], ["graph-cpu"])
    assert dots_of(plain_text(top)) == dots_of(plain_text(middle)) == 4
    assert dots_of(plain_text(bottom)) == 8
    assert texts(paint_area(Area([3], 11.0, highest=[11]), 1, 3, ascii_only=True))[:2] == ["'", "'"]


def test_the_limit_is_an_alarm_when_the_newest_value_is_within_five_percent_of_it() -> None:
    near, far = (paint_area(Area([value], 200.0, limit=200.0), 3, 3)[0] for value in (191.0, 100.0))
    assert (tones(near)[0], tones(far)[0]) == ("bad", "muted")


def test_a_limit_below_the_top_is_drawn_where_it_is_with_its_label() -> None:
    painted = texts(paint_area(Area([400] * 40, 400.0, limit=200.0, limit_label="limit 2 cores"), 20, 4))
    assert painted[row_of(200.0, 400.0, 4)] == "┄┄ limit 2 cores ┄┄┄"
    assert painted[0] == "⣿" * 20


def test_a_limit_above_the_top_is_not_drawn() -> None:
    assert "┄" not in "".join(texts(paint_area(Area([1] * 8, 10.0, limit=200.0), 4, 4)))


def test_restarts_stand_on_the_axis() -> None:
    assert plain_text(axis_line(5, [2, 9], [4])) == "──↻─┬"
    assert plain_text(axis_line(5, [2], ascii_only=True)) == "--o--"


def test_braille_has_two_columns_a_cell() -> None:
    assert (columns(10), columns(10, ascii_only=True)) == (20, 10)


@pytest.mark.parametrize(
    ("peak", "unit", "limit", "top"),
    [
        (196.8, Unit.PERCENT, 200.0, 200.0),
        (60.0, Unit.PERCENT, 200.0, 200.0),
        (49.0, Unit.PERCENT, 200.0, 50.0),
        (210.0, Unit.PERCENT, 200.0, 500.0),
        (31.0, Unit.PERCENT, None, 50.0),
        (870 << 20, Unit.BYTES, 1 << 30, 1 << 30),
        (201 << 20, Unit.BYTES, 160 << 20, 256 << 20),
        (0.0, Unit.BYTES_PER_SECOND, None, 1024),
    ],
)
def test_the_top_is_the_limit_when_the_peak_is_above_a_quarter_of_it(
    peak: float, unit: Unit, limit: float | None, top: float
) -> None:
    assert top_of(peak, unit, limit) == top


def test_a_scale_grows_at_once_and_shrinks_only_when_all_in_view_is_below_half() -> None:
    assert steady_top(None, 50.0, 40.0) == 50.0
    assert steady_top(50.0, 100.0, 60.0) == 100.0
    assert steady_top(100.0, 50.0, 50.0) == 100.0
    assert steady_top(100.0, 50.0, 49.9) == 50.0


@pytest.mark.parametrize(
    ("top", "unit", "rows", "labels"),
    [
        (200.0, Unit.PERCENT, 20, ["0%", "50%", "100%", "150%", "200%"]),
        (200.0, Unit.PERCENT, 4, ["0%", "200%"]),
        (1 << 30, Unit.BYTES, 20, ["0", "256M", "512M", "768M", "1G"]),
        (7.8 * (1 << 30), Unit.BYTES, 20, ["0", "2G", "4G", "6G"]),
        (4 << 20, Unit.BYTES_PER_SECOND, 8, ["0", "2M/s", "4M/s"]),
        (120.0, Unit.SECONDS, 20, ["0", "30s", "1m", "1m30s", "2m"]),
        (2.0, Unit.COUNT, 40, ["0", "1", "2"]),
        (500.0, Unit.PER_SECOND, 12, ["0", "200/s", "400/s"]),
    ],
)
def test_ticks_are_round_and_have_units(top: float, unit: Unit, rows: int, labels: list[str]) -> None:
    assert [tick_text(tick, unit) for tick in ticks(top, unit, rows)] == labels


@given(st.floats(1e-3, 1e15), st.sampled_from(Unit), st.integers(1, 60))
def test_ticks_rise_from_zero_to_at_most_the_top_and_their_texts_are_short(top: float, unit: Unit, rows: int) -> None:
    values = ticks(top, unit, rows)
    assert values[0] == 0
    assert values[-1] <= top * (1 + 1e-6)
    assert all(low < high for low, high in pairwise(values))
    assert len(values) <= max(1, rows // 4) + 1
    assert all(len(tick_text(value, unit)) <= 7 and not isnan(value) for value in values)


@given(_VALUES, st.floats(0, 1e12), st.integers(0, 40), st.booleans())
@example([5e-324], 2.2250738585072014e-308, 1, False)
def test_a_sparkline_is_exactly_as_wide_as_asked(values: list[float], top: float, width: int, is_ascii: bool) -> None:
    assert len(plain_text(spark_line(values, top, width, is_ascii))) == width


def test_a_sparkline_has_seven_levels_and_is_bright_near_its_top_and_quiet_when_idle() -> None:
    line = spark_line([nan, 0, 20, 75, 100, 200], 100.0, 7)
    assert plain_text(line) == "  ▁▂▆▇▇"
    assert tones(line)[2:] == ["border", "spark", "graph-cpu", "graph-cpu", "graph-cpu"]


def test_a_cell_of_a_sparkline_is_the_mean_of_its_share() -> None:
    assert means([1, 3, nan, 5], 2) == [2, 5]
    assert isnan(means([nan, nan], 1)[0])
