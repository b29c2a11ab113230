"""The way from a key to an action, through Textual's pilot: the right workload or none."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from textual.screen import Screen
from textual.widgets import Button, Input

from collectors.model.actions import Observed, Verb
from collectors.model.errors import SourceDown
from collectors.model.workloads import Kind, State, Workload
from tests.app.test_workload_list import Session, screen_text
from tests.helpers.demo_fleet import Fleet, QuietSampler
from tests.helpers.fake_engines import FakeEngine, held_by, means_with
from tests.helpers.pilot_wait import notified, told_of, until
from tui.app.live import VmtopApp
from tui.configuration.config import ActionConfig, Config
from tui.controllers.frame_feed import FrameReady
from tui.dialogs import confirm_action as confirm_module
from tui.dialogs.action_menu import ActionMenu
from tui.dialogs.confirm_action import Confirm
from tui.dialogs.limits_form import LimitsForm
from tui.screens.detail.base import WorkloadScreen
from tui.settings.screen_options import ScreenOptions


@asynccontextmanager
async def acting(
    engine: FakeEngine, config: Config | None = None, size: tuple[int, int] = (120, 40), read_only: bool = False
) -> AsyncIterator[Session]:
    """Run the screen on a fleet with an engine of the test's own."""
    app = VmtopApp(QuietSampler([]), ScreenOptions(is_demo=True, read_only=read_only), means_with(engine, config))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        session = Session(pilot, Fleet(20))
        await session.tick(2)
        yield session


async def to_confirm(session: Session, key: str) -> None:
    """Open the menu, choose, and wait until the confirmation takes keys."""
    await session.press("x")
    await session.pilot.pause(0.1)
    assert isinstance(session.pilot.app.screen, ActionMenu)
    await session.press(key)
    await armed(session)


async def armed(session: Session) -> None:
    """Wait until the confirmation takes keys."""
    await until(session.pilot, lambda: _is_armed(session.pilot.app.screen))


def _is_armed(screen: Screen[object]) -> bool:
    awaited = [*screen.query(Input), *screen.query("#confirm")] if isinstance(screen, Confirm) else []
    return bool(awaited) and not awaited[0].disabled


def under_cursor(session: Session) -> Workload:
    target = session.screen.target()
    assert target is not None
    return target


async def test_the_confirmed_action_reaches_the_workload_under_the_cursor() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        await to_confirm(session, "t")
        shown = session.text()
        assert f"Stop container {target.name}?" in shown
        assert f"docker stop -t 10 {target.name}" in shown
        assert target.short_id in shown
        await session.press("right", "enter")
        await told_of(session, f"{target.name} was stopped")
        assert engine.performed == [(Verb.STOP, target.id)]


async def test_cancel_is_preselected() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j")
        await to_confirm(session, "t")
        assert isinstance(session.pilot.app.focused, Button)
        assert session.pilot.app.focused.id == "cancel"
        await session.press("enter")
        await session.pilot.pause(0.2)
        assert engine.performed == []


async def test_keys_typed_ahead_confirm_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm_module, "ARMED_AFTER_S", 30.0)
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j")
        await session.pilot.press("x", "t", "right", "enter", "enter")
        await session.pilot.pause(0.5)
        assert engine.performed == []


async def test_a_re_sorted_table_does_not_change_the_target() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        await session.press("x")
        session.screen.action_sort("name")
        session.screen.view.is_reversed = True
        await session.tick(5)
        await session.press("t")
        await session.pilot.pause(0.3)
        session.screen.action_sort("memory_host_bytes")
        await session.tick(5)
        await armed(session)
        await session.press("right", "enter")
        await told_of(session, f"{target.name} was stopped")
        assert engine.performed == [(Verb.STOP, target.id)]


async def test_a_workload_that_was_replaced_meanwhile_is_left_alone_and_so_is_its_heir() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        await to_confirm(session, "t")
        engine.gone.add(target.id)
        frame = session.fleet.frame()
        heir = msgspec.structs.replace(frame.workloads.pop(target.id), id=target.id._replace(id="f" * 64))
        frame.workloads[heir.id] = heir
        session.screen.post_message(FrameReady(frame))
        await session.pilot.pause()
        await session.press("right", "enter")
        await told_of(session, f"{target.name} is gone: nothing was done")
        assert engine.performed == []


