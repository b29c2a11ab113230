"""What a terminal answers is never a key: whole or in pieces, at any moment, as late as a slow line makes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS, IGNORE_SEQUENCE
from textual._xterm_parser import XTermParser

from tui.terminal.terminal_replies import ESCAPE_S, FORGOTTEN_S, ReplyFilter, decoded
from tui.terminal.textual_private import is_known_sequence

ANSWERS = (
    "\x1b[?62;22c",  # DA1
    "\x1b[>41;390;0c",  # DA2
    "\x1bP!|00000000\x1b\\",  # DA3
    "\x1b[?1u",  # kitty's keyboard flags
    "\x1b[0n",  # device status
    "\x1b[?997;1n",  # colour scheme
    "\x1b[?12;40R",  # extended cursor position
    "\x1b[8;24;80t",  # size in characters
    "\x1b[4;480;640t",  # size in pixels
    "\x1b[1t",  # the window is open
    "\x1b[4;2$y",  # ANSI mode
    "\x1b[2;1;1;128;128;1;0x",  # DECREQTPARM
    "\x1b[?1;0;256S",  # graphics attributes
    "\x1b[>4;2m",  # modified keys
    "\x1b]10;rgb:d0d0/d0d0/d0d0\x07",  # colours, ended by BEL and by ST
    "\x1b]11;rgb:ffff/ffff/ffff\x1b\\",
    "\x1b]4;1;rgb:cd00/0000/0000\x1b\\",
    "\x1b]52;c;cSBLIHkgcQ==\x1b\\",  # the clipboard
    "\x1b]lq x t Enter\x1b\\",  # a title that somebody chose
    "\x1b]L1 K\x1b\\",
    "\x1bP>|xterm(390)\x1b\\",  # XTVERSION
    "\x1bP1$r0 q\x1b\\",  # DECRQSS
    "\x1bP1+r544e=787465726d\x1b\\",  # XTGETTCAP
    "\x1b_Gi=31;OK\x1b\\",  # kitty's graphics
    "\x1b^q\x1b\\",  # PM
    "\x1bXq\x1b\\",  # SOS
    "\x9d11;rgb:ffff/ffff/ffff\x9c",  # in eight bits
    "\x9b?62;22c",
    "\x90>|foot(1.16)\x9c",
    "\x1b/Z",  # a VT52's name
)
KEYS = (
    "j",
    "q",
    "\r",
    "\x1b[A",
    "\x1b[1;5C",
    "\x1bOP",
    "\x1b[15~",
    "\x1b[<0;10;5M",
    "\x1b[I",
    "\x1b[12;40R",
    "\x03",
    "é",
)


def taken(pieces: list[str], pause_s: float = 0.0) -> str:
    """Return what passes of pieces that come so long after each other."""
    sieve, now, passed = ReplyFilter(is_known_sequence), 100.0, ""
    for piece in pieces:
        passed += "".join(sieve.feed(piece, now))
        now += pause_s
        if sieve.is_waiting:
            passed += sieve.pause(now, 1.0)
    return passed


@st.composite
def cut(draw: st.DrawFn, text: str) -> list[str]:
    """A text in pieces."""
    places = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=6)))
    return [text[first:last] for first, last in zip([0, *places], [*places, len(text)], strict=True)]


@given(st.data(), st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=4), st.sampled_from([0.0, 0.05, 0.5]))
def test_no_answer_passes_however_it_is_cut_and_however_slow_the_line(
    data: st.DataObject, answers: list[str], pause_s: float
) -> None:
    assert taken(data.draw(cut("".join(answers))), pause_s) == ""


@given(st.data(), st.lists(st.sampled_from((*KEYS, *ANSWERS)), max_size=8))
def test_keys_between_answers_pass_whole_and_in_order(data: st.DataObject, typed: list[str]) -> None:
    pieces = data.draw(cut("".join(typed) or "j"))
    expected = "".join(one for one in typed if one in KEYS) if typed else "j"
    assert taken(pieces) == expected


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_that_comes_character_by_character_is_none(answer: str) -> None:
    assert taken([*answer, "j"], 0.3) == "j"


@pytest.mark.parametrize("answer", [one for one in ANSWERS if one[1:2] in "[]P_" and one[0] == "\x1b"])
def test_the_rest_of_an_answer_behind_an_escape_that_was_taken_for_the_key_is_none(answer: str) -> None:
    sieve = ReplyFilter(is_known_sequence)
    assert list(sieve.feed("\x1b", 0.0)) == []
    assert sieve.pause(ESCAPE_S + 0.01) == "\x1b"
    assert list(sieve.feed(answer[1:], 1.0)) == []
    assert list(sieve.feed("j", 2.0)) == ["j"]


def test_escape_is_a_key_when_nothing_follows_and_two_are_two() -> None:
    sieve = ReplyFilter(is_known_sequence)
    assert list(sieve.feed("\x1b", 0.0)) == []
    assert sieve.pause(ESCAPE_S - 0.01) == ""
    assert sieve.pause(ESCAPE_S + 0.01) == "\x1b"
    assert not sieve.is_waiting
    assert list(sieve.feed("\x1b\x1b", 1.0)) == ["\x1b"]
    assert sieve.pause(2.0) == "\x1b"


def test_while_an_answer_is_out_escape_waits_longer() -> None:
    sieve = ReplyFilter(is_known_sequence)
    list(sieve.feed("\x1b", 0.0))
    assert sieve.pause(0.9, patience_s=1.0) == ""
    assert list(sieve.feed("[12;40R", 0.95)) == ["\x1b[12;40R"]


@pytest.mark.parametrize("introducer", ["\x1b]", "\x1bP", "\x1b_"])
def test_an_introducer_that_was_typed_with_alt_takes_no_key_with_it(introducer: str) -> None:
    sieve = ReplyFilter(is_known_sequence)
    list(sieve.feed(introducer, 0.0))
    assert list(sieve.feed("j", 1.0)) == ["j"]


def test_who_is_stuck_in_a_string_comes_out_with_control_c_or_with_patience() -> None:
    sieve = ReplyFilter(is_known_sequence)
    list(sieve.feed("\x1b]11;", 0.0))
    assert list(sieve.feed("\x03", 1.0)) == ["\x03"]
    list(sieve.feed("\x1bXno end", 2.0))
    assert list(sieve.feed("jq", 3.0)) == []
    assert sieve.pause(3.0 + FORGOTTEN_S) == ""
    assert list(sieve.feed("j", 20.0)) == ["j"]


def test_a_paste_passes_without_keys_in_it_and_its_end_may_be_cut() -> None:
    pasted = "one\x1bq \x9b12u two\r"
    for place in range(1, 30):
        whole = f"\x1b[200~{pasted}\x1b[201~q"
        assert taken([whole[:place], whole[place:]]) == "\x1b[200~oneq \x9b12u two\r\x1b[201~q"


def test_a_million_bytes_of_an_answer_are_kept_nowhere() -> None:
    sieve = ReplyFilter(is_known_sequence)
    for _ in range(250):
        assert list(sieve.feed("\x1b]52;c;" + "A" * 4000, 0.0)) == []
    assert len(sieve._held) < 10
    assert list(sieve.feed("\x1b[" + "1;" * 100_000, 0.0)) == []
    assert len(sieve._held) < 100
    assert list(sieve.feed("Aj", 0.0)) == ["j"]


@pytest.mark.parametrize(
    ("answer", "ground"),
    [
        ("\x1b]11;rgb:fdfd/ffff/0000\x07", (253, 255, 0)),
        ("\x1b]11;rgb:1/8/f\x1b\\", (17, 136, 255)),
        ("\x1b]11;rgba:00/80/FF/7f\x1b\\", (0, 128, 255)),
        ("\x9d11;rgb:0e0e/1212/1616\x9c", (14, 18, 22)),
        ("\x1b]10;rgb:ffff/ffff/ffff\x07", None),
        ("\x1b]11;?\x07", None),
        ("\x1b]11;rgb:fdfd/ffff/0000" + "0" * 100 + "\x07", None),
        ("\x1b]11;rgb:fdfd/ffff/0000\x18", None),
    ],
)
def test_the_ground_is_taken_from_its_answer_cut_anywhere_and_what_is_typed_around_it_passes(
    answer: str, ground: tuple[int, int, int] | None
) -> None:
    for cut in range(1, len(answer)):
        sieve = ReplyFilter(is_known_sequence)
        pieces = [f"j{answer[:cut]}", f"{answer[cut:]}q"]
        assert "".join(typed for piece in pieces for typed in sieve.feed(piece, 0.0)) == "jq"
        assert sieve.background == ground


def test_bytes_that_are_no_utf_8_are_introducers_of_eight_bits_or_a_replacement() -> None:
    assert decoded(b"\x9b?1;2c".decode("utf-8", "surrogateescape")) == "\x9b?1;2c"
    assert decoded(b"a\xe9b".decode("utf-8", "surrogateescape")) == "a\ufffdb"
    assert decoded("é€") == "é€"


def test_textual_takes_what_passes_as_one_whole() -> None:
    """No sequence that passes leaves its parser waiting, so what follows is a key by itself."""
    sequences = [one for one in ANSI_SEQUENCES_KEYS if len(one) > 2 and one[0] == "\x1b"]
    for sequence in (*sequences, *KEYS):
        if ANSI_SEQUENCES_KEYS.get(sequence) is IGNORE_SEQUENCE:
            continue
        parser = XTermParser()
        passed = [
            message for piece in ReplyFilter(is_known_sequence).feed(sequence, 0.0) for message in parser.feed(piece)
        ]
        passed += parser.feed("j")
        last = passed[-1]
        assert isinstance(last, events.Key), sequence
        assert last.key == "j", repr(sequence)
        assert len(passed) >= 2, repr(sequence)
