"""The getters of a stranger's JSON, for any JSON."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.safety import untrusted

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
PATHS = st.lists(st.sampled_from("abc"), max_size=4)


@given(JSON, PATHS)
def test_a_path_leads_to_what_indexing_finds_or_to_nothing(whole: Any, path: list[str]) -> None:
    expected = whole
    try:
        for key in path:
            expected = expected[key]
    except (KeyError, TypeError, IndexError):
        expected = None
    assert untrusted.at(whole, *path) is expected
    assert untrusted.part(whole, *path) == (expected if isinstance(expected, dict) else {})


@given(JSON)
def test_a_value_of_another_type_is_absent_and_one_of_the_right_type_unchanged(value: Any) -> None:
    is_number = type(value) is int
    assert untrusted.whole_number(value) == (value if is_number else None)
    assert untrusted.count(value) == (value if is_number and value >= 0 else None)
    assert untrusted.positive(value) == (value if is_number and value > 0 else None)
    assert untrusted.text(value) == (value if type(value) is str else "")
    assert untrusted.items(value) is value or (type(value) is not list and untrusted.items(value) == [])


@given(JSON)
def test_only_the_objects_of_a_list_are_left(value: Any) -> None:
    expected = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
    assert [id(item) for item in untrusted.objects(value)] == [id(item) for item in expected]


@pytest.mark.parametrize("value", [True, False, 1.0, math.nan, "1", None, [], {}])
def test_neither_a_truth_value_nor_a_fraction_is_a_number(value: object) -> None:
    assert untrusted.whole_number(value) is None
    assert untrusted.count(value) is None
    assert untrusted.positive(value) is None
