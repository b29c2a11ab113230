"""The door for text from outside: whatever comes in, only what cannot steer a terminal comes out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import wcwidth

from collectors.safety.sanitize import LONGEST, REPLACEMENT, sanitize, sanitize_name
from tests.helpers.hostile_text import TEXTS

_STEERING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_ANY = st.text(st.characters(codec=None, exclude_categories=())) | st.text(
    st.sampled_from("a\x1b[31m\r\n\t\u202e\u200b\u0301\u0e34\ufe0f\U000e0041\ud800\ue000")
)


@given(_ANY, st.integers(1, 300))
def test_inert_text_has_nothing_that_steers(text: str, longest: int) -> None:
    clean = sanitize(text, longest)
    assert len(clean) <= longest
    assert not {unicodedata.category(character) for character in clean} & _STEERING


@given(st.binary())
def test_bytes_are_text_too(raw: bytes) -> None:
    clean = sanitize(raw)
    assert len(clean) <= LONGEST
    assert clean.encode() or not raw


@given(_ANY)
def test_marks_do_not_pile_up(text: str) -> None:
    run = 0
    for character in sanitize(text):
        run = run + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        assert run <= 4


@given(_ANY)
@example("A\ufe00\u0300")
def test_inert_text_stays_as_it_is(text: str) -> None:
    assert sanitize(sanitize(text)) == sanitize(text)


@pytest.mark.parametrize("name", ["web-1", "Größe", "日本語", "naïve café", "a" * LONGEST])
def test_honest_names_pass_unchanged(name: str) -> None:
    assert sanitize(name) == name


def test_a_cut_is_shown() -> None:
    assert sanitize("a" * 300) == "a" * 255 + "…"
    assert sanitize("é" * 300) == "é" * 255 + "…"


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_terminal_gives_inert_text_the_width_that_the_screen_counts_on(text: str) -> None:
    clean = sanitize(text)
    assert sum(max(0, wcwidth(character)) for character in clean) == cell_len(clean)


def test_escape_sequence_loses_its_escape() -> None:
    assert sanitize("\x1b[2Jgone") == f"{REPLACEMENT}[2Jgone"
    assert sanitize(None) == ""


@given(_ANY.filter(bool))
def test_two_names_that_are_shown_alike_are_marked_unless_they_are_the_same(text: str) -> None:
    name = sanitize_name(text)
    assert name == text or REPLACEMENT in name or name.endswith("…")
    assert sanitize(name) == name
