"""How log lines look: levels, the program's colours, names, and what is scrolled out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model.log_colours import Span
from collectors.model.logs import LogLine, clean
from tui.presenters.logs.line import LogLook, styled_log_line
from tui.presenters.styled_lines import plain_text

LOOK = LogLook(200)


def tones(text: str, is_error: bool = False) -> dict[str, str]:
    return {run: tone for run, tone in styled_log_line(LogLine(0, None, is_error, text), LOOK)[0]}


@pytest.mark.parametrize(
    ("text", "word", "tone"),
    [
        ("14:03:05 ERROR GET /order 504", "ERROR", "bad"),
        ("2026-11-28T14:03:05.123Z WARN pool is full", "WARN", "warn"),
        ('time=x level=error msg="no route"', "error", "bad"),
        ('{"level":"warning","msg":"slow"}', "warning", "warn"),
        ("2026/11/28 14:03:05 [error] 31#31: upstream", "error", "bad"),
        ("<crit> disk", "crit", "bad"),
    ],
)
def test_the_level_is_coloured_and_the_rest_is_not(text: str, word: str, tone: str) -> None:
    shown = tones(text)
    assert shown.pop(word) == tone
    assert "bad" not in shown.values()
    assert "".join(shown) != text
    assert set(shown.values()) <= {"text", "muted"}


@pytest.mark.parametrize("text", ["0 errors, 0 warnings", "the error was found", "ERRORS: 3", "terror level high"])
def test_a_word_in_a_sentence_is_no_level(text: str) -> None:
    assert tones(text) == {text: "text"}


def test_a_line_on_the_standard_error_without_a_level_stands_out() -> None:
    assert tones("it broke", is_error=True) == {"it broke": "warn"}


def test_the_programs_own_colours_come_first() -> None:
    text, colours = clean(b"\x1b[32mERROR\x1b[0m is a green word")
    line = styled_log_line(LogLine(0, None, False, text, colours), LOOK)[0]
    assert list(line) == [("ERROR", "good"), (" is a green word", "text")]


SPANS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["red", "", "blue"])), max_size=6)


@given(st.text("ab ", max_size=40), SPANS, st.integers(0, 50), st.integers(1, 30), st.booleans())
def test_colours_and_scrolling_show_exactly_a_part_of_the_text(
    text: str, edges: list[tuple[int, str]], left: int, width: int, is_wrapped: bool
) -> None:
    cuts = sorted({min(edge, len(text)) for edge, _ in edges})
    spans = tuple(Span(start, end, "red") for start, end in zip(cuts[::2], cuts[1::2], strict=False))
    rows = styled_log_line(LogLine(0, None, False, text, spans), LogLook(width, is_wrapped=is_wrapped, left=left))
    shown = "".join(map(plain_text, rows))
    assert shown == (text if is_wrapped else text[left : left + width * 5])
