"""The line of numbers under a chart of the detail page."""

from __future__ import annotations

from math import nan

from collectors.comparison import window_statistics
from collectors.model.metrics import Unit
from tui.presenters.chart import Chart, Series
from tui.presenters.detail import statistics


def _line(values: list[float]) -> str:
    return statistics(Chart([Series("PIDS", values, "cpu")], Unit.COUNT, 60.0))


def test_the_detail_page_and_a_comparison_agree_on_the_95th_percentile() -> None:
    values = [float(number) for number in range(1, 21)]
    compared = window_statistics.statistics(values)
    assert compared is not None
    assert compared.p95 == 19.0
    assert "p95 19 " in _line(values)
    assert _line(values).endswith("max 20")


def test_gaps_are_left_out_of_the_numbers_and_a_gap_now_is_not_zero() -> None:
    assert _line([2.0, nan, 4.0, nan]) == "PIDS: now -  mean 3  p95 4  max 4"


def test_a_series_without_values_has_no_numbers() -> None:
    assert _line([nan, nan]) == ""
