"""The interval of readings, and what vmtop tells of its own cost."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.self_usage import OwnCost
from collectors.sampling.interval import SHARE, SLOWEST_S, AdaptiveInterval


def settled(interval: AdaptiveInterval, cost_s: float, readings: int = 40) -> float:
    for _ in range(readings):
        interval.note(cost_s)
    return interval.interval_s


def test_a_reading_that_takes_a_tenth_of_the_time_slows_the_pace() -> None:
    interval = AdaptiveInterval(1.0)
    assert settled(interval, 0.09) == 1.0
    assert not interval.is_slowed
    assert settled(interval, 0.15) == 2.0
    assert interval.is_slowed
    assert settled(interval, 0.5) == 8.0


def test_it_comes_back_when_readings_are_cheap_again() -> None:
    interval = AdaptiveInterval(1.0)
    settled(interval, 0.3)
    assert settled(interval, 0.01) == 1.0


def test_a_cost_about_the_limit_does_not_make_it_flutter() -> None:
    interval = AdaptiveInterval(1.0)
    settled(interval, 0.15)
    assert {settled(interval, cost, 5) for cost in (0.11, 0.09, 0.11, 0.08)} == {2.0}


def test_a_pace_that_was_asked_for_is_kept() -> None:
    assert settled(AdaptiveInterval(1.0, is_steady=True), 5.0) == 1.0
    interval = AdaptiveInterval(1.0)
    settled(interval, 0.5)
    interval.choose(0.5)
    assert settled(interval, 0.5) == 0.5


@given(st.floats(0.2, 60), st.floats(0, 100))
def test_it_ends_where_a_reading_fits_or_at_the_slowest(requested_s: float, cost_s: float) -> None:
    interval = AdaptiveInterval(requested_s)
    interval_s = settled(interval, cost_s)
    assert requested_s <= interval_s <= max(requested_s, SLOWEST_S)
    assert cost_s <= interval_s * SHARE * 1.001 or interval_s == SLOWEST_S


def test_what_this_process_costs_is_told_from_the_second_look_on() -> None:
    cost = OwnCost()
    first = cost.look()
    assert first.cpu_percent is None
    assert (first.resident_bytes or 0) > 1 << 20
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert 0 < (cost.look().cpu_percent or 0) <= 110
