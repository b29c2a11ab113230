"""A dialogue takes one answer: what else arrives reaches neither the screen below nor a second dismissal."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from itertools import product
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen

from tests.app.test_acting import acting, armed
from tests.app.test_workload_list import Session
from tests.helpers.fake_engines import FakeEngine
from tests.helpers.late_terminal import LateTerminal
from tests.helpers.pilot_wait import until
from tests.helpers.pty_terminal import Terminal
from tui.dialogs.action_menu import ActionMenu
from tui.dialogs.confirm_action import ARMED_AFTER_S, Confirm
from tui.dialogs.prompt import PromptDialog
from tui.dialogs.text_page import TextDialog
from tui.screens.column_picker import ColumnPicker
from tui.screens.command_line import CommandLine
from tui.screens.help import HelpScreen
from tui.screens.workloads.live import LiveListScreen
from tui.terminal.input_gate import HELD_S, REPEATS_S

HELD_GAP_S = 1 / 30
CHARACTERS = {"enter": "\r", "escape": "\x1b", "question_mark": "?", "colon": ":", "space": " "}
OPENED: tuple[tuple[Sequence[str], type[Screen[Any]], Sequence[str]], ...] = (
    (("x",), ActionMenu, ("escape", "q")),
    (("s",), CommandLine, ("enter", "escape")),
    (("c",), ColumnPicker, ("enter", "escape")),
    (("R",), PromptDialog, ("escape",)),
    (("question_mark",), HelpScreen, ("enter", "escape", "q")),
    (("w",), TextDialog, ("enter", "escape", "q")),
    (("colon",), CommandLine, ("escape",)),
)
IDS = [f"{kind.__name__} by {keys[0]}" for keys, kind, _ in OPENED]


def send(pilot: Pilot[int], key: str, made_at: float | None = None) -> None:
    """Post a key as the driver does, and wait for nothing."""
    event = events.Key(key, CHARACTERS.get(key, key if len(key) == 1 else None))
    event.time = event.time if made_at is None else made_at
    pilot.app.post_message(event)


async def burst(pilot: Pilot[int], key: str, times: int = 10) -> None:
    for _ in range(times):
        send(pilot, key)
    await pilot.pause(0.2)


async def hold(pilot: Pilot[int], key: str, times: int = 12) -> None:
    """Repeat a key at the pace of a keyboard, whose times do not depend on the load of this host."""
    began = time.monotonic()
    for repetition in range(times):
        send(pilot, key, began + repetition * HELD_GAP_S)
        await asyncio.sleep(HELD_GAP_S)
    await pilot.pause(0.2)


async def opened(session: Session, keys: Sequence[str], kind: type[Screen[Any]]) -> None:
    await session.press(*keys)
    await until(session.pilot, lambda: isinstance(session.pilot.app.screen, kind))
    await session.pilot.pause(0.1)


def settled(session: Session) -> str:
    """The text of the screen, whether or not the order is still held after the last key."""
    return re.sub(r"(NAME  +)\d+[a-z0-9 ]*", r"\1", session.text())


def assert_untouched(session: Session, engine: FakeEngine, before: str) -> None:
    """The screen below is on top, as it was; nothing was done; the application goes on."""
    app = session.pilot.app
    assert app.is_running
    assert app.return_code is None
    assert isinstance(app.screen, LiveListScreen)
    assert len(app.screen_stack) == 2
    assert engine.performed == []
    assert settled(session) == before


@pytest.mark.parametrize(("keys", "kind", "answers"), OPENED, ids=IDS)
async def test_a_key_that_comes_again_after_the_answer_reaches_nothing(
    keys: Sequence[str], kind: type[Screen[Any]], answers: Sequence[str]
) -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("2", "j", "j")
        before = settled(session)
        for answer, send_them in product(answers, (burst, hold)):
            await opened(session, keys, kind)
            await send_them(session.pilot, answer)
            assert_untouched(session, engine, before)


@pytest.mark.parametrize("key", ["t", "r", "p", "enter"])
async def test_a_verb_that_is_chosen_twice_asks_once_and_confirms_nothing(key: str) -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("2", "j", "j")
        before = settled(session)
        for send_them in (burst, hold):
            await opened(session, ("x",), ActionMenu)
            await send_them(session.pilot, key)
            await until(session.pilot, lambda: isinstance(session.pilot.app.screen, Confirm))
            await armed(session)
            assert len(session.pilot.app.screen_stack) == 3
            await session.press("escape")
            await session.pilot.pause(0.2)
            assert_untouched(session, engine, before)


@pytest.mark.parametrize("answer", ["enter", "escape", "q"])
async def test_a_confirmation_that_is_left_twice_leaves_the_screen_below_alone(answer: str) -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("2", "j", "j")
        before = settled(session)
        for send_them in (burst, hold):
            await opened(session, ("x",), ActionMenu)
            await session.press("t")
            await armed(session)
            await send_them(session.pilot, answer)
            assert_untouched(session, engine, before)


async def test_a_confirmation_that_is_given_twice_is_done_once() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("2", "j", "j")
        await opened(session, ("x",), ActionMenu)
        await session.press("t")
        await armed(session)
        await session.press("right")
        await burst(session.pilot, "enter")
        await until(session.pilot, lambda: bool(engine.performed))
        await session.pilot.pause(0.2)
        assert len(engine.performed) == 1
        assert isinstance(session.pilot.app.screen, LiveListScreen)


async def test_a_second_click_on_cancel_does_not_reach_the_row_below() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("2", "j", "j")
        before = settled(session)
        await opened(session, ("x",), ActionMenu)
        await session.press("t")
        await armed(session)
        await session.pilot.click("#cancel", times=2)
        await session.pilot.pause(0.2)
        assert_untouched(session, engine, before)


async def test_a_paste_into_a_dialogue_that_has_closed_goes_nowhere() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("2", "j", "j")
        before = settled(session)
        await opened(session, ("R",), PromptDialog)
        send(session.pilot, "escape")
        session.pilot.app.post_message(events.Paste("jjxt\r"))
        await session.pilot.pause(0.2)
        assert_untouched(session, engine, before)


async def test_what_is_typed_behind_an_answer_is_lost_until_the_screen_below_is_painted() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("2", "j", "j")
        before = settled(session)
        await opened(session, ("s",), CommandLine)
        for key in ("escape", "x", "t", "M", "q"):
            send(session.pilot, key)
        await session.pilot.pause(0.3)
        assert_untouched(session, engine, before)
        await session.press("M")
        assert session.text() != before


async def test_the_key_that_opened_the_menu_does_not_close_it_while_it_is_held() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("2", "j", "j")
        await hold(session.pilot, "x")
        assert isinstance(session.pilot.app.screen, ActionMenu)
        await session.pilot.pause(HELD_S + REPEATS_S)
        await session.press("x")
        await until(session.pilot, lambda: isinstance(session.pilot.app.screen, LiveListScreen))


async def test_a_page_that_is_closed_twice_does_not_end_vmtop() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("2", "j", "j")
        before = settled(session)
        await session.press("enter")
        await until(session.pilot, lambda: len(session.pilot.app.screen_stack) == 3)
        await session.pilot.pause(HELD_S + REPEATS_S)
        await hold(session.pilot, "q")
        assert_untouched(session, engine, before)


async def test_a_screen_that_has_closed_can_not_close_another() -> None:
    """A message that was on its way, such as a button's, may come to it later."""
    engine = FakeEngine()
    async with acting(engine) as session:
        before = settled(session)
        await opened(session, ("x",), ActionMenu)
        menu = session.pilot.app.screen
        for _ in range(3):
            menu.dismiss(None)
            await session.pilot.pause(0.05)
        await session.pilot.pause(0.1)
        assert_untouched(session, engine, before)


