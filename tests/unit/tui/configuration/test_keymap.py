"""Keys as users write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import _character_to_key

from tui.configuration.keymap import keymap_of, textual_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ctrl+o", "ctrl+o"),
        ("Ctrl-O", "ctrl+o"),
        ("C-o", "ctrl+o"),
        ("alt+x", "alt+x"),
        ("F5", "f5"),
        ("shift+f5", "shift+f5"),
        ("space", "space"),
        (" ", "space"),
        ("?", "question_mark"),
        ("-", "minus"),
        ("+", "plus"),
        ("ctrl++", "ctrl+plus"),
        ("G", "G"),
        ("g", "g"),
        ("Esc", "escape"),
        ("PgDn", "pagedown"),
        ("Shift-Tab", "shift+tab"),
        ("ctrl+i", "tab"),
        ("ctrl+m", "enter"),
        ("ü", "ü"),
    ],
)
def test_a_key_is_taken_as_people_write_it(text: str, key: str) -> None:
    assert textual_key(text) == key


@pytest.mark.parametrize("text", ["", "ctrl+", "hyper+x", "F99", "ctrl+shift", "spaace", "\x1b", "a b"])
def test_what_is_no_key_says_how_keys_are_written(text: str) -> None:
    with pytest.raises(ValueError, match="there is no key"):
        textual_key(text)


def test_a_capital_letter_is_written_as_such() -> None:
    with pytest.raises(ValueError, match="write 'G' for a capital letter"):
        textual_key("shift+g")


@given(st.characters(codec="utf-8", exclude_categories=("C", "Z")))
def test_every_character_has_the_name_that_textual_gives_it(character: str) -> None:
    assert textual_key(character) == _character_to_key(character)


@pytest.mark.parametrize(("name", "key"), [("quit", "ctrl+c"), ("close_prompt", "escape"), ("cancel", "escape")])
def test_nothing_keeps_one_in_vmtop_or_in_a_dialog(name: str, key: str) -> None:
    keymap, mistakes = keymap_of({name: []})
    assert (keymap, mistakes) == ({name: key}, [])
    assert keymap_of({name: "ctrl+x"}) == ({name: f"ctrl+x,{key}"}, [])
