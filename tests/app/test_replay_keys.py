"""Keys of a replay at the ends of what they do, and what it says where they do nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.session.playback import Playback
from tests.app.test_replay import Replaying, replaying
from tests.app.test_workload_list import Session
from tests.helpers.pilot_wait import until
from tests.unit.collectors.session.test_session_file import fleet_frames, write
from tui.widgets.workload_table import WorkloadTable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "a.vmtop.gz", fleet_frames(60, 12))


def told(running: Replaying | Session) -> list[str]:
    return [one.message for one in running.pilot.app._notifications]


async def test_the_speed_ends_at_the_slowest_and_at_the_fastest(path: Path) -> None:
    async with replaying(path, at=5) as running:
        passed = []
        for key in ["plus"] * 7 + ["minus"] * 10 + ["plus"]:
            await running.press(key)
            passed.append(running.screen.traveler.speed)
        assert passed == [2, 4, 8, 16, 32, 64, 64, 32, 16, 8, 4, 2, 1, 0.5, 0.25, 0.25, 0.25, 0.5]
        assert "0.5x" in running.status()


async def test_steps_end_at_the_first_and_at_the_last_frame(path: Path) -> None:
    async with replaying(path, at=1) as running:
        for key, number in (("left", 0), ("left", 0), ("end", 59), ("right", 59), ("right", 59), ("left", 58)):
            await running.press(key)
            assert running.playback.number == number, f"after {key}"


@pytest.mark.parametrize("key", ["x", "L", "R", "l"])
async def test_a_key_of_the_live_screen_says_why_it_does_nothing(path: Path, key: str) -> None:
    async with replaying(path, at=5) as running:
        await running.press(key)
        assert told(running) == ["recordings are read-only"]


async def test_the_table_and_the_panes_are_of_the_frame_and_the_cursor(path: Path) -> None:
    async with replaying(path, at=5) as running:
        await running.press("j", "j", "right_square_bracket")
        line = running.screen.view.current()
        assert line is not None
        assert line.reading is not None
        shown = [one for one in running.text().splitlines() if one.startswith(f"─ {line.label}  ")]
        assert len(shown) == 1
        moment = running.playback.moment
        assert moment is not None
        assert line.reading == moment.readings[line.id]
        assert running.screen.query_one(WorkloadTable).lines == running.screen.view.lines


@pytest.mark.parametrize("typed", ["[/b]", "25:99[bold]", "yesterdax"])
async def test_a_time_that_is_none_is_told_as_it_was_typed_and_asked_for_again(path: Path, typed: str) -> None:
    async with replaying(path, at=5) as running:
        await running.press("b")
        await running.pilot.press(*typed, "enter")
        await until(running.pilot, lambda: typed in "".join(running.text().splitlines()[-24:]))
        assert running.playback.number == 5
        await running.press("escape")
        assert running.pilot.app.screen is running.screen


async def test_a_frame_that_cannot_be_read_is_told_and_ends_no_replay(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Playback, number: int) -> None:
        raise OSError(5, "Input/output error")

    async with replaying(path, at=5) as running:
        with monkeypatch.context() as broken:
            broken.setattr(Playback, "go", fail)
            await running.press("right")
            await until(running.pilot, lambda: any("Input/output error" in one for one in told(running)))
        await running.press("right")
        await until(running.pilot, lambda: running.playback.number == 6)
