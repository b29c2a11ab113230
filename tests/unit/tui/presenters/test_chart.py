"""Full-size charts: their exact size, their gaps, their limits."""

from __future__ import annotations

from math import nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.analysis.history import History
from collectors.analysis.rates import Pair, Reading
from collectors.model.metrics import METRICS, Unit
from collectors.model.workloads import Kind, Sample, Workload, WorkloadId
from tui.presenters.chart import AXIS, LIMIT, Chart, Painted, Series, limit_words, paint
from tui.presenters.detail import chart_of


def text(painted: Painted) -> list[str]:
    return ["".join(words for words, _ in line) for line in painted]


def chart(values: list[float], **more: object) -> Chart:
    return Chart([Series("CPU%", values, "cpu")], Unit.PERCENT, 60.0, **more)  # type: ignore[arg-type]


@given(
    st.integers(0, 220),
    st.integers(0, 60),
    st.lists(st.one_of(st.just(nan), st.floats(0, 1e6)), min_size=1, max_size=240),
    st.one_of(st.none(), st.floats(0.1, 1e6)),
    st.booleans(),
)
@settings(max_examples=60)
def test_a_chart_has_exactly_the_size_that_was_asked_for(
    width: int, height: int, values: list[float], limit: float | None, ascii_only: bool
) -> None:
    lines = text(paint(chart(values, limit=limit), width, height, ascii_only))
    assert len(lines) == height
    assert {len(line) for line in lines} <= {width}
    if ascii_only:
        assert all(line.isascii() for line in lines)


def test_a_gap_stays_blank_and_is_no_zero() -> None:
    values = [50.0] * 40 + [nan] * 40 + [50.0] * 40
    lines = paint(chart(values, top=100.0), 100, 20)
    drawn = {
        column
        for line in lines
        for column, tone in enumerate(tone for words, tone in line for _ in words)
        if tone == "cpu"
    }
    inside = range(9, 99)
    third = len(inside) // 3
    assert not drawn & set(inside[third + 3 : 2 * third - 3])
    assert len(drawn & set(inside[:third])) > third * 0.8


def test_the_limit_is_drawn_in_a_tone_of_its_own() -> None:
    lines = paint(chart([40.0, 50.0, 60.0], limit=80.0), 60, 15)
    assert any(tone == LIMIT and "┈" in words for line in lines for words, tone in line)


def test_a_limit_far_above_is_named_and_does_not_flatten_the_values() -> None:
    one = chart([4.0, 5.0], limit=3200.0)
    assert not any(tone == LIMIT for line in paint(one, 60, 15) for _, tone in line)
    assert "3200" in limit_words(one)
    assert limit_words(chart([40.0], limit=80.0)) == ""


def test_without_values_words_take_their_place() -> None:
    assert any("no values yet" in line for line in text(paint(chart([nan, nan]), 60, 10)))


def test_two_series_have_two_tones() -> None:
    pair = Chart([Series("r", [900.0, 900.0], "cpu"), Series("w", [100.0, 100.0], "warn")], Unit.BYTES_PER_SECOND, 60.0)
    tones = {tone for line in paint(pair, 60, 12) for _, tone in line}
    assert tones == {"cpu", "warn", AXIS}


@pytest.mark.parametrize("count", [1, 2, 240])
def test_a_single_value_is_a_point_and_many_are_a_line(count: int) -> None:
    lines = paint(chart([50.0] * count), 60, 12)
    assert any(tone == "cpu" for line in lines for _, tone in line)


def test_each_metric_has_the_limit_that_holds_for_it() -> None:
    sample = Sample("cgroup", 1, cpu_limit_cores=1.5, memory_limit_bytes=1 << 30, pids=3, pids_limit=10)
    reading = Reading(Workload(WorkloadId("docker", "a"), Kind.CONTAINER, "web"), (Pair(None, sample),))
    limits = {key: chart_of(METRICS[key], reading, History(), 1.0).limit for key in METRICS}
    assert {key: limit for key, limit in limits.items() if limit is not None} == {
        "cpu_percent": 150.0,
        "memory_host_bytes": 1 << 30,
        "memory_charged_bytes": 1 << 30,
        "memory_inside_bytes": 1 << 30,
        "pids": 10,
        "memory_of_limit_percent": 100.0,
        "cpu_of_limit_percent": 100.0,
    }


def test_what_belongs_together_is_one_chart() -> None:
    reading = Reading(Workload(WorkloadId("docker", "a"), Kind.CONTAINER, "web"), ())
    chart = chart_of(METRICS["net_tx_bytes_per_second"], reading, History(), 1.0)
    assert [one.label for one in chart.series] == ["RX/s", "TX/s"]
