"""The replay on the screen: the same text as live, every key of time, the spool from within."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from textual.pilot import Pilot

from collectors.model.workloads import Event, WorkloadId
from collectors.session.playback import Playback
from collectors.session.reader import Session as SessionFiles
from collectors.session.sinks import file_writer
from tests.app.test_workload_list import screen_text, session
from tests.helpers.demo_fleet import Fleet, with_announced
from tests.unit.collectors.session.test_session_file import fleet_frames, write
from tui.app.replay import ReplayApp
from tui.controllers.frame_feed import FrameReady
from tui.keys.key import TIME, WORK
from tui.keys.tables import LIVE, PAST, REPLAY, TABLES
from tui.screens.detail.replay import ReplayWorkloadScreen
from tui.screens.workloads.replay import ReplayScreen
from tui.settings.screen_options import ScreenOptions

SIZE = (120, 40)


class Replaying:
    """A replay on a virtual screen."""

    def __init__(self, pilot: Pilot[int], playback: Playback) -> None:
        self.pilot, self.playback = pilot, playback

    @property
    def screen(self) -> ReplayScreen:
        return next(one for one in self.pilot.app.screen_stack if isinstance(one, ReplayScreen))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Wait until every key has been carried out and painted."""
        for _ in range(400):
            await self.pilot.pause(0.01)
            if not self.screen.traveler.has_work():
                break
        await self.pilot.pause()

    def text(self) -> str:
        return screen_text(self.pilot.app)

    def status(self) -> str:
        """The timeline's second line."""
        return self.text().splitlines()[-2]


@asynccontextmanager
async def replaying(
    path: Path, size: tuple[int, int] = SIZE, at: int = 0, options: ScreenOptions | None = None
) -> AsyncIterator[Replaying]:
    playback = Playback(SessionFiles([path]))
    playback.go(at)
    app = ReplayApp(playback, options or ScreenOptions())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        running = Replaying(pilot, playback)
        await running.settle()
        yield running


def picture(text: str, mode: str, below: int) -> list[str]:
    """The screen without the interval, the words for where frames come from and the date, and without its foot.

    The bars of the header are as long as what is noted beside them leaves room, and the date is one more note.
    """
    lines = re.sub(rf"( 1s)?  +{mode} ", "  MODE ", text).splitlines()[:-below]
    heads = [re.sub("[━╸─]+", "━", line.partition(" of ")[0]) for line in lines[:2]]
    return [*heads, *lines[2:]]


@pytest.mark.slow
async def test_a_replay_shows_the_text_that_was_shown_live_tick_by_tick(tmp_path: Path) -> None:
    fleet = Fleet(20)
    frames, lived = [], []
    async with session(SIZE, options=ScreenOptions()) as running:
        running.screen.view.clock = lambda: 0.0
        for _ in range(70):
            running.screen.view.release_order()  # as stepping does: it shows the true order of the means
            frames.append(with_announced(fleet.frame(), running.screen.sampler))
            running.screen.post_message(FrameReady(frames[-1]))
            await running.pilot.pause()
            lived.append(picture(running.text(), "LIVE", 1))
    path = write(tmp_path / "a.vmtop.gz", frames)
    async with replaying(path, (SIZE[0], SIZE[1] + 2)) as replayed:
        for number, shown in enumerate(lived):
            again = picture(replayed.text(), "REPLAY", 3)
            assert [line.split() for line in again] == [line.split() for line in shown], f"frame {number}"
            await replayed.press("right")


async def test_a_moment_has_the_same_order_from_whichever_side_it_is_reached(tmp_path: Path) -> None:
    fleet = Fleet(30)
    path = write(tmp_path / "a.vmtop.gz", [fleet.frame() for _ in range(90)])

    def order(replayed: Replaying) -> list[WorkloadId]:
        screen = replayed.pilot.app.screen
        assert isinstance(screen, ReplayScreen)
        return [line.id for line in screen.view.lines]

    orders = []
    async with replaying(path, at=40) as replayed:
        orders.append(order(replayed))
        await replayed.press(*["right"] * 7)
        assert order(replayed) != orders[0]
        await replayed.press(*["left"] * 7)
        orders.append(order(replayed))
        await replayed.press("home")
        await replayed.press("j", *["right"] * 40)
        orders.append(order(replayed))
    assert orders[0] == orders[1] == orders[2]


async def test_every_key_of_time(tmp_path: Path) -> None:
    frames = [msgspec.structs.replace(frame, events=()) for frame in fleet_frames(1500, 4)]
    for number in (30, 700):
        event = Event(frames[number].wall, frames[number].host.id, "note", f"note {number}", "demo")
        frames[number] = msgspec.structs.replace(frames[number], events=(event,))
    path = write(tmp_path / "a.vmtop.gz", frames)
    async with replaying(path, at=10) as running:
        number = 10
        for key, expected in (
            ("right", 11),
            ("T", 10),
            ("right", 11),
            ("left", 10),
            ("right_square_bracket", 70),
            ("left_square_bracket", 10),
            ("right_curly_bracket", 610),
            ("n", 700),
            ("N", 30),
            ("n", 700),
            ("left_curly_bracket", 100),
            ("end", 1499),
            ("right", 1499),
            ("home", 0),
            ("T", 0),
        ):
            await running.press(key)
            assert running.playback.number == expected, f"{key} from {number}"
            assert f"{expected + 1:,} of 1,500" in running.status()
            number = expected
        await running.press("n")
        assert "note 30" in running.status()
        await running.press("b")
        await running.pilot.press(*"+10s", "enter")
        await running.settle()
        assert running.playback.number == 40
        await running.press("b")
        await running.pilot.press(*"soon", "enter")
        await running.pilot.pause()
        assert "'soon' is not a time" in running.text()
        await running.press("escape", "plus", "plus")
        assert "4x" in running.status()
        await running.press("minus")
        assert "2x" in running.status()


