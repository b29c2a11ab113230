"""The last door before the terminal: nothing that steers passes, and no cell is gained or lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.helpers.hostile_text import is_inert
from tui.terminal.output_filter import TerminalSafeFilter

PRINTED = st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn")))


@pytest.mark.parametrize("ascii_only", [False, True])
@given(words=PRINTED)
def test_what_is_printed_keeps_its_width(ascii_only: bool, words: str) -> None:
    assert cell_len(TerminalSafeFilter(ascii_only).clean(words)) == sum(map(cell_len, words))


@pytest.mark.parametrize("ascii_only", [False, True])
@given(words=st.text())
def test_nothing_that_steers_passes(ascii_only: bool, words: str) -> None:
    kept = TerminalSafeFilter(ascii_only).clean(words.translate(dict.fromkeys(range(0xD800, 0xE000))))
    assert not [one for one in kept if ord(one) < 32 or 0x7F <= ord(one) < 0xA0]
    assert not ascii_only or (kept.isascii() and is_inert(kept))
