"""Percentiles of values that lasted for unequal times."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.comparison.spread import Spread


@given(st.lists(st.tuples(st.floats(0, 1e13), st.floats(0.1, 100)), min_size=1, max_size=60))
def test_percentiles_are_within_a_percent_and_the_highest_value_is_exact(pairs: list[tuple[float, float]]) -> None:
    spread = Spread()
    for value, seconds in pairs:
        spread.add(value, seconds)
    assert spread.max == max(value for value, _ in pairs)
    total = sum(seconds for _, seconds in pairs)
    for percent in (50, 95, 99, 100):
        below, exact = 0.0, spread.max
        for value, seconds in sorted(pairs):
            below += seconds
            if below >= total * percent / 100 - 1e-9 * total:
                exact = value
                break
        assert exact * (1 - 1e-9) - 1e-6 <= spread.percentile(percent) <= exact * 1.01 + 1e-6


def test_unknown_values_are_not_zero() -> None:
    spread = Spread()
    for value in (None, float("nan"), float("inf"), -1.0):
        spread.add(value, 5.0)
    assert (spread.seconds, spread.max, spread.percentile(99)) == (0.0, 0.0, 0.0)
