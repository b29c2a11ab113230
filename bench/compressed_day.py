"""A day of frames with time compressed: everything that a live screen does with a frame, as fast as it goes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from bench.measure import Result
from bench.process_watch import Held, folder_bytes, held, slope_kib_per_hour
from tests.helpers.demo_fleet import Fleet, QuietSampler
from tui.app.live import VmtopApp
from tui.controllers.frame_feed import FrameReady
from tui.controllers.recording import SessionRecorder
from tui.screens.workloads.live import LiveListScreen
from tui.settings.screen_options import ScreenOptions

ABOUT = """
Made-up frames, a second apart by their own clocks, each through the recorder into the spool, and through deriver,
history, events and start-up times. Every tenth goes onto a screen of 160x50 that Textual paints without a terminal,
and a key is pressed every five minutes. The slope is per hour of the frames' time, after the first hour.
"""
WORKLOADS = 200
_PAINT_EVERY = 10
_LOOK_EVERY = 300
_WAIT_EVERY = 50
"""Frames after which the recorder's thread is waited for: a day in an hour must not overrun it."""
_KEYS = ("M", "N", "P", "t", "t", "j", "enter", "escape", "question_mark", "escape", "z", "z")


def measure(folder: Path, hours: float, say: Callable[[str], None]) -> list[Result]:
    """Live through so many hours."""
    say(f"{hours:g} hours of frames")
    return asyncio.run(_live(folder, round(hours * 3600), say))


async def _live(folder: Path, count: int, say: Callable[[str], None]) -> list[Result]:
    session_recorder = SessionRecorder(folder / "spool")
    app = VmtopApp(QuietSampler([]), ScreenOptions(is_demo=True), session_recorder=session_recorder)
    taken: list[Held] = []
    complaints: set[str] = set()
    largest, fleet, began = 0, Fleet(WORKLOADS), time.monotonic()
    async with app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        main = app.screen
        assert isinstance(main, LiveListScreen)
        for number in range(count):
            frame = fleet.frame()
            session_recorder.recorder.take(frame)
            if number % _PAINT_EVERY:
                main.track.feed(frame)
            else:
                main.post_message(FrameReady(frame))
                await pilot.pause()
            if number % _WAIT_EVERY == 0:
                session_recorder.recorder.between_frames(lambda: None).result(60)
            if number % _LOOK_EVERY == 0:
                await pilot.press(_KEYS[number // _LOOK_EVERY % len(_KEYS)])
                taken.append(held()._replace(at=float(number)))
                largest = max(largest, folder_bytes(folder))
                complaints.update(session_recorder.notes())
            if number % 3600 == 0:
                say(f"hour {number // 3600}, {taken[-1]}, {number / max(1.0, time.monotonic() - began):.0f} frames/s")
    session_recorder.close()
    return _results(count, time.monotonic() - began, taken, largest, complaints)


def _results(count: int, seconds: float, taken: list[Held], largest: int, complaints: set[str]) -> list[Result]:
    settled = [one for one in taken if one.at >= 3600] or taken
    slope = slope_kib_per_hour(settled) / 1024
    resident = [one.resident_kib >> 10 for one in settled]
    threads, files = [one.threads for one in settled], [one.descriptors for one in settled]
    speed = f"{count:,} of {WORKLOADS} workloads, {count / 3600:g} h in {seconds / 60:.0f} min"
    return [
        Result("frames", speed, "-", True),
        Result("resident memory", f"{min(resident)} to {max(resident)} MiB", "-", True),
        Result("slope of memory", f"{slope:+.3f} MiB an hour", "at most 0.5", slope <= 0.5),
        Result("threads", f"{min(threads)} to {max(threads)}", "flat", max(threads) - min(threads) <= 2),
        Result("descriptors", f"{min(files)} to {max(files)}", "flat", max(files) - min(files) <= 4),
        Result("spool, largest", f"{largest / 2**20:.1f} MiB", "at most 65", largest <= 65 << 20),
        Result("problems of the recorder", ", ".join(complaints) or "none", "none", not complaints),
    ]
