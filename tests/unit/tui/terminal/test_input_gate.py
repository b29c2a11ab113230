"""What was meant for a dialogue does not reach the screen below, and a held key neither what it opened nor closed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.terminal.input_gate import HELD_S, REPEATS_S, InputGate


def closed(key: str, at: float = 10.0, painted_at: float = 10.1) -> InputGate:
    """Return a gate after a key closed a dialogue."""
    gate = InputGate()
    assert gate.admits(key, at)
    gate.shut(at)
    gate.open(painted_at)
    return gate


def test_while_the_screen_below_is_not_painted_nothing_passes() -> None:
    gate = InputGate()
    gate.shut(10.0)
    assert not gate.admits("j", 10.05)
    assert not gate.admits("", 10.05)
    gate.open(10.2)
    assert not gate.admits("k", 10.19)
    assert gate.admits("k", 10.21)


def test_another_key_passes_as_soon_as_it_is_painted() -> None:
    assert closed("enter").admits("j", 10.11)


@given(st.floats(0.005, REPEATS_S - 0.01), st.integers(2, 200), st.sampled_from(["enter", "escape", "t", "mouse"]))
def test_a_held_key_never_passes_however_fast_it_repeats(gap_s: float, times: int, key: str) -> None:
    gate = closed(key)
    now = 10.0
    for _ in range(times):
        now += gap_s
        assert not gate.admits(key, now)
    assert gate.admits(key, max(now, 10.0 + HELD_S) + REPEATS_S + 0.01)


def test_the_first_repetition_may_come_late_but_not_after_escape() -> None:
    assert not closed("enter").admits("enter", 10.0 + HELD_S - 0.01)
    assert closed("escape").admits("escape", 10.2)


def test_another_key_in_between_means_that_the_first_was_let_go() -> None:
    gate = closed("enter")
    assert gate.admits("j", 10.2)
    assert gate.admits("enter", 10.25)


def test_what_opened_a_dialogue_does_not_reach_it_while_it_is_held() -> None:
    gate = InputGate()
    assert gate.admits("x", 10.0)
    gate.hold(10.01)
    assert not gate.admits("x", 10.03)
    assert gate.admits("t", 10.04)


def test_a_screen_that_is_never_painted_does_not_shut_the_keyboard_off() -> None:
    gate = InputGate()
    gate.shut(10.0)
    assert gate.admits("j", 14.0)