async def test_space_plays_at_the_pace_that_was_lived_and_stops_at_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.vmtop.gz", fleet_frames(30, 4))
    async with replaying(path, at=1) as running:
        for _ in range(6):
            await running.press("plus")
        await running.pilot.press("space")
        assert running.screen.traveler.is_playing
        for _ in range(300):
            await asyncio.sleep(0.02)
            if not running.screen.traveler.is_playing:
                break
        assert running.playback.number == 29
        assert not running.screen.traveler.is_playing
        for _ in range(6):
            await running.press("minus")
        await running.pilot.press("space")
        await asyncio.sleep(0.3)
        assert running.playback.number < 29 or running.screen.traveler.is_playing, "at the end it plays from the start"


async def test_sort_filter_detail_and_marks_work_as_they_do_live(tmp_path: Path) -> None:
    frames = fleet_frames(80, 20)
    path = write(tmp_path / "a.vmtop.gz", frames)
    async with replaying(path, at=40) as running:
        await running.press("M")
        assert running.screen.view.sort == "memory_host_bytes"
        await running.press("2")
        assert all(line.reading and line.reading.workload.kind == "vm" for line in running.screen.view.lines)
        await running.press("1", "v")
        assert len(running.screen.view.marks) == 1
        await running.press("enter")
        detail = running.pilot.app.screen
        assert isinstance(detail, ReplayWorkloadScreen)
        before = running.text()
        await running.press("right_square_bracket")
        assert running.playback.number == 79
        assert running.text() != before, "the detail screen moves through time too"
        await running.press("5")
        assert "up to this frame" in running.text()
        await running.press("escape")
        assert isinstance(running.pilot.app.screen, ReplayScreen)
        await running.pilot.press("slash", *"kind=service")
        await running.settle()
        assert "filter kind=service" in running.text()


async def test_nothing_in_a_replay_can_act_on_a_workload(tmp_path: Path) -> None:
    acting = {key.action for key in TABLES[LIVE] if key.group == WORK} - {key.action for key in TABLES[REPLAY]}
    assert {"act", "shell", "lock"} <= acting
    path = write(tmp_path / "a.vmtop.gz", fleet_frames(5))
    async with replaying(path) as running:
        for screen in (running.screen, running.pilot.app.screen):
            bound = {one.action for bindings in screen._bindings.key_to_bindings.values() for one in bindings}
            assert not bound & acting
        for action in sorted(acting):
            assert not hasattr(running.screen, f"action_{action}")
        await running.press("enter")
        detail = running.pilot.app.screen
        for action in sorted(acting):
            assert not hasattr(detail, f"action_{action}")


async def test_a_file_that_is_written_is_followed(tmp_path: Path) -> None:
    frames = fleet_frames(12, 4)
    writer = file_writer(tmp_path / "a.vmtop.gz")
    for frame in frames[:5]:
        writer.write(frame)
    async with replaying(tmp_path / "a.vmtop.gz", at=4) as running:
        await running.pilot.press("space")
        for frame in frames[5:]:
            writer.write(frame)
        for _ in range(500):
            await asyncio.sleep(0.02)
            if running.playback.number == 11:
                break
        assert running.playback.number == 11
        assert running.screen.traveler.is_playing, "it waits for more"
        writer.close()
        for _ in range(200):
            await asyncio.sleep(0.02)
            if not running.screen.traveler.is_playing:
                break
        assert not running.screen.traveler.is_playing


async def test_a_place_on_the_timeline_can_be_clicked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.vmtop.gz", fleet_frames(200, 4))
    async with replaying(path) as running:
        await running.pilot.click("Timeline", offset=(60, 0))
        await running.settle()
        assert 80 < running.playback.number < 120


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (200, 60)])
async def test_the_timeline_is_there_at_every_size(size: tuple[int, int], tmp_path: Path) -> None:
    path = write(tmp_path / "a.vmtop.gz", fleet_frames(30))
    async with replaying(path, size, at=20, options=ScreenOptions(ascii=True)) as running:
        assert "21 of 30" in running.status()
        assert "#" in running.text().splitlines()[-3]
        assert all(ord(character) < 128 for character in running.text())


# --- the live screen and its session ---------------------------------------------------------------------------------


def test_the_replay_has_a_key_for_all_that_peers_have() -> None:
    wanted = {
        "T",
        "left",
        "right",
        "left_square_bracket",
        "right_square_bracket",
        "b",
        "n",
        "N",
        "space",
        "home",
        "end",
    }
    bound = {key for entry in TABLES[REPLAY] if entry.group == TIME for key in entry.keys.split(",")}
    assert wanted <= bound
    for where in (LIVE, PAST, REPLAY):
        keys = [key for entry in TABLES[where] for key in entry.keys.split(",")]
        assert len(keys) == len(set(keys)), f"a key of the {where} screen does two things"
