"""Budgets: chance does not fail a build, and what is really more does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.comparison.bootstrap import interval, student_t
from collectors.comparison.budget import Judgement, judge
from collectors.comparison.budget_conditions import parse_condition
from collectors.comparison.window_statistics import Past
from collectors.model.metrics import METRICS
from tests.helpers.strategies import workload

MIB = 1 << 20
PAIRS = 50


def past(values: Sequence[float | None], key: str = "memory_host_bytes", step_s: float = 1.0) -> Past:
    walls = [1_700_000_000.0 + place * step_s for place in range(len(values))]
    columns: dict[str, list[float | None]] = {metric: [None] * len(values) for metric in METRICS}
    return Past(workload(), walls, {**columns, key: list(values)})


def noisy(seed: int, level: float = 100.0 * MIB, noise: float = 0.05, count: int = 120) -> list[float | None]:
    """Make readings that scatter around a level by a share of it."""
    random = Random(seed)  # noqa: S311  # to be repeated
    return [level * (1 + random.gauss(0, noise)) for _ in range(count)]


def wandering(seed: int, level: float = 100.0 * MIB, count: int = 300) -> list[float | None]:
    """Make readings that wander slowly around a level, as caches and heaps do: neighbours resemble each other."""
    random = Random(seed)  # noqa: S311  # to be repeated
    offset, values = 0.0, list[float | None]()
    for _ in range(count):
        offset = 0.95 * offset + random.gauss(0, 0.02)
        values.append(level * (1 + offset))
    return values


def verdict(text: str, first: Sequence[float | None], second: Sequence[float | None]) -> bool | None:
    return judge(parse_condition(text), past(first), past(second)).is_over


# --- chance and change -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stat", ["mean", "p95", "max"])
def test_equal_processes_with_noise_never_exceed_ten_percent(stat: str) -> None:
    verdicts = [verdict(f"mem.{stat} > +10%", noisy(2 * pair), noisy(2 * pair + 1)) for pair in range(PAIRS)]
    assert verdicts == [False] * PAIRS


@pytest.mark.parametrize("stat", ["mean", "p95", "max"])
def test_twenty_percent_more_memory_always_exceeds_ten_percent(stat: str) -> None:
    more = 120.0 * MIB
    verdicts = [
        verdict(f"mem.{stat} > +10%", noisy(2 * pair, noise=0.02), noisy(2 * pair + 1, more, 0.02))
        for pair in range(PAIRS)
    ]
    assert verdicts == [True] * PAIRS


def test_without_any_allowance_chance_fails_about_one_build_in_two_hundred_at_most() -> None:
    pairs = 200
    over = sum(verdict("mem > +0%", noisy(2 * pair), noisy(2 * pair + 1)) is True for pair in range(pairs))
    assert over <= 5, "half a percent of them is one; five or more by chance are one run in three hundred"


def test_what_wanders_slowly_does_not_fail_by_itself() -> None:
    over = sum(verdict("mem > +10%", wandering(2 * pair), wandering(2 * pair + 1)) is True for pair in range(PAIRS))
    assert over == 0


def test_neighbours_that_resemble_each_other_are_put_together_into_longer_windows() -> None:
    wanders = judge(parse_condition("mem > +10%"), past(wandering(1)), past(wandering(2)))
    scatters = judge(parse_condition("mem > +10%"), past(noisy(1, count=300)), past(noisy(2, count=300)))
    assert min(wanders.windows) < 20
    assert scatters.windows == (20, 20)


def test_a_leak_is_more_although_it_was_equal_at_first() -> None:
    leaking = [value * (1 + 0.4 * place / 300) for place, value in enumerate(noisy(2, count=300)) if value is not None]
    assert verdict("mem > +10%", noisy(1, count=300), leaking) is True


def test_less_is_never_over() -> None:
    assert verdict("mem > +0%", noisy(1), noisy(2, 50.0 * MIB)) is False


def test_the_same_recordings_have_the_same_interval_and_others_another_one() -> None:
    condition = parse_condition("mem > +10%")
    once, again = (judge(condition, past(noisy(1)), past(noisy(2))) for _ in range(2))
    assert once == again
    assert once.change != judge(condition, past(noisy(1)), past(noisy(3))).change


@given(
    st.lists(st.floats(1, 1e12), min_size=25, max_size=60),
    st.lists(st.floats(1, 1e12), min_size=25, max_size=60),
)
@settings(max_examples=25)
def test_who_is_over_an_allowance_is_over_every_smaller_one(first: list[float], second: list[float]) -> None:
    verdicts = [verdict(f"mem > +{share}%", first, second) for share in (50, 10, 0)]
    assert None not in verdicts
    assert verdicts == sorted(verdicts, key=bool)


@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=20), st.lists(st.floats(0, 1e9), min_size=2, max_size=20))
@settings(max_examples=25)
def test_an_interval_is_between_the_extremes_and_around_the_difference(first: list[float], second: list[float]) -> None:
    low, high = interval(first, second, lambda before, after: after - before)
    slack = 1e-6 * max(*first, *second, 1.0)
    assert min(second) - max(first) - slack <= low <= fmean(second) - fmean(first) + slack
    assert fmean(second) - fmean(first) - slack <= high <= max(second) - min(first) + slack


@pytest.mark.parametrize(("freedom", "quantile"), [(4, 4.604), (9, 3.250), (19, 2.861), (100, 2.626)])
def test_quantiles_are_those_of_the_printed_tables(freedom: int, quantile: float) -> None:
    assert student_t(0.995, freedom) == pytest.approx(quantile, rel=0.015)


# --- what is compared ------------------------------------------------------------------------------------------------


def test_the_statistic_of_the_condition_decides() -> None:
    steady = [100.0 * MIB] * 200
    spiky = [300.0 * MIB if place % 10 == 0 else 100.0 * MIB for place in range(200)]
    assert verdict("mem.max > +50%", steady, spiky) is True
    assert verdict("mem.mean > +50%", steady, spiky) is False
    assert verdict("mem > +15%", steady, spiky) is True, "a tenth of the time at three times as much"


def test_sizes_and_bounds_are_in_the_unit_of_the_metric() -> None:
    assert verdict("mem > +15M", noisy(1, noise=0.01), noisy(2, 120.0 * MIB, 0.01)) is True
    assert verdict("mem > +25M", noisy(1, noise=0.01), noisy(2, 120.0 * MIB, 0.01)) is False
    assert judge(parse_condition("mem > 110M"), None, past(noisy(2, 120.0 * MIB))).is_over is True
    assert judge(parse_condition("mem > 130M"), None, past(noisy(2, 120.0 * MIB))).is_over is False


def test_a_bound_on_the_highest_value_is_about_the_highest_value() -> None:
    values = [100.0 * MIB] * 59 + [600.0 * MIB]
    found = judge(parse_condition("mem.max > 500M"), None, past(values))
    assert (found.is_over, found.second, found.change) == (True, 600.0 * MIB, None)
    assert judge(parse_condition("mem.max > 600M"), None, past(values)).is_over is False


def test_a_difference_that_no_table_would_show_is_none() -> None:
    first, second = past([0.10] * 100, "cpu_percent"), past([0.14] * 100, "cpu_percent")
    assert judge(parse_condition("cpu > +10%"), first, second).is_over is False
    assert judge(parse_condition("cpu > +0.01"), first, second).is_over is True, "what was asked for in points counts"


def test_recordings_of_different_length_are_cut_into_windows_of_the_same_length() -> None:
    found = judge(parse_condition("mem > +10%"), past(noisy(1, count=200)), past(noisy(2, count=400)))
    assert found.windows == (20, 40)
    assert found.window_s == pytest.approx(10.0)


def test_a_gap_leaves_its_windows_out() -> None:
    values = noisy(1, count=200)
    values[50:80] = [None] * 30
    found = judge(parse_condition("mem > +10%"), past(values), past(noisy(2, count=200)))
    assert found.windows == (17, 20)
    assert found.is_over is False


# --- what cannot be known --------------------------------------------------------------------------------------------


def unknown(text: str, first: Past | None, second: Past | None) -> str:
    found = judge(parse_condition(text), first, second)
    assert found == Judgement(found.condition, None, found.reason)
    return found.reason


def test_fewer_than_five_windows_are_too_few() -> None:
    assert "5 are needed" in unknown("mem > +10%", past(noisy(1, count=24)), past(noisy(2)))
    assert "24 s" in unknown("mem > +10%", past(noisy(1, count=24)), past(noisy(2)))
    assert verdict("mem > +10%", noisy(1, count=25), noisy(2)) is False
    assert "one reading" in unknown("mem > +10%", past([1.0]), past(noisy(2)))


def test_what_is_absent_or_not_measured_is_not_zero() -> None:
    assert unknown("mem > +10%", None, past(noisy(1))) == "it is not in the first recording"
    assert unknown("mem > +10%", past(noisy(1)), None) == "it is not in the second recording"
    assert unknown("mem > 1G", None, None) == "it is not in the recording"
    assert unknown("steal > 5%", None, past(noisy(1))).startswith("STEAL% is not measured in the recording: ")
    nothing: list[float | None] = [0.0] * 100
    assert "a share of that" in unknown("mem > +10%", past(nothing), past(noisy(1)))
    assert verdict("mem > +10%", nothing, nothing) is False
    assert verdict("mem > +1M", nothing, noisy(1)) is True


def test_highest_values_of_recordings_at_different_intervals_are_not_compared() -> None:
    fine, coarse = past(noisy(1, count=300)), past(noisy(2, count=100), step_s=5.0)
    for stat in ("max", "p95"):
        assert "the same --interval" in unknown(f"mem.{stat} > +10%", fine, coarse)
    assert judge(parse_condition("mem > +10%"), fine, coarse).is_over is False


@given(st.lists(st.none() | st.floats(0, math.inf), max_size=40), st.lists(st.none() | st.floats(0), max_size=40))
@settings(max_examples=40)
def test_any_values_have_a_verdict_or_a_reason(first: list[float | None], second: list[float | None]) -> None:
    for text in ("mem > +10%", "mem.max > +1M", "mem.p95 > 1G"):
        found = judge(parse_condition(text), past(first), past(second))
        assert (found.is_over is None) == bool(found.reason)