async def test_a_workload_that_was_restarted_meanwhile_is_left_alone() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        await to_confirm(session, "t")
        engine.states[target.id] = Observed(target.name, State.RUNNING, "second")
        await session.press("right", "enter")
        await told_of(session, "in the meantime: nothing was done")
        assert engine.performed == []


async def test_a_workload_that_was_renamed_meanwhile_is_left_alone() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        await to_confirm(session, "t")
        engine.states[target.id] = Observed("other", State.RUNNING, "first")
        await session.press("right", "enter")
        await told_of(session, f"{target.name} is now called other: nothing was done")
        assert engine.performed == []


async def test_killing_wants_the_name_typed() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        await to_confirm(session, "K")
        await session.press(*"wrong", "enter")
        assert isinstance(session.pilot.app.screen, Confirm)
        assert engine.performed == []
        await session.press(*["backspace"] * 5, *target.name.replace("-", "\0").replace("\0", "-"), "enter")
        await told_of(session, f"{target.name} was killed")
        assert engine.performed == [(Verb.KILL, target.id)]


async def test_what_follows_the_time_out_is_a_choice_that_is_shown() -> None:
    async with acting(FakeEngine()) as session:
        await session.press("2", "j")
        await to_confirm(session, "t")
        assert "forced off" in session.text()
        assert "virsh destroy" in session.text()
        await session.press("f")
        assert "left as it is" in session.text()
        assert "virsh destroy" not in session.text()
        assert "60 s" in session.text()
        await session.press("plus")
        assert "90 s" in session.text()


async def test_marked_workloads_are_acted_on_side_by_side_and_a_failure_leaves_the_others() -> None:
    engine = FakeEngine()
    together = threading.Barrier(3, timeout=10)

    def fail_one(request: object) -> None:
        together.wait()  # all three are under way at once
        if len(engine.performed) and getattr(request, "workload", None) is unlucky:
            raise SourceDown("never reached")

    async with acting(engine) as session:
        await session.press("3", "j", "space", "space", "space")
        targets = session.screen.targets()
        assert len(targets) == 3
        unlucky = targets[1]
        engine.on_perform = fail_one
        await to_confirm(session, "t")
        assert "Stop 3 containers?" in session.text()
        await session.press("right", "enter")
        for target in (targets[0], targets[2]):
            await told_of(session, f"{target.name} was stopped")
        assert {identity for _, identity in engine.performed} == {target.id for target in targets}
        await told_of(session, f"{unlucky.name}: lost contact with the engine")


async def test_a_dozen_successes_are_one_line_and_failures_are_told_singly() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "asterisk")
        targets = session.screen.targets()
        assert len(targets) > 8
        await to_confirm(session, "p")
        engine.gone.add(targets[3].id)
        await session.press("right", "enter")
        await told_of(session, f"{targets[3].name} is gone")
        await told_of(session, f"pause: {len(targets) - 1} of {len(targets)} done")
        assert f"{targets[0].name} was paused" not in notified(session)


async def test_a_group_stands_for_its_members() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "t", "g")
        line = session.screen.view.current()
        assert line is not None
        assert line.members
        assert {one.id for one in session.screen.targets()} == {one.workload.id for one in line.members}


async def test_the_row_shows_what_is_under_way_and_for_how_long() -> None:
    engine = FakeEngine()
    release = threading.Event()
    engine.on_perform = held_by(release)
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        await to_confirm(session, "t")
        await session.press("right", "enter")
        await session.tick(2)
        assert re.search(r"stopping \d+s", session.text())
        await session.press("x")
        assert "stop in progress" in session.text()
        release.set()
        await session.press("escape")
        await told_of(session, "was stopped")
        await session.tick(1)
        assert "stopping" not in session.text()


