"""The history of the workload on screen: read from the session, live and in the past, without holding up the screen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from collectors.analysis.rates import Deriver
from collectors.analysis.tracker import MomentTracker
from collectors.model.workloads import Frame
from tests.unit.collectors.session.test_session_file import fleet_frames
from tui.controllers import history_feed
from tui.controllers.history_feed import HistoryFeed

COUNT = 300


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    return fleet_frames(COUNT, 4)


class Source:
    """The session, up to a moment; notes what was read of it."""

    def __init__(self, frames: list[Frame], until: int) -> None:
        self.frames, self.until = frames, until
        self.asked: list[float] = []

    def __call__(self, wall: float) -> Iterator[Frame]:
        self.asked.append(wall)
        return (frame for frame in self.frames[: self.until] if frame.wall >= wall)


def means(feed: HistoryFeed, key: str, wall: float, count: int) -> list[float]:
    return feed.history.columns(key, wall, 1, count).means


async def test_moments_that_come_while_the_past_is_read_are_not_lost(frames: list[Frame]) -> None:
    """The session ends where the reading of it began; the frames after it come from the screen."""
    identity = next(iter(frames[0].workloads))
    source, going = Source(frames, 200), threading.Event()

    def slow(wall: float) -> Iterator[Frame]:
        for frame in source(wall):
            if frame is frames[190]:
                going.wait(10)
            yield frame

    feed, deriver = HistoryFeed(identity, slow), Deriver()
    wall = frames[199].wall
    assert feed.lacks(wall - 100, wall, True)
    reading = asyncio.ensure_future(feed.read(wall - 100, wall, True))
    await asyncio.sleep(0.1)
    for frame in frames[195:210]:
        feed.take(deriver.feed(frame))
    going.set()
    await reading
    assert not feed.lacks(wall - 100, wall, True)
    assert all(mean == mean for mean in means(feed, "pids", frames[209].wall, 100)), "no gap where the two meet"


async def test_a_step_forward_in_the_past_is_added_and_a_step_back_reads_nothing(frames: list[Frame]) -> None:
    identity = next(iter(frames[0].workloads))
    source = Source(frames, 150)
    feed = HistoryFeed(identity, source)
    now = frames[149].wall
    await feed.read(now - 50, now, False)
    first = feed.history
    assert not feed.lacks(now - 40, now, False)
    assert not feed.lacks(now - 50, now - 10, False), "a step back"
    source.until, later = 160, frames[159].wall
    assert feed.lacks(later - 50, later, False)
    await feed.read(later - 50, later, False)
    assert feed.history is first
    assert source.asked[-1] == now, "only what is new"
    assert all(mean == mean for mean in means(feed, "cpu_percent", later, 50))
    await feed.read(frames[20].wall - 50, frames[20].wall, False)
    assert feed.history is not first, "a leap back reads anew"


async def test_values_are_those_of_the_moments(frames: list[Frame]) -> None:
    identity = next(iter(frames[0].workloads))
    feed, deriver = HistoryFeed(identity, Source(frames, COUNT)), Deriver()
    await feed.read(frames[100].wall, frames[-1].wall, False)
    moments = [deriver.feed(frame) for frame in frames]
    lived = [moment.readings[identity].value("cpu_percent") for moment in moments[-50:]]
    assert means(feed, "cpu_percent", frames[-1].wall, 50) == lived


async def test_without_a_session_what_is_kept_of_the_last_minutes_stays(frames: list[Frame]) -> None:
    identity = next(iter(frames[0].workloads))
    track = MomentTracker()
    for frame in frames[:60]:
        moment = track.feed(frame)
    feed = HistoryFeed(identity, lambda wall: [frames[59]])
    feed.begin_with(track.history, moment.frame.wall, 1.0)
    feed.take(moment)
    await feed.read(0.0, moment.frame.wall, True)
    assert not feed.lacks(0.0, moment.frame.wall, True)
    assert len([mean for mean in means(feed, "memory_host_bytes", moment.frame.wall, 60) if mean == mean]) == 60


async def test_progress_is_shown_after_a_second_and_reading_ends_with_the_screen(
    frames: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_feed, "_PATIENCE_S", 0.0)
    identity = next(iter(frames[0].workloads))
    read, reached, going = [0], threading.Event(), threading.Event()

    def slow(wall: float) -> Iterator[Frame]:
        for read[0], frame in enumerate(frames):
            if read[0] == 150:
                reached.set()
                going.wait(10)
            yield frame

    feed = HistoryFeed(identity, slow)
    assert feed.progress() == ""
    reading = asyncio.ensure_future(feed.read(0.0, frames[-1].wall, True))
    await asyncio.to_thread(reached.wait, 10)
    assert feed.progress() == "reading the past 50%"
    feed.close()
    going.set()
    await reading
    assert read[0] < 160
    assert feed.progress() == ""
