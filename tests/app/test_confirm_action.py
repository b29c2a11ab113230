"""What the confirmation wants typed, and what it says that a person may not know, through Textual's pilot."""

from __future__ import annotations

import re

import msgspec
from textual.widgets import Button, Input

from collectors.model.actions import Note, Observed
from collectors.model.workloads import Kind, State
from tests.app.test_acting import acting, to_confirm, under_cursor
from tests.helpers.fake_engines import FakeEngine
from tests.helpers.pilot_wait import told_of
from tui.controllers.frame_feed import FrameReady
from tui.dialogs.confirm_action import Confirm


async def test_the_beginning_of_the_name_does_not_confirm_a_kill() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        await to_confirm(session, "K")
        screen = session.pilot.app.screen
        for length in range(len(target.name)):
            screen.query_one(Input).value = target.name[:length]
            await session.pilot.pause()
            assert screen.query_one("#confirm", Button).disabled
        await session.press("enter")
        assert isinstance(session.pilot.app.screen, Confirm)
        assert engine.performed == []
        screen.query_one(Input).value = target.name
        await session.pilot.pause()
        assert not screen.query_one("#confirm", Button).disabled


async def test_the_confirmation_says_what_else_is_lost_and_who_is_hit_too() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        engine.states[target.id] = Observed(target.name, State.RUNNING, "first", notes=frozenset({Note.REMOVED_AT_END}))
        frame = session.fleet.frame()
        inner = msgspec.structs.replace(target, id=target.id._replace(id="e" * 64), name="inner", cgroup="/box/inner")
        frame.workloads[target.id] = msgspec.structs.replace(target, cgroup="/box")
        frame.workloads[inner.id] = inner
        session.screen.post_message(FrameReady(frame))
        await session.pilot.pause()
        await to_confirm(session, "t")
        shown = " ".join(session.text().split())
        assert "The engine removes it once it ends (--rm)" in shown
        assert "This also ends what runs inside it: container inner." in shown


async def test_of_several_it_is_said_of_whom() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "space", "space")
        first, second = session.screen.targets()
        engine.states[first.id] = Observed(first.name, State.RUNNING, "first", notes=frozenset({Note.REMOVED_AT_END}))
        await to_confirm(session, "t")
        assert f"{first.name}: The engine removes it" in " ".join(session.text().split())
        assert f"{second.name}: The engine" not in " ".join(session.text().split())


async def test_what_is_so_of_several_is_said_once() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", *["space"] * 6)
        targets = session.screen.targets()
        for one in targets:
            engine.states[one.id] = Observed(one.name, State.RUNNING, "first", notes=frozenset({Note.REMOVED_AT_END}))
        await to_confirm(session, "K")
        box = (line.split("│")[1].strip() for line in session.text().splitlines() if line.count("│") > 1)
        shown = " ".join(box)
        assert shown.count("The engine removes it") == 1
        assert "and 2 more: The engine" in shown


async def test_an_alias_of_a_protected_service_is_protected() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("4", "slash", *"nginx", "enter")
        target = under_cursor(session)
        assert target.kind is Kind.SERVICE
        engine.states[target.id] = Observed("sshd.service", State.RUNNING, "first")
        await session.press("x", "t")
        await told_of(session, "protected: it provides remote access")
        assert engine.performed == []


async def test_the_time_out_goes_a_step_at_a_time_and_ends_at_the_ends() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        await to_confirm(session, "t")
        passed = []
        for key in ["minus"] * 3 + ["plus"] * 8 + ["minus"]:
            await session.press(key)
            (command,) = re.findall(r"docker stop -t (\d+) ", session.text())
            passed.append(int(command))
        assert passed == [5, 1, 1, 5, 10, 30, 60, 90, 180, 600, 600, 180]
        seen: list[float] = []
        engine.on_perform = lambda request: seen.append(request.timeout_s)
        await session.press("right", "enter")
        await told_of(session, f"{target.name} was stopped")
        assert seen == [180]


async def test_a_wrong_word_that_looks_like_markup_is_told_as_it_is() -> None:
    engine, typed = FakeEngine(), "[/b]"
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        frame = session.fleet.frame()
        frame.workloads[target.id] = msgspec.structs.replace(target, name=f"{typed}name")
        session.screen.post_message(FrameReady(frame))
        await session.pilot.pause()
        engine.states[target.id] = Observed(f"{typed}name", State.RUNNING, "first")
        await to_confirm(session, "K")
        session.pilot.app.screen.query_one(Input).value = typed
        await session.press("enter")
        await told_of(session, f"That is not {typed}name; Esc cancels.")
        assert not any(one.markup for one in session.pilot.app._notifications if typed in one.message)
        assert engine.performed == []


async def test_the_buttons_are_in_sight_however_small_the_terminal_is() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.pilot.resize_terminal(60, 16)
        await session.press("3", *["space"] * 6)
        await to_confirm(session, "r")
        assert "Cancel" in session.text()
        assert "Restart 6 containers?" in session.text()
        await session.press(*["pagedown"] * 6)
        assert "Restart 6 containers?" not in session.text()
        assert "Cancel" in session.text()