async def test_locked_the_menu_shows_what_would_be_possible_and_does_nothing() -> None:
    engine = FakeEngine()
    async with acting(engine, read_only=True) as session:
        assert "actions locked" in session.text()
        await session.press("3", "j", "x")
        assert "possible, but locked" in session.text()
        assert "L unlocks" in session.text()
        await session.press("t", "K")
        assert isinstance(session.pilot.app.screen, ActionMenu)
        await session.press("enter")
        assert isinstance(session.pilot.app.screen, LimitsForm), "all that is left is to look at its limits"
        await session.press("escape", "e")
        await told_of(session, "A shell can change a workload")
        await session.press("L")
        await to_confirm(session, "t")
        assert isinstance(session.pilot.app.screen, Confirm)
        assert engine.performed == []


async def test_the_configuration_locks_as_well() -> None:
    async with acting(FakeEngine(), Config(read_only=True)) as session:
        assert "actions locked" in session.text()


async def test_the_services_of_engines_are_protected_unless_the_configuration_says_so() -> None:
    for allowed, is_protected in (((), True), (("service:systemd-journald.service",), False)):
        async with acting(FakeEngine(), Config(actions=ActionConfig(allow_protected=allowed))) as session:
            await session.press("4", "slash", *"journald", "enter", "x")
            assert under_cursor(session).kind is Kind.SERVICE
            assert ("protected" in session.text()) is is_protected


async def test_the_action_log_tells_who_did_what_and_how_it_ended() -> None:
    async with acting(FakeEngine()) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        await to_confirm(session, "p")
        await session.press("right", "enter")
        await told_of(session, f"{target.name} was paused")
        await session.press("A")
        shown = screen_text(session.pilot.app)
        assert "done" in shown
        assert f"{target.name} was paused" in shown
        assert f"docker pause {target.name}" in shown


async def test_the_name_is_copied() -> None:
    async with acting(FakeEngine()) as session:
        await session.press("3", "j", "y")
        assert session.pilot.app.clipboard == under_cursor(session).name


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_menu_and_confirmation_fit(size: tuple[int, int]) -> None:
    async with acting(FakeEngine(), size=size) as session:
        await session.press("2", "j", "x")
        assert "d remove" in session.text()
        await session.press("escape")
        await to_confirm(session, "K")
        shown = session.text()
        assert "Cancel" in shown
        assert "virsh destroy" in shown
        assert max(len(line) for line in shown.splitlines()) <= size[0]


async def test_the_detail_screen_acts_on_its_own_workload_and_has_help() -> None:
    engine = FakeEngine()
    async with acting(engine) as session:
        await session.press("3", "j", "enter")
        await session.pilot.pause(0.2)
        detail = session.pilot.app.screen
        assert isinstance(detail, WorkloadScreen)
        target = detail.target()
        assert target is not None
        await session.press("question_mark")
        assert "Help  One workload" in screen_text(session.pilot.app)
        await session.press("escape")
        await to_confirm(session, "p")
        await session.press("right", "enter")
        await told_of(session, f"{target.name} was paused")
        assert engine.performed == [(Verb.PAUSE, target.id)]


async def test_what_is_done_becomes_an_event_of_the_session() -> None:
    async with acting(FakeEngine()) as session:
        await session.press("3", "j")
        target = under_cursor(session)
        await to_confirm(session, "p")
        await session.press("right", "enter")
        await told_of(session, f"{target.name} was paused")
        told = list(session.screen.sampler._announced)
        assert [(event.what, event.workload) for event in told] == [("asked", target.id), ("action", target.id)]


async def test_a_name_full_of_markup_is_shown_as_it_is_and_its_id_can_be_typed_instead() -> None:
    engine = FakeEngine()
    evil = "[bold red]x[/] [@click=app.quit]y[/]"
    async with acting(engine) as session:
        await session.press("3", "j", "j")
        target = under_cursor(session)
        frame = session.fleet.frame()
        frame.workloads[target.id] = msgspec.structs.replace(target, name=evil)
        session.screen.post_message(FrameReady(frame))
        await session.pilot.pause()
        engine.states[target.id] = Observed(evil, State.RUNNING, "first")
        await to_confirm(session, "K")
        assert session.text().count(evil) >= 2  # title, what to type
        await session.press(*target.short_id, "enter")
        await told_of(session, "was killed")
        assert evil in notified(session)
        assert engine.performed == [(Verb.KILL, target.id)]
