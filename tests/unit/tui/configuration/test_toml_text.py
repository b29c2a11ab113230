"""Values as TOML, and an edit that leaves all else as it is."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tui.configuration.test_toml_places import DOCUMENTS, NOISE, VALUES, as_document
from tui.configuration.toml_text import as_toml, with_values

OWN = """\
# my configuration
read_only = true   # careful

[screen] # how it looks
# the sort
sort = "cpu"     # most used first
interval = 2
[keys]
look = "ctrl+o"
"""


@given(VALUES)
def test_a_value_is_read_back_as_it_was_written(value: Any) -> None:
    assert tomllib.loads(f"x = {as_toml(value)}")["x"] == value


def test_values_are_changed_in_place_and_comments_stay() -> None:
    edited = with_values(OWN, "screen", {"sort": "mem", "tree": True})
    assert edited == OWN.replace('sort = "cpu"     #', 'sort = "mem"     #').replace(
        "interval = 2\n", "interval = 2\ntree = true\n"
    )


def test_a_section_that_is_missing_comes_last() -> None:
    assert with_values("read_only = true", "screen", {"sort": "mem"}) == 'read_only = true\n\n[screen]\nsort = "mem"\n'
    assert with_values("", "screen", {"sort": "mem"}) == '[screen]\nsort = "mem"\n'
    assert with_values("[screen]", "screen", {"tree": True}) == "[screen]\ntree = true\n"


@given(DOCUMENTS, st.lists(NOISE, min_size=1, max_size=5), st.dictionaries(st.sampled_from("abcd"), VALUES, min_size=1))
def test_nothing_else_changes_whatever_is_in_the_file(
    document: dict[str, Any], noise: list[str], values: dict[str, Any]
) -> None:
    document["screen"] = {"a": 1, "z": "stays"}
    before = tomllib.loads(as_document(document, noise))
    after = tomllib.loads(with_values(as_document(document, noise), "screen", values))
    assert after == {**before, "screen": {**before["screen"], **values}}


@pytest.mark.parametrize("text", ['screen = { sort = "cpu" }', 'screen = "no table"'])
def test_what_cannot_be_edited_is_left_alone_and_says_so(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be edited: give each key a line of its own"):
        with_values(text, "screen", {"tree": True})