FLEET = ("demo", "--workloads", "300", "--interval", "0.2")


PATIENT = """
import sys
from tui.terminal import input_gate
input_gate.HELD_S = input_gate.REPEATS_S = 60.0
from tui.cli.main import main
sys.argv[0] = "vmtop"
sys.exit(main())
"""
"""vmtop for a busy host, on which the repetitions of a held key arrive at any distance."""


def press_until(terminal: Terminal, key: str, words: str) -> None:
    """Press a key until there is an answer: what comes before the screen below a dialogue is painted is lost."""

    def is_answered() -> bool:
        if words not in terminal.text():
            terminal.press(key)
        return words in terminal.text()

    terminal.wait_for(is_answered, 20, f"an answer to {key}")


@pytest.mark.slow
@pytest.mark.parametrize(("opening", "words", "key"), [("x", "Esc leaves", "t"), ("s", "Enter does it", "\r")])
def test_a_key_held_in_a_real_terminal_closes_one_dialogue(opening: str, words: str, key: str) -> None:
    assert HELD_GAP_S < REPEATS_S < HELD_S
    with closing(Terminal([sys.executable, "-c", PATIENT, *FLEET])) as terminal:
        terminal.wait_for(lambda: "●" in terminal.text(), 30, "the fleet")
        for _ in range(2):
            press_until(terminal, opening, words)
            for _ in range(30):
                terminal.press(key)
                terminal.read(HELD_GAP_S)
            if key == "t":
                terminal.wait_for(lambda: "The same by hand" in terminal.text(), 20, "the confirmation")
                terminal.press("\x1b")
            terminal.wait_until_taken()
            terminal.wait_for(lambda: "╭" not in terminal.text(), 20, "the table")
        press_until(terminal, "M", "▼MEM")
        assert b"the screen failed" not in terminal.received
        terminal.press("q")
        assert terminal.wait_exit() == 0


@pytest.mark.slow
def test_keys_typed_before_a_slow_line_has_shown_the_confirmation_confirm_nothing() -> None:
    with closing(LateTerminal(["vmtop", *FLEET], 0.5)) as terminal:
        terminal.wait_for(lambda: "●" in terminal.text() and terminal.answered > 0, 30, "the fleet")
        terminal.press("x")
        terminal.wait_for(lambda: "Esc leaves" in terminal.text(), 20, "the menu")
        terminal.press("t")
        terminal.is_held_up = lambda: "The same by hand" in terminal.text()  # so nobody sees it yet
        terminal.wait_for(terminal.is_held_up, 20, "the confirmation")
        terminal.read(2 * ARMED_AFTER_S)
        terminal.press("\x1b[C\r")
        terminal.wait_until_taken()
        terminal.is_held_up = lambda: False
        terminal.wait_for(lambda: "The same by hand" not in terminal.text(), 20, "the table")
        terminal.read(3)
        assert b"was stopped" not in terminal.received
        assert b"stopping" not in terminal.received
