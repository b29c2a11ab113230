"""What the live screen reads of its own session, and that it lets go of it: comparisons, back in time, notes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from collectors.comparison import facts as reader_module
from collectors.model.workloads import Workload
from collectors.session.format import SessionError
from tests.app.test_session_keys import kept, live
from tests.app.test_workload_list import Session
from tests.helpers.pilot_wait import rest, until
from tui.controllers.recording import SessionRecorder
from tui.dialogs.prompt import PromptDialog
from tui.screens import workload_classes as classes_module
from tui.screens.compare import CompareScreen
from tui.screens.workload_classes import ClassesScreen
from tui.screens.workloads import live as overview_module
from tui.screens.workloads.replay import ReplayScreen

MARKUP = "[/b] [bold]x[@click=app.quit]"


def opened(folder: Path) -> list[str]:
    """The files below a folder that this process has open."""
    links = []
    for entry in os.scandir("/proc/self/fd"):
        try:
            links.append(os.readlink(entry.path))
        except OSError:
            continue  # closed meanwhile
    return sorted(link for link in links if link.startswith(str(folder)))


class FakeReader:
    """Notes whether it may ask guest agents, and whom it is to read."""

    asked: list[tuple[bool, list[Workload]]]

    def __init__(self, reach: object, may_write: bool = True) -> None:
        self._may_write = may_write

    def begin(self, workloads: Sequence[Workload]) -> None:
        pass

    def read_all(self, workloads: Sequence[Workload], tell: Callable[[int], None]) -> dict[Any, Any]:
        self.asked.append((self._may_write, list(workloads)))
        return {}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, list[Workload]]]:
    """Let facts be read by no one; return how they would have been."""
    FakeReader.asked = []
    monkeypatch.setattr(reader_module, "FactsReader", FakeReader)
    monkeypatch.setattr(overview_module, "_LOOK_S", 0.0)
    return FakeReader.asked


async def test_guest_agents_are_asked_only_while_actions_are_unlocked(
    tmp_path: Path, asked: list[tuple[bool, list[Workload]]]
) -> None:
    """Asking one is a command to the guest; libvirt takes it only from who may write."""
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 3)
        for is_locked in (False, True, False):
            assert running.screen.actions.is_locked == is_locked
            await running.press("equals_sign")
            await until(running.pilot, lambda: "bare metal" in running.text())
            await running.press("escape", "L")
        assert [may_write for may_write, _ in asked] == [True, False, True]
        assert all(workloads for _, workloads in asked)
        assert all(one.state.is_active for _, workloads in asked for one in workloads)


async def test_how_far_measuring_is_is_told_no_more_when_it_is_done(
    tmp_path: Path, asked: list[tuple[bool, list[Workload]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classes_module, "_PROGRESS_EVERY_S", 0.01)
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 3)
        await running.press("equals_sign")
        await until(running.pilot, lambda: "median of each class" in running.text())
        for _ in range(5):
            await running.pilot.pause(0.02)
            assert "median of each class" in running.text()
        assert len(asked) == 1


async def test_what_a_comparison_reads_of_the_session_is_let_go_of(
    tmp_path: Path, asked: list[tuple[bool, list[Workload]]]
) -> None:
    spool = tmp_path / "spool"
    async with kept(tmp_path, spool) as (running, session_recorder):
        frames = await live(running, session_recorder, 5)
        paths, before = session_recorder.paths(), opened(spool)
        frames_read = list(running.screen.frames_since(frames[2].wall))
        assert [frame.wall for frame in frames_read] == [frame.wall for frame in frames[2:]]
        assert opened(spool) == before
        stream = iter(running.screen.frames_since(0.0))
        next(stream)
        assert len(opened(spool)) == len(before) + len(paths), "as long as it is read"
        stream.close()  # type: ignore[attr-defined]  # it is a generator; the annotation promises less
        assert opened(spool) == before
        for keys in (("equals_sign",), ("space", "space", "equals_sign")):
            await running.press(*keys)
            await rest(running.pilot)
            assert isinstance(running.pilot.app.screen, ClassesScreen | CompareScreen)
            await running.press("escape")
            assert opened(spool) == before
        assert asked


@pytest.mark.parametrize("key", ["end", "q", "escape"])
async def test_back_from_the_past_the_session_is_let_go_of(tmp_path: Path, key: str) -> None:
    spool = tmp_path / "spool"
    async with kept(tmp_path, spool) as (running, session_recorder):
        await live(running, session_recorder, 5)
        session_recorder.paths()
        before = opened(spool)
        await running.press("T")
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, ReplayScreen))
        assert len(opened(spool)) > len(before)
        await rest_and_press(running, key)
        await until(running.pilot, lambda: running.pilot.app.screen is running.screen)
        await until(running.pilot, lambda: opened(spool) == before)


async def fill_in(running: Session, text: str) -> None:
    """Give an answer to the question that is open."""
    await until(running.pilot, lambda: isinstance(running.pilot.app.screen, PromptDialog))
    running.pilot.app.screen.query_one(Input).value = text
    await running.press("enter")
    await rest(running.pilot)


async def rest_and_press(running: Session, key: str) -> None:
    await rest(running.pilot)
    await running.press(key)


async def test_a_session_that_cannot_be_read_is_named_in_the_comparison_and_does_not_end_vmtop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: SessionRecorder) -> list[Path]:
        raise OSError(5, "Input/output error")

    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 3)
        monkeypatch.setattr(SessionRecorder, "paths", fail)
        await running.press("space", "space", "equals_sign")
        await until(running.pilot, lambda: "Cannot compare" in running.text())
        assert "Input/output error" in running.text()
        await running.press("escape")
        await until(running.pilot, lambda: running.pilot.app.screen is running.screen)
        await live(running, session_recorder, 1)
        await running.press("U", "equals_sign")
        await until(running.pilot, lambda: "cannot be measured: unexpected error" in running.text())
        await running.press("escape")
        await until(running.pilot, lambda: running.pilot.app.screen is running.screen)
        assert running.pilot.app.is_running


async def test_a_note_that_looks_like_markup_is_kept_as_it_is(tmp_path: Path) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 2)
        noted: list[str] = []
        session_recorder.announce = lambda event: noted.append(event.detail)
        running.screen.action_note()
        await fill_in(running, MARKUP)
        assert noted == [MARKUP]
        await until(running.pilot, lambda: f"noted: {MARKUP}" in running.text())


async def test_a_note_that_nothing_would_keep_is_refused_before_it_is_typed(tmp_path: Path) -> None:
    async with kept(tmp_path, None) as (running, session_recorder):
        await live(running, session_recorder, 2)
        running.screen.action_note()
        await until(running.pilot, lambda: "Nothing would keep a note" in running.text())
        assert running.pilot.app.screen is running.screen
        session_recorder.record(tmp_path / "kept.vmtop.gz")
        running.screen.action_note()
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, PromptDialog))
        session_recorder.stop()


async def test_a_file_name_that_looks_like_markup_is_told_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "[bold]x[@click=app.quit].vmtop.gz"
    monkeypatch.chdir(tmp_path)
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 3)
        await running.press("S")
        await fill_in(running, name)
        await until(running.pilot, lambda: f"vmtop replay {name}" in running.text())
        await running.press("S")
        await fill_in(running, name)
        assert isinstance(running.pilot.app.screen, PromptDialog)
        assert f"{name} already exists" in running.text()
        await running.press("escape")

        def refuse(_: SessionRecorder, path: Path) -> None:
            raise SessionError(f"{path} cannot be created")

        monkeypatch.setattr(SessionRecorder, "record", refuse)
        await running.press("R")
        await fill_in(running, f"2{name}")
        await until(running.pilot, lambda: f"2{name} cannot be created" in running.text())
