"""Notifications of the desktop: one sequence for each kind of terminal, which no text can end or add to."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.hostile_text import TEXTS
from tui.terminal.desktop_notice import desktop_notice

ITERM = {"TERM": "xterm-256color"}
VTE = {"TERM": "xterm-256color", "VTE_VERSION": "7006"}
FOOT = {"TERM": "foot-extra"}
RXVT = {"TERM": "rxvt-unicode-256color"}
TMUX = {**ITERM, "TMUX": "/tmp/tmux-0/default,1,0"}  # noqa: S108  # a value of the variable
_777, _9 = (
    re.compile(r"\x1b\]777;notify;([^;\x00-\x1f]*);([^;\x00-\x1f]*)\x1b\\"),
    re.compile(r"\x1b\]9;([^;\x00-\x1f]*)\x1b\\"),
)


def sequence(text: str, environment: Mapping[str, str]) -> str:
    """Return what a terminal gets, without what tmux takes off."""
    notice = desktop_notice("vmtop", text, environment)
    if "TMUX" not in environment:
        return notice
    assert notice.startswith("\x1bPtmux;")
    assert notice.endswith("\x1b\\")
    inner = notice.removeprefix("\x1bPtmux;").removesuffix("\x1b\\")
    assert inner.count("\x1b") == 2 * inner.count("\x1b\x1b"), "a lone escape ends what tmux passes on"
    return inner.replace("\x1b\x1b", "\x1b")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (ITERM, "\x1b]9;vmtop: web: it is full\x1b\\"),
        (TMUX, "\x1b]9;vmtop: web: it is full\x1b\\"),
        (VTE, "\x1b]777;notify;vmtop;web: it is full\x1b\\"),
        (FOOT, "\x1b]777;notify;vmtop;web: it is full\x1b\\"),
        (RXVT, "\x1b]777;notify;vmtop;web: it is full\x1b\\"),
        ({}, "\x1b]9;vmtop: web: it is full\x1b\\"),
    ],
)
def test_each_terminal_gets_the_sequence_that_it_knows(environment: Mapping[str, str], expected: str) -> None:
    assert sequence("web: it is full", environment) == expected


@pytest.mark.parametrize("environment", [ITERM, VTE, TMUX])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_hostile_text_stays_one_parameter_of_one_sequence(environment: Mapping[str, str], text: str) -> None:
    assert (_777 if environment is VTE else _9).fullmatch(sequence(text, environment))


@given(st.text(), st.sampled_from([ITERM, VTE, TMUX]))
def test_no_text_ends_the_sequence_or_adds_a_parameter(text: str, environment: Mapping[str, str]) -> None:
    assert (_777 if environment is VTE else _9).fullmatch(sequence(text, environment))


def test_a_long_text_is_cut() -> None:
    assert len(sequence("x" * 10_000, ITERM)) < 300
