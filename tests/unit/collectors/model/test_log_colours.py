"""Colours of logs: spans of named hues, and nothing else of what a program sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model.log_colours import Span, split_colours
from collectors.model.logs import LONGEST, clean

PIECES = st.one_of(
    st.sampled_from(
        ["\x1b[31m", "\x1b[0m", "\x1b[1;38;5;208m", "\x1b[48;2;1;2;3m", "\x1b[K", "\x1b]0;x\x07", "\x1b[2J"]
    ),
    st.text(max_size=6),
    st.sampled_from(["\t", "\r", "e\u0301", "a" + "\u0300" * 9, "\ufe0f", "水"]),
)


@pytest.mark.parametrize(
    ("raw", "spans"),
    [
        (b"\x1b[31mred\x1b[0m plain", [Span(0, 3, "red")]),
        (b"\x1b[91;1mred", [Span(0, 3, "red", is_bold=True)]),
        (b"\x1b[1mbold\x1b[22m not", [Span(0, 4, "", is_bold=True)]),
        (b"\x1b[2mfaint\x1b[m", [Span(0, 5, "", is_faint=True)]),
        (b"\x1b[90mgrey\x1b[39m", [Span(0, 4, "black")]),
        (
            b"\x1b[38;5;9ma\x1b[38;5;208mb\x1b[38;5;250mc",
            [Span(0, 1, "red"), Span(1, 2, "yellow"), Span(2, 3, "white")],
        ),
        (b"\x1b[38:2::0:200:255mtrue\x1b[0m", [Span(0, 4, "cyan")]),
        (b"\x1b[48;5;1;32mgreen on red", [Span(0, 12, "green")]),
        (b"\x1b[7;4;5mreverse", []),
        (b"10%\r\x1b[K\x1b[32m100%\x1b[0m\r\n", [Span(0, 4, "green")]),
        (b"a\tb\x1b[33mc", [Span(6, 7, "yellow")]),
        ("e\u0301\x1b[34mblue\x1b[0m!".encode(), [Span(1, 5, "blue")]),
    ],
)
def test_colours_are_spans_of_the_text(raw: bytes, spans: list[Span]) -> None:
    assert list(clean(raw)[1]) == spans


@given(st.lists(PIECES, max_size=30))
def test_spans_are_in_order_and_within_the_text(pieces: list[str]) -> None:
    text, spans = clean("".join(pieces))
    edges = [edge for span in spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert not edges or (edges[0] >= 0 and edges[-1] <= len(text))
    assert all(span.end > span.start for span in spans)


@given(st.lists(PIECES, max_size=30))
def test_colours_change_no_character_of_the_text(pieces: list[str]) -> None:
    raw = "".join(pieces)
    assert clean(raw)[0] == clean(split_colours(raw.replace("\t", "    "))[0])[0]


def test_a_line_of_many_colours_keeps_the_first_of_them() -> None:
    text, spans = clean("".join(f"\x1b[3{n % 8}mx" for n in range(LONGEST)))
    assert len(text) > len(spans) > 100
