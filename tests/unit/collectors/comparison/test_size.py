"""Sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.comparison.size import round_cores, round_memory, round_vcpus

MIB = 1 << 20


@pytest.mark.parametrize(
    ("cores", "rounded"), [(0, 0.1), (0.01, 0.1), (0.3, 0.3), (0.31, 0.4), (1, 1), (1.01, 1.5), (2.5, 2.5), (2.6, 3)]
)
def test_cores_are_rounded_up_to_what_people_write(cores: float, rounded: float) -> None:
    assert round_cores(cores) == rounded


@pytest.mark.parametrize(
    ("mib", "rounded"), [(0, 16), (1, 16), (17, 32), (512, 512), (513, 576), (4096, 4096), (4097, 4352)]
)
def test_memory_is_rounded_up_to_what_people_write(mib: float, rounded: float) -> None:
    assert round_memory(mib * MIB) == rounded * MIB


@given(st.floats(0, 1e6))
def test_rounding_never_takes_anything_away_and_stays_what_it_is(value: float) -> None:
    for function in (round_cores, round_vcpus):
        assert function(value) >= value - 1e-5
        assert function(function(value)) == function(value)
    assert round_memory(value * MIB) >= value * MIB * (1 - 1e-8)
    assert round_memory(round_memory(value * MIB)) == round_memory(value * MIB)
