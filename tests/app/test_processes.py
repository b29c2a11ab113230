"""The pages of processes, through Textual's pilot and with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from textual.widgets import Button

from collectors.engines.connections import EngineConnections
from collectors.inspection.processes import ProcessReader
from collectors.model.workloads import Kind
from collectors.sampling.source import SourceSpec
from tests.app.test_workload_list import Session, session
from tests.helpers.pilot_wait import told_of, until
from tui.controllers.services import Services
from tui.dialogs.confirm_action import Confirm
from tui.dialogs.signals import SignalMenu
from tui.presenters.styled_lines import plain_text
from tui.screens.detail import live
from tui.screens.detail.live import LiveWorkloadScreen
from tui.screens.processes import ProcessesScreen
from tui.themes.look import look_of
from tui.widgets.process_view import ProcessHeads, ProcessLines, ProcessPanel

SECONDS = f"{100_000 + os.getpid()}"
"""What the sleeper sleeps: a word that no other process has."""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", SECONDS]) as child:
        yield child
        child.kill()


async def open_all(running: Session, *words: str) -> ProcessPanel:
    """Open the processes of the host, filtered."""
    await running.tick(2)
    await running.press("p")
    screen = running.pilot.app.screen
    assert isinstance(screen, ProcessesScreen)
    panel = screen.query_one(ProcessPanel)
    await until(running.pilot, lambda: bool(panel.table.rows))
    if words:
        await running.press("slash", *"".join(words), "enter")
    return panel


async def test_all_processes_of_the_host_are_listed_filtered_and_sorted(sleeper: subprocess.Popen[bytes]) -> None:
    async with session() as running:
        panel = await open_all(running, SECONDS)
        await until(running.pilot, lambda: [row.process.pid for row in panel.table.rows] == [sleeper.pid])
        assert f"sleep {SECONDS}" in running.text()
        await until(running.pilot, lambda: "working directory" in running.text())
        await running.press("M")
        assert "▼RSS" in running.text()
        await running.press("escape")
        assert len(panel.table.rows) > 1
        await running.press("escape")
        assert running.pilot.app.screen is running.screen


async def test_enter_shows_the_threads_and_escape_goes_back(sleeper: subprocess.Popen[bytes]) -> None:
    async with session() as running:
        panel = await open_all(running, SECONDS)
        await until(running.pilot, lambda: len(panel.table.rows) == 1)
        await running.press("enter")
        await until(running.pilot, lambda: f"1 thread of sleep {sleeper.pid}" in running.text())
        assert "WAIT%" in running.text()
        await running.press("escape")
        assert not panel.shows_threads
        assert "COMMAND" in running.text()


async def test_a_confirmed_signal_ends_the_process_and_cancel_does_not(sleeper: subprocess.Popen[bytes]) -> None:
    async with session() as running:
        panel = await open_all(running, SECONDS)
        await until(running.pilot, lambda: len(panel.table.rows) == 1)
        for answer in ("enter", "right"):
            await running.press("k")
            await until(running.pilot, lambda: isinstance(running.pilot.app.screen, SignalMenu))
            await running.press("t")
            await until(running.pilot, lambda: isinstance(running.pilot.app.screen, Confirm))
            await until(running.pilot, lambda: not running.pilot.app.screen.query_one("#confirm", Button).disabled)
            assert f"kill -TERM {sleeper.pid}" in running.text()
            await running.press(answer)
            if answer == "enter":
                assert sleeper.poll() is None, "Cancel has the focus"
        await running.press("enter")
        await told_of(running, f"sleep ({sleeper.pid}) ended after TERM")
        assert sleeper.wait(5) == -signal.SIGTERM
        await running.press("A")
        assert "kill -TERM" in running.text()


async def test_the_lock_and_the_protection_hold_for_processes(sleeper: subprocess.Popen[bytes]) -> None:
    async with session() as running:
        await running.tick()
        panel = await open_all(running, SECONDS)
        await until(running.pilot, lambda: len(panel.table.rows) == 1)
        await running.press("L", "k")
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, SignalMenu))
        await running.press("t")
        await told_of(running, "actions are locked")
        assert isinstance(running.pilot.app.screen, SignalMenu)
        await running.press("escape", "L", "escape")
        panel.table.cursor = next(row.process.id for row in panel.table.rows if row.process.pid == 1)
        await running.press("k")
        await told_of(running, "it is process 1")
        assert isinstance(running.pilot.app.screen, ProcessesScreen)
        assert sleeper.poll() is None


async def test_the_page_of_a_workload_lists_what_is_in_its_control_group(
    sleeper: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with session() as running:
        frame = running.fleet.frame()
        target = next(workload for workload in frame.workloads.values() if workload.kind is Kind.CONTAINER)
        group = tmp_path / "box"
        group.mkdir()
        (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
        (group / "cgroup.procs").write_text(f"{sleeper.pid}\n")
        frame.workloads[target.id] = msgspec.structs.replace(target, cgroup="/box")
        monkeypatch.setattr(
            live, "process_reader", lambda connections, moment, workload: ProcessReader(workload, root=str(tmp_path))
        )
        await running.show(frame)
        running.screen.open_workload(target.id)
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, LiveWorkloadScreen))
        await running.press("4")
        await until(running.pilot, lambda: "1 process, 1 thread," in running.text())
        assert f"sleep {SECONDS}" in running.text()
        await running.press("3")
        await until(running.pilot, lambda: "1 process, 1 thread," not in running.text())
        await running.press("4", "escape")
        await until(running.pilot, lambda: running.pilot.app.screen is running.screen)


async def test_headings_sort_a_double_click_opens_and_nothing_found_says_so(sleeper: subprocess.Popen[bytes]) -> None:
    async with session() as running:
        panel = await open_all(running)
        heads = running.text().splitlines()[2]
        await running.pilot.click(ProcessHeads, offset=(heads.index("RSS"), 0))
        assert panel.table.sort == "memory"
        await running.press("slash", *"no-such-thing", "enter")
        await until(running.pilot, lambda: "No process matches no-such-thing" in running.text())
        await running.press("escape", "slash", *SECONDS, "enter")
        await until(running.pilot, lambda: len(panel.table.rows) == 1)
        await running.pilot.click("#process-lines", offset=(5, 0), times=2)
        assert panel.shows_threads
        await until(running.pilot, lambda: "NAME" in running.text().splitlines()[2])


async def test_threads_before_they_are_read_and_a_process_that_ends_meanwhile(sleeper: subprocess.Popen[bytes]) -> None:
    async with session() as running:
        panel = await open_all(running, SECONDS)
        await until(running.pilot, lambda: len(panel.table.rows) == 1)
        panel.show(panel._view._replace(details=None), panel._owners)  # type: ignore[union-attr]
        panel.action_threads()
        (line,) = panel.query_one(ProcessLines).lines
        assert plain_text(line) == " reading ..."
        assert look_of(running.pilot.app).style(line[0][1])
        sleeper.kill()
        sleeper.wait()
        await until(running.pilot, lambda: not panel.shows_threads)
        await told_of(running, "That process has ended")


async def test_the_demo_has_processes_and_no_signals() -> None:
    async with session() as running:
        running.screen.services = Services(EngineConnections([SourceSpec("demo")]))
        panel = await open_all(running)
        await until(running.pilot, lambda: any(row.owner is not None for row in panel.table.rows))
        assert "qemu-system" in running.text()
        await running.press("k")
        await told_of(running, "simulated")
        assert isinstance(running.pilot.app.screen, ProcessesScreen)
