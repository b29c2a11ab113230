"""Own commands through keys and the menu: with the workload that was chosen, or not at all."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Button

from collectors.actions.protection import Protection
from collectors.model.actions import Observed
from collectors.model.workloads import Kind, Workload
from tests.app.test_workload_list import Session
from tests.helpers.demo_fleet import Fleet, QuietSampler
from tests.helpers.fake_engines import FakeEngine, means_with
from tests.helpers.pilot_wait import notified, told_of, until
from tui.app.live import VmtopApp
from tui.configuration.config import Config
from tui.configuration.own_commands import OwnCommand
from tui.dialogs.action_menu import ActionMenu
from tui.dialogs.confirm_command import ConfirmCommand
from tui.settings.screen_options import ScreenOptions

WRITE = (
    "import os, sys; open(sys.argv[1], 'a').write(os.environ['VMTOP_ID'] + ' ' + sys.argv[2] + '\\n'); print('done so')"
)


def writing(target: Path, key: str, is_safe: bool = False) -> OwnCommand:
    """Return a command that appends the workload's id and name to a file."""
    return OwnCommand(
        "write",
        (sys.executable, "-c", WRITE, str(target), "{name}"),
        key,
        is_in_terminal=False,
        is_safe=is_safe,
        needs_confirmation=not is_safe,
    )


@asynccontextmanager
async def screen(
    commands: tuple[OwnCommand, ...], engine: FakeEngine, read_only: bool = False
) -> AsyncIterator[tuple[Session, Workload]]:
    """A screen with own commands, and the container under its cursor."""
    config = Config(read_only=read_only, commands=commands)
    app = VmtopApp(QuietSampler(), ScreenOptions(sort="name", only="container"), means_with(engine, config))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        session = Session(pilot, Fleet(12))
        await session.tick(2)
        await session.press("j")
        target = session.screen.target()
        assert target is not None
        assert target.kind is Kind.CONTAINER
        yield session, target


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


async def test_a_key_runs_a_safe_one_at_once_and_the_log_knows(tmp_path: Path) -> None:
    target = tmp_path / "written"
    async with screen((writing(target, "ctrl+o", is_safe=True),), FakeEngine()) as (session, workload):
        await session.press("ctrl+o")
        await told_of(session, f"{workload.name}: write ended with exit code 0: done so")
        assert lines(target) == [f"{workload.id.id} {workload.name}"]
        (entry,) = session.screen.actions.runner.log.recent(5)
        assert (entry.verb, entry.name, entry.id, entry.result) == (
            "own command 'write'",
            workload.name,
            workload.id.id,
            "done",
        )


async def test_what_is_not_safe_is_confirmed_and_cancel_is_preselected(tmp_path: Path) -> None:
    target = tmp_path / "written"
    async with screen((writing(target, "ctrl+o"),), FakeEngine()) as (session, workload):
        await session.press("ctrl+o")
        assert isinstance(session.pilot.app.screen, ConfirmCommand)
        await session.press("enter")
        assert not isinstance(session.pilot.app.screen, ConfirmCommand)
        assert lines(target) == []
        await session.press("x")
        assert isinstance(session.pilot.app.screen, ActionMenu)
        await session.press("1")
        dialog = session.pilot.app.screen
        assert isinstance(dialog, ConfirmCommand)
        await until(session.pilot, lambda: not dialog.query_one("#confirm", Button).disabled)
        await session.press("right", "enter")
        await told_of(session, "write ended with exit code 0")
        assert lines(target) == [f"{workload.id.id} {workload.name}"]


async def test_an_own_command_runs_with_the_workload_that_was_chosen_or_not_at_all(tmp_path: Path) -> None:
    target, engine = tmp_path / "written", FakeEngine()
    async with screen((writing(target, "ctrl+o", is_safe=True),), engine) as (session, workload):
        engine.states[workload.id] = Observed("another", workload.state, "first")
        await session.press("ctrl+o")
        await told_of(session, "write was not run: the workload is now called another")
        engine.gone.add(workload.id)
        await session.press("ctrl+o")
        await told_of(session, "write was not run: the workload is gone")
        assert lines(target) == []


async def test_locked_only_safe_commands_run(tmp_path: Path) -> None:
    target = tmp_path / "written"
    commands = (writing(target, "ctrl+o"), writing(target, "ctrl+y", is_safe=True))
    async with screen(commands, FakeEngine(), read_only=True) as (session, workload):
        await session.press("ctrl+o")
        await told_of(session, "write: actions are locked; L unlocks them")
        assert lines(target) == []
        await session.press("ctrl+y")
        await told_of(session, "write ended with exit code 0")
        assert lines(target) == [f"{workload.id.id} {workload.name}"]


async def test_a_protected_workload_is_left_alone_by_what_is_not_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Protection, "reason", lambda *_: "it is dear to me")
    async with screen((writing(tmp_path / "written", "ctrl+o"),), FakeEngine()) as (session, _):
        await session.press("ctrl+o")
        await told_of(session, "write: protected: it is dear to me")


async def test_several_marked_workloads_are_too_many_and_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    commands = (
        writing(tmp_path / "written", "ctrl+o", is_safe=True),
        OwnCommand("none", ("no-such-program",), "ctrl+y"),
    )
    async with screen(commands, FakeEngine()) as (session, _):
        await session.press("ctrl+y")
        await told_of(session, "none: there is no program 'no-such-program'")
        await session.press("space", "space", "ctrl+o")
        await told_of(session, "write: for one workload at a time")
        assert "exit code" not in notified(session)


async def test_they_are_in_help_and_palette_with_their_keys(tmp_path: Path) -> None:
    async with screen((writing(tmp_path / "written", "ctrl+o"),), FakeEngine()) as (session, _):
        await session.press("question_mark", *"own")
        assert "Own commands" in session.text()
        assert "Ctrl-O" in session.text()
        await session.press("escape", "escape", "colon", *"writ")
        assert "write: " in session.text()
