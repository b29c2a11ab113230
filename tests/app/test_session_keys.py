"""The live screen and its session: snapshot, recording, back in time, notes."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collectors.model.workloads import Frame
from collectors.session.format import SessionError
from collectors.session.reader import Session as SessionFiles
from collectors.session.sinks import file_writer
from tests.app.test_replay import SIZE, replaying
from tests.app.test_workload_list import Session
from tests.helpers.demo_fleet import Fleet, QuietSampler
from tests.helpers.pilot_wait import rest, until
from tests.unit.collectors.session.test_session_file import fleet_frames
from tui.app.live import VmtopApp
from tui.controllers import recording
from tui.controllers.frame_feed import FrameReady
from tui.controllers.recording import SessionRecorder
from tui.presenters.table.state import TableState
from tui.screens.detail.live import LiveWorkloadScreen
from tui.screens.detail.replay import ReplayWorkloadScreen
from tui.screens.workloads.live import LiveListScreen
from tui.screens.workloads.replay import ReplayScreen
from tui.settings.screen_options import ScreenOptions
from tui.widgets.process_view import ProcessPanel


@asynccontextmanager
async def kept(folder: Path, base: Path | None) -> AsyncIterator[tuple[Session, SessionRecorder]]:
    """A live screen whose frames are kept in a spool below `base`."""
    session_recorder = SessionRecorder(base)
    sampler = QuietSampler([])
    app = VmtopApp(sampler, ScreenOptions(), None, session_recorder)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await pilot.pause()
        yield Session(pilot, Fleet(6)), session_recorder
    session_recorder.close()


async def live(running: Session, session_recorder: SessionRecorder, count: int) -> list[Frame]:
    """Let frames arrive as the sampler would hand them over: to the recorder and to the screen."""
    frames = [running.fleet.frame() for _ in range(count)]
    for frame in frames:
        session_recorder.recorder.take(frame)
        running.screen.post_message(FrameReady(frame))
        await running.pilot.pause()
    return frames


async def answer(running: Session, path: Path) -> None:
    """Type a path into the question that is open."""
    await running.pilot.press("ctrl+u")
    await running.pilot.pause()
    await running.pilot.press(*str(path), "enter")
    await rest(running.pilot)


async def test_a_snapshot_keeps_the_session_so_far_while_it_goes_on(tmp_path: Path) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        frames = await live(running, session_recorder, 8)
        await running.press("S")
        assert "Save the session so far" in running.text()
        await answer(running, tmp_path / "kept.vmtop.gz")
        app = running.pilot.app
        assert isinstance(app, VmtopApp)
        await until(running.pilot, lambda: "vmtop replay" in app.notices[-1][2])
        frames += await live(running, session_recorder, 3)
        assert running.screen.moment is not None
        assert running.screen.moment.frame == frames[-1]
    files = SessionFiles([tmp_path / "kept.vmtop.gz"])
    assert [frame for _, frame in files.frames()] == frames[:8]
    files.close()
    assert not list((tmp_path / "spool").iterdir()), "the spool is gone at the end"


async def test_a_name_that_is_taken_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    taken = tmp_path / "taken.vmtop.gz"
    taken.write_text("precious")
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 2)
        await running.press("S")
        await answer(running, Path(taken.name))
        assert "already exists" in running.text()
    assert taken.read_text() == "precious"


async def test_a_recording_is_told_in_the_header_and_ends_whole(tmp_path: Path) -> None:
    path = tmp_path / "rec.vmtop.gz"
    async with kept(tmp_path, None) as (running, session_recorder):
        await live(running, session_recorder, 2)
        await running.press("R")
        await answer(running, path)
        frames = await live(running, session_recorder, 5)
        session_recorder.recorder.between_frames(lambda: None).result(20)
        await live(running, session_recorder, 0)
        running.screen.redraw()
        await running.pilot.pause()
        assert "REC 4.0s" in running.text()
        await running.press("R")
        await until(running.pilot, lambda: "Recorded" in running.text())
        assert "REC" not in running.text().splitlines()[1]
    files = SessionFiles([path])
    assert [frame for _, frame in files.frames()] == frames
    files.close()


async def test_back_in_time_and_to_now_again_while_nothing_pauses(tmp_path: Path) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 10)
        await running.press("j", "M")
        view: TableState = running.screen.view
        await running.press("T")
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, ReplayScreen))
        past = running.pilot.app.screen
        assert isinstance(past, ReplayScreen)
        assert past.playback.number == 8, "one step before now"
        assert (past.view.sort, past.view.cursor) == (view.sort, view.cursor), "the view is the same"
        assert "PAST" in running.text()
        await running.press("home")
        await until(running.pilot, lambda: past.playback.number == 0)
        frames = await live(running, session_recorder, 3)
        assert past.playback.number == 0, "the past stands still"
        await running.press("end")
        await running.pilot.pause()
        assert isinstance(running.pilot.app.screen, LiveListScreen)
        assert running.screen.moment is not None
        assert running.screen.moment.frame == frames[-1]
        assert running.screen.shown_moment == running.screen.moment


@pytest.mark.parametrize(("key", "latest"), [("T", 8), ("left_square_bracket", 7)])
async def test_a_workloads_own_page_goes_back_to_its_past_and_returns_to_now(
    tmp_path: Path, key: str, latest: int
) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 10)
        app = running.pilot.app
        await running.press("j", "enter")
        now = app.screen
        assert isinstance(now, LiveWorkloadScreen)
        await running.press(key)
        await until(running.pilot, lambda: isinstance(app.screen, ReplayWorkloadScreen))
        past = app.screen
        assert isinstance(past, ReplayWorkloadScreen)
        assert past.identity == now.identity
        assert "running  PAST 20" in running.text()
        await until(running.pilot, lambda: past.traveler.playback.number <= latest)
        await rest(running.pilot)
        await running.press("escape")
        await until(running.pilot, lambda: app.screen is now)


async def test_on_the_page_of_processes_t_sorts_by_time_and_goes_nowhere(tmp_path: Path) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 4)
        await running.press("j", "enter", "4")
        page = running.pilot.app.screen
        assert isinstance(page, LiveWorkloadScreen)
        assert page.shows_processes()
        await running.press("T")
        await rest(running.pilot)
        assert running.pilot.app.screen is page
        assert page.query_one(ProcessPanel).table.sort == "time"


@pytest.mark.parametrize(
    ("key", "words"), [("left_curly_bracket", "start of the session"), ("n", "no event after this one")]
)
async def test_what_a_time_key_says_goes_by_and_the_way_back_to_now_stays_open(
    tmp_path: Path, key: str, words: str
) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 10)
        await running.press("T")
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, ReplayScreen))
        await running.press(key)
        await until(running.pilot, lambda: words in running.text())
        await until(running.pilot, lambda: words not in running.text())
        await running.press("end")
        await until(running.pilot, lambda: running.pilot.app.screen is running.screen)


async def test_a_recording_is_told_in_the_past_too_and_q_comes_back_to_now(tmp_path: Path) -> None:
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 5)
        await running.press("R")
        await answer(running, tmp_path / "rec.vmtop.gz")
        await live(running, session_recorder, 3)
        await running.press("T")
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, ReplayScreen))
        await until(running.pilot, lambda: "REC" in running.text().splitlines()[1])
        await running.press("x")
        assert "End returns to now" in running.text()
        await running.press("q")
        assert isinstance(running.pilot.app.screen, LiveListScreen)
        assert session_recorder.recording is not None, "the recording goes on"


async def test_end_stays_at_the_end_of_a_session_that_grows(tmp_path: Path) -> None:
    frames = fleet_frames(12, 2)
    writer = file_writer(tmp_path / "a.vmtop.gz")
    for frame in frames[:6]:
        writer.write(frame)
    async with replaying(tmp_path / "a.vmtop.gz", at=2) as running:
        await running.press("end")
        assert running.playback.number == 5
        for frame in frames[6:]:
            writer.write(frame)
        await until(running.pilot, lambda: running.playback.number == 11)
        await running.press("T")
        assert running.playback.number == 10
    writer.close()


async def test_without_a_spool_the_keys_say_why(tmp_path: Path) -> None:
    async with kept(tmp_path, None) as (running, session_recorder):
        await live(running, session_recorder, 2)
        await running.press("T")
        await until(running.pilot, lambda: "--no-spool" in running.text())


async def test_a_note_lands_on_the_timeline(tmp_path: Path) -> None:
    async with kept(tmp_path, None) as (running, session_recorder):
        await live(running, session_recorder, 2)
        await running.press("colon")
        await running.pilot.press(*"mark deployed [b]2[/b]")
        await running.pilot.pause(0.5)
        await running.pilot.press("enter")
        await until(running.pilot, lambda: bool(running.screen.sampler._announced))
        announced = list(running.screen.sampler._announced)
        assert [(event.what, event.detail) for event in announced] == [("note", "deployed [b]2[/b]")]
        assert announced[0].workload == running.screen.moment.frame.host.id  # type: ignore[union-attr]


async def test_a_disk_that_does_not_answer_is_a_sentence_and_not_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_PATIENCE_S", 0.05)
    async with kept(tmp_path, tmp_path / "spool") as (running, session_recorder):
        await live(running, session_recorder, 3)
        is_back = threading.Event()
        session_recorder.recorder.between_frames(is_back.wait)
        try:
            for call in (session_recorder.paths, lambda: session_recorder.snapshot(tmp_path / "s.vmtop.gz")):
                with pytest.raises(SessionError, match=r"its disk has not answered for .* s; try again later"):
                    call()
        finally:
            is_back.set()
        assert session_recorder.paths()
