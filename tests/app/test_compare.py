"""The comparison screen."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from collectors.comparison.workload_classes import Classes, classify
from collectors.model.errors import SourceDown
from tests.app.test_replay import Replaying, replaying
from tests.app.test_session_keys import kept, live
from tests.app.test_workload_list import Session
from tests.helpers.pilot_wait import until
from tests.unit.collectors.session.test_session_file import fleet_frames, write
from tui.screens.compare import CompareScreen
from tui.screens.workload_classes import ClassesScreen


def compared(running: Session | Replaying) -> CompareScreen:
    screen = running.pilot.app.screen
    assert isinstance(screen, CompareScreen)
    return screen


def has_worked(running: Session | Replaying, count: int = 0) -> Callable[[], bool]:
    def look() -> bool:
        screen = running.pilot.app.screen
        shown = screen._shown if isinstance(screen, CompareScreen) else None
        return shown is not None and len(shown.sides[0].past.walls) >= count

    return look


async def test_marked_workloads_are_compared_while_the_frames_go_on(tmp_path: Path) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        frames = await live(running, session_recorder, 8)
        await running.press("space", "space", "equals_sign")
        await until(running.pilot, has_worked(running, 8))
        screen = compared(running)
        names = [workload.name for workload in screen.workloads]
        assert len(names) == 2
        assert all(name in running.text() for name in names)
        frames += await live(running, session_recorder, 3)
        await until(running.pilot, has_worked(running, 11))
        shown = screen._shown
        assert shown is not None
        assert shown.sides[0].past.walls == [frame.wall for frame in frames], "the past from the spool, then the frames"
        await running.press("v")
        await until(running.pilot, lambda: "95th percentile of 1 min" in running.text())
        cpu = next(line for line in running.text().splitlines() if line.startswith("  CPU%"))
        assert re.search(r"[-+]\d+%|x\d|same", cpu), "the difference stands after the number"
        await running.press("2")
        await until(running.pilot, lambda: f"differences to 2 {names[1]}" in running.text())
        await running.press("o")
        await until(running.pilot, lambda: "each on a scale of its own" in running.text())
        await running.press("o")
        await until(running.pilot, lambda: f"━ 2 {names[1]}" in running.text())
        await running.press("o")
        await until(running.pilot, lambda: "the same scale for all, 0 to" in running.text())
        await running.press("escape")
        assert running.pilot.app.screen is running.screen


async def test_a_comparison_that_fails_says_so_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the past is torn")

    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 4)
        with monkeypatch.context() as broken:
            broken.setattr("tui.screens.compare.fill", fail)
            await running.press("space", "space", "equals_sign")
            await until(running.pilot, lambda: "the past is torn" in running.text())
        await running.press("w")
        await until(running.pilot, has_worked(running, 4))
        await until(running.pilot, lambda: "the past is torn" not in running.text())


async def test_without_two_marks_the_key_says_what_to_do(tmp_path: Path) -> None:
    async with kept(tmp_path, None) as (running, session_recorder):
        await live(running, session_recorder, 2)
        await running.press("space", "equals_sign")
        assert "Mark 2 to 8 workloads" in running.text()


async def test_with_no_marks_the_classes_are_compared(tmp_path: Path) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 8)
        await running.press("equals_sign")
        await until(running.pilot, lambda: "BARE METAL" in running.text())
        shown = running.text()
        assert "─ boundary  what keeps it apart" in shown, "the details of the row under the cursor"
        await running.press(*["j"] * 6)
        assert "─ CPU overhead  " in running.text(), "headings are passed over"
        await running.press("escape")
        assert running.pilot.app.screen is running.screen


async def test_in_a_replay_the_classes_are_those_of_that_moment(tmp_path: Path) -> None:
    async with replaying(write(tmp_path / "a.vmtop.gz", fleet_frames(100, 12)), at=80) as running:
        await running.press("equals_sign")
        await until(running.pilot, lambda: "BARE METAL" in running.text())
        assert "a session does not record it" in running.text(), "isolation is not recorded"
        for _ in range(30):
            if "─ memory, host pays" in running.text():
                break
            await running.press("j")
        shown = " ".join(running.text().split())
        assert "mean of MEM over 60 readings" in shown
        assert "● median" in shown
        await running.press("enter")
        await until(running.pilot, lambda: "memory, host pays: every workload" in running.text())
        await running.press("escape", "y", "D")
        assert "disk, guest side" not in running.text(), "only one class has it"
        await running.press("escape")
        assert running.pilot.app.screen is running.screen


async def test_while_the_classes_are_measured_the_screen_says_how_far_it_is(tmp_path: Path) -> None:
    going = threading.Event()

    def work(tell: Callable[[int], None]) -> Classes:
        tell(3)
        going.wait(20)
        raise SourceDown("the host went away")

    async with kept(tmp_path, None) as (running, session_recorder):
        await live(running, session_recorder, 2)
        running.pilot.app.push_screen(ClassesScreen(work, 40))
        await until(running.pilot, lambda: "measuring: 3 of 40 workloads" in running.text())
        going.set()
        await until(running.pilot, lambda: "cannot be measured: the host went away" in running.text())
        await running.press("escape")
        assert running.pilot.app.screen is running.screen


async def test_without_a_spool_the_comparison_begins_now(tmp_path: Path) -> None:
    async with kept(tmp_path, None) as (running, session_recorder):
        await live(running, session_recorder, 3)
        await running.press("space", "space", "equals_sign")
        await until(running.pilot, has_worked(running, 1))
        await live(running, session_recorder, 2)
        await until(running.pilot, has_worked(running, 3))


async def test_when_more_becomes_known_the_cursor_stays_on_its_metric(tmp_path: Path) -> None:
    """Rates need two frames: their rows come above those that are there at once."""
    async with kept(tmp_path, None) as (running, session_recorder):
        await live(running, session_recorder, 2)
        await running.press("space", "space", "equals_sign")
        await until(running.pilot, has_worked(running, 1))
        first = legend(running)
        await running.press("j")
        chosen = legend(running)
        await live(running, session_recorder, 3)
        await until(running.pilot, has_worked(running, 4))
        await running.pilot.pause()
        assert legend(running) == chosen != first


def legend(running: Session) -> str:
    """The metric that is charted."""
    return next(line for line in running.text().splitlines() if line.startswith("─ ")).split("  ")[0]


async def test_in_a_replay_it_is_of_that_moment(tmp_path: Path) -> None:
    frames = fleet_frames(200, 6)
    async with replaying(write(tmp_path / "a.vmtop.gz", frames), at=150) as running:
        await running.press("v", "v", "equals_sign")
        await until(running.pilot, has_worked(running, 60))
        shown = compared(running)._shown
        assert shown is not None
        assert shown.sides[0].past.walls == [frame.wall for frame in frames[91:151]], "the last minute before it"
        await running.press("w")
        await until(running.pilot, has_worked(running, 151))
        shown = compared(running)._shown
        assert shown is not None
        line = shown.charts["cpu_percent"][0]
        assert len(line) == 151
        assert math.isnan(line[0]), "the session's first frame has no rate"


@pytest.mark.parametrize(("size", "count"), [((80, 24), 2), ((200, 60), 8), ((40, 12), 2)])
async def test_it_fits_any_screen(size: tuple[int, int], count: int, tmp_path: Path) -> None:
    async with replaying(write(tmp_path / "a.vmtop.gz", fleet_frames(60, 12)), size, at=50) as running:
        await running.press("a", *["v"] * count, "equals_sign")
        await until(running.pilot, has_worked(running))
        await running.pilot.pause(0.1)
        lines = running.text().splitlines()
        assert all(len(line) <= size[0] for line in lines)
        assert any(line.startswith("  CPU%") for line in lines)
        has_chart = any(line.startswith("─ CPU%  the same scale for all") for line in lines)
        assert has_chart == (size[1] >= 24)


async def test_only_what_differs_is_left_and_the_table_is_copied_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    async with replaying(write(tmp_path / "a.vmtop.gz", fleet_frames(60, 12)), (120, 50), at=50) as running:
        await running.press("v", "v", "equals_sign")
        await until(running.pilot, has_worked(running))
        screen = compared(running)
        await until(running.pilot, lambda: "OOM kills" in running.text())
        all_rows = len(screen._rows)
        await running.press("D")
        await until(running.pilot, lambda: "OOM kills" not in running.text())
        assert 0 < len(screen._rows) < all_rows
        monkeypatch.setattr(running.pilot.app, "copy_to_clipboard", copied.append)
        await running.press("y")
        assert copied[0].splitlines()[2].startswith("  CPU%")


async def test_where_nothing_runs_the_classes_say_so_and_no_progress_stays(tmp_path: Path) -> None:
    nothing = classify([], {}, {}, fleet_frames(1, 1)[0])
    async with kept(tmp_path, None) as (running, session_recorder):
        await live(running, session_recorder, 2)
        running.pilot.app.push_screen(ClassesScreen(lambda tell: nothing, 0))
        await until(running.pilot, lambda: "nothing runs here to compare" in running.text())
        await running.pilot.pause(0.5)
        assert "measuring" not in running.text()
        await running.press("j", "enter", "D", "y", "escape")
        assert running.pilot.app.screen is running.screen


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (200, 50), (40, 12)])
async def test_the_classes_fit_any_screen(size: tuple[int, int], tmp_path: Path) -> None:
    async with replaying(write(tmp_path / "a.vmtop.gz", fleet_frames(60, 12)), size, at=50) as running:
        await running.press("equals_sign")
        await until(running.pilot, lambda: "metal" in running.text() and "measuring" not in running.text())
        lines = running.text().splitlines()
        assert len(lines) <= size[1]
        assert all(len(line) <= size[0] for line in lines)
