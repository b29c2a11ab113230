"""The pace of readings, and what vmtop tells of its own cost."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.self_usage import OwnCost
from collectors.sampling.interval import SHARE, SLOWEST_S, AdaptiveInterval


def settled(pace: AdaptiveInterval, cost_s: float, readings: int = 40) -> float:
    for _ in range(readings):
        pace.note(cost_s)
    return pace.interval_s


def test_a_reading_that_takes_a_tenth_of_the_time_slows_the_pace() -> None:
    pace = AdaptiveInterval(1.0)
    assert settled(pace, 0.09) == 1.0
    assert not pace.is_slowed
    assert settled(pace, 0.15) == 2.0
    assert pace.is_slowed
    assert settled(pace, 0.5) == 8.0


def test_it_comes_back_when_readings_are_cheap_again() -> None:
    pace = AdaptiveInterval(1.0)
    settled(pace, 0.3)
    assert settled(pace, 0.01) == 1.0


def test_a_cost_about_the_limit_does_not_make_it_flutter() -> None:
    pace = AdaptiveInterval(1.0)
    settled(pace, 0.15)
    assert {settled(pace, cost, 5) for cost in (0.11, 0.09, 0.11, 0.08)} == {2.0}


def test_a_pace_that_was_asked_for_is_kept() -> None:
    assert settled(AdaptiveInterval(1.0, is_steady=True), 5.0) == 1.0
    pace = AdaptiveInterval(1.0)
    settled(pace, 0.5)
    pace.wish(0.5)
    assert settled(pace, 0.5) == 0.5


@given(st.floats(0.2, 60), st.floats(0, 100))
def test_it_ends_where_a_reading_fits_or_at_the_slowest(wished_s: float, cost_s: float) -> None:
    pace = AdaptiveInterval(wished_s)
    interval = settled(pace, cost_s)
    assert wished_s <= interval <= max(wished_s, SLOWEST_S)
    assert cost_s <= interval * SHARE * 1.001 or interval == SLOWEST_S


def test_what_this_process_costs_is_told_from_the_second_look_on() -> None:
    cost = OwnCost()
    first = cost.look()
    assert first.cpu_percent is None
    assert (first.resident_bytes or 0) > 1 << 20
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert 0 < (cost.look().cpu_percent or 0) <= 110
