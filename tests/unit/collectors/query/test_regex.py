"""Patterns of words, found without RE2: what they find is what RE2 would."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.query.regex import LONGEST_PATTERN, Pattern, PatternError, _search_of_re2

WORD = st.text("aksAKS1 _/:,@=-", min_size=1, max_size=5)
TEXT = st.text("aksAKS1 _/:,@=-\u017f\u212a\u00df\u0130\u0131|.\ud800", max_size=12)


@given(st.lists(WORD, min_size=1, max_size=3), TEXT)
def test_words_are_found_where_re2_finds_them(words: list[str], text: str) -> None:
    pattern = "|".join(words)
    assert Pattern(pattern).search(text) is _search_of_re2(pattern)(text)


@pytest.mark.parametrize("pattern", ["", "a|", "|a", "a||b", "web.*", "(a|b)", "a+", "^a", "a$", r"\d", "[ab]", "ä"])
@given(text=TEXT)
def test_whatever_means_more_than_itself_is_left_to_re2(pattern: str, text: str) -> None:
    assert Pattern(pattern).search(text) is _search_of_re2(pattern)(text)


def test_a_pattern_of_words_has_the_same_bound() -> None:
    Pattern("a" * LONGEST_PATTERN)
    with pytest.raises(PatternError, match="at most"):
        Pattern("a" * (LONGEST_PATTERN + 1))


def test_the_built_in_rules_do_not_load_re2() -> None:
    program = "import sys; from collectors.alerts.built_in import built_in_rules; built_in_rules(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "collectors.alerts.built_in" in done.stdout.split()
    assert "re2" not in done.stdout.split()
