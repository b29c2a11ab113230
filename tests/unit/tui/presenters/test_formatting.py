"""Texts of a fixed width: exactly that width, whatever comes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.model.metrics import Unit
from tui.presenters.formatting import _FORMS, _aligned, _first_fit, duration, fit, text

_K, _M, _G = 1 << 10, 1 << 20, 1 << 30


@given(st.none() | st.floats(), st.sampled_from(Unit), st.integers(3, 20))
def test_text_is_exactly_its_width(value: float | None, unit: Unit, width: int) -> None:
    assert len(text(value, unit, width)) == width


_EDGES = (0.05, 0.95, 9.95, 99.95, 999.0, 999.5, 999.95, 1000.0, 99_999.0, 99_999.5, 100_000.0)
_NUMBERS = st.floats(-1e6, 1e16) | st.integers(0, 2**70) | st.sampled_from(_EDGES)


@given(_NUMBERS, st.sampled_from((1, 1024, 1024**2, 1024**3, 1024**4)), st.sampled_from(Unit), st.integers(1, 12))
def test_the_quick_way_to_a_text_writes_the_first_form_that_fits(
    number: float, scale: int, unit: Unit, width: int
) -> None:
    is_first_form_where_it_fits(number * scale, unit, width)


@pytest.mark.parametrize("number", _EDGES)
@pytest.mark.parametrize("unit", Unit)
def test_where_rounding_begins_it_does_too(number: float, unit: Unit) -> None:
    for scale in (1, _K, _M, _G, _G << 10):
        for width in range(1, 13):
            is_first_form_where_it_fits(number * scale, unit, width)


def is_first_form_where_it_fits(number: float, unit: Unit, width: int) -> None:
    for value in (number, math.nextafter(number, 0), math.nextafter(number, math.inf)):
        assert text(value, unit, width) == _aligned(_first_fit(value, _FORMS[unit], width), width)


@given(st.none() | st.floats(), st.integers(3, 20))
def test_times_are_exactly_their_width(seconds: float | None, width: int) -> None:
    assert len(duration(seconds, width)) == width


@given(st.floats(0, 1e15), st.sampled_from(Unit), st.integers(4, 20))
def test_text_says_no_value_only_when_there_is_none(value: float, unit: Unit, width: int) -> None:
    assert text(value, unit, width).strip() not in ("", "-")


@given(st.floats(0, 1e9), st.sampled_from((Unit.BYTES, Unit.BYTES_PER_SECOND, Unit.PERCENT)), st.integers(5, 20))
def test_text_is_true_to_five_percent(value: float, unit: Unit, width: int) -> None:
    shown = text(value, unit, width).strip()
    base = 1000 if unit is Unit.PERCENT else 1024
    scale = {"k": base, "K": base, "M": base**2, "G": base**3}.get(shown[-1], 1)
    assert float(shown.rstrip("kKMG")) * scale == pytest.approx(value, rel=0.051, abs=0.51)


@given(st.text(), st.integers(0, 40), st.sampled_from(("…", "~")))
def test_fit_is_exactly_its_width(words: str, width: int, ellipsis: str) -> None:
    assert cell_len(fit(words, width, ellipsis)) == width


SHOWN = [
    (None, Unit.BYTES, 5, "    -"),
    (math.nan, Unit.PERCENT, 5, "    -"),
    (math.inf, Unit.PERCENT, 5, "  ***"),
    (0, Unit.BYTES, 4, "   0"),
    (512, Unit.BYTES, 4, " 512"),
    (412 * _K, Unit.BYTES, 4, "412K"),
    (1.2 * _M, Unit.BYTES, 4, "1.2M"),
    (1010 * _M, Unit.BYTES, 4, "1.0G"),
    (62 * _G, Unit.BYTES, 4, " 62G"),
    (412 * _K, Unit.BYTES, 3, ".4M"),
    (412.0, Unit.PERCENT, 5, "412.0"),
    (412.0, Unit.PERCENT, 4, " 412"),
    (9999.0, Unit.PERCENT, 5, " 9999"),
    (12000.0, Unit.PERCENT, 5, "  12k"),
    (-0.01, Unit.PERCENT, 5, "  0.0"),
    (-5.0, Unit.PERCENT, 5, " -5.0"),
    (2.5, Unit.CORES, 4, " 2.5"),
    (4, Unit.CORES, 4, "   4"),
    (0.4, Unit.MILLISECONDS, 5, "0.4ms"),
    (1500, Unit.MILLISECONDS, 5, " 1.5s"),
    (12345, Unit.COUNT, 5, "12345"),
    (12345, Unit.COUNT, 4, " 12k"),
    (0, Unit.SECONDS, 4, "  0s"),
    (41 * 86400 + 3600, Unit.SECONDS, 5, "  41d"),
    (3 * 3600 + 12 * 60, Unit.SECONDS, 5, "3h12m"),
    (3 * 3600 + 12 * 60, Unit.SECONDS, 4, "  3h"),
    (12 * 60 + 5, Unit.SECONDS, 6, "12m05s"),
]


@pytest.mark.parametrize(("value", "unit", "width", "shown"), SHOWN)
def test_text_looks_like_this(value: float | None, unit: Unit, width: int, shown: str) -> None:
    assert text(value, unit, width) == shown


def test_fit_shows_the_cut() -> None:
    assert fit("database", 5) == "data…"
    assert fit("data", 6) == "data  "
    assert fit("日本語の名前", 6) == "日本… "
    assert fit("database", 0) == ""
