"""The footer: whole words by priority, help and the way out always there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.keys.tables import LIVE, PAST, TABLES
from tui.presenters.footer import action_at, footer_pieces, notice_lines


def line(screen: str, width: int) -> str:
    text = ""
    for piece in footer_pieces(TABLES[screen], width):
        text += " " * (piece.x - len(text)) + piece.text
    return text


def test_at_80_columns_it_holds_what_a_first_user_needs() -> None:
    assert line(LIVE, 80) == " / filter  Enter open  x act  l logs  T rewind  Space mark       ? help  q quit"
    assert line(PAST, 80).endswith("? help  End now")


@given(st.sampled_from(sorted(TABLES)), st.integers(40, 300))
def test_at_every_width_words_are_whole_and_help_and_the_way_out_are_there(screen: str, width: int) -> None:
    pieces = footer_pieces(TABLES[screen], width)
    words = {row.word for row in TABLES[screen] if row.word}
    shown = [piece.text for piece in pieces if not piece.is_key]
    assert set(shown) <= words
    assert {row.word for row in TABLES[screen] if row.rank > 100} <= set(shown)
    ends = [piece.x + len(piece.text) for piece in pieces]
    assert all(end <= piece.x for end, piece in zip(ends, pieces[1:], strict=False)), "nothing overlaps"
    assert max(ends) <= width - 1


@given(st.sampled_from(sorted(TABLES)), st.integers(0, 39))
def test_on_a_line_too_narrow_for_both_nothing_is_cut(screen: str, width: int) -> None:
    assert all(piece.x + len(piece.text) <= max(width, 0) for piece in footer_pieces(TABLES[screen], width))


@pytest.mark.parametrize("width", [80, 120, 200])
def test_each_cell_of_a_word_does_what_its_key_does(width: int) -> None:
    pieces = footer_pieces(TABLES[PAST], width)
    text = line(PAST, width)
    assert action_at(pieces, text.index("[")) == "leap(-60)"
    assert action_at(pieces, text.index("]")) == "leap(60)"
    assert action_at(pieces, text.index("help") + 3) == "help"
    assert action_at(pieces, 0) == ""


@given(st.text(max_size=300), st.integers(1, 200))
def test_a_notice_has_two_lines_at_most_and_none_is_too_long(message: str, width: int) -> None:
    lines = notice_lines(message, width)
    assert 1 <= len(lines) <= 2
    assert all(cell_len(line) <= width for line in lines)


@pytest.mark.parametrize("width", [70, 96, 104, 110])
@pytest.mark.parametrize("depth", [1, 5, 40])
def test_a_long_path_in_a_notice_loses_its_folders_before_the_sentence_its_end(width: int, depth: int) -> None:
    path = "/a-folder-name" * depth + "/vmtop/config.toml"
    lines = notice_lines(f"Configuration: {path} line 3: 'intervall' is unknown; did you mean 'interval'?", width)
    assert " ".join(lines).endswith("config.toml line 3: 'intervall' is unknown; did you mean 'interval'?")
