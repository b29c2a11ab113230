"""How much memory the screen holds, and whether that grows: an hour of frames at 1,000 workloads, time compressed."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

from bench.at_rest import CLOCK
from bench.measure import Result, Say, Terminal
from bench.painting import run_app
from collectors.analysis.history import CAPACITY
from collectors.model.metrics import CHARTED

TITLE = "Memory"
ABOUT = """
The app on a pty of 120x40 with its spool, fed with 3,600 frames of 1,000 workloads, each as soon as the previous one
is written; in real time there is a second between them. The slope is a straight line through the last two thirds of 60
measurements; noise is how far they are from that line. What a workload takes is the difference to the same app with 10
workloads, by their number; a third of it is what makes the frames, which a real source has in other forms. Blocks are
what Python's allocator has given out to objects. What is still added after the warm-up is in stores with a limit that
are not full yet: the log of events, and caches of texts, of their widths and of pieces of charts. Where blocks stay and
resident memory grows, it is what the allocators keep between objects of different age: nothing is held.
"""
_WORKLOADS, _FRAMES = 1000, 3600
_CLOCK_S = 5.0
_FEW, _FEW_FRAMES = 10, 400
"""What the app takes by itself: a full past of hardly any workloads."""


class Hour:
    """Runs beside another part: what it measures is no time."""

    def __init__(self) -> None:
        self._app: tuple[Terminal, Path] | None = None

    def begin(self, folder: Path) -> tuple[Terminal, Path]:
        """Start it, unless it is running."""
        self._app = self._app or run_app(folder, (120, 40), "hour", _WORKLOADS, _FRAMES)
        return self._app

    def results(self, folder: Path, say: Say) -> list[Result]:
        """Wait for its end, and say what it held."""
        say("an hour of frames at 1,000 workloads")
        held = _held(*self.begin(folder))
        say("the same app with hardly any workloads")
        bare = _held(*run_app(folder, (120, 40), "hour", _FEW, _FEW_FRAMES))[-1]
        return _results(held, bare.mib, _clock_mib())


class Look(NamedTuple):
    """What an app held."""

    hours: float
    """Of frames so far."""
    mib: float
    """Resident memory."""
    blocks: int
    """What Python's allocator has given out."""


def _held(terminal: Terminal, told: Path) -> list[Look]:
    """Wait for the end of an app; return what it held at each measurement."""
    deadline = time.monotonic() + 900
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.5)
    time.sleep(0.5)
    looks = json.loads(told.read_text())["held"]
    terminal.close()
    return [Look(number / 3600, held / (1 << 20), blocks) for number, held, blocks in looks]


def _clock_mib() -> float:
    """Return what a Textual app holds that shows the time of day."""
    terminal = Terminal((sys.executable, "-c", CLOCK), (120, 40), os.environ)
    time.sleep(_CLOCK_S)
    resident = int(Path(f"/proc/{terminal.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    terminal.close()
    return resident / (1 << 20)


def _results(held: list[Look], bare: float, clock: float) -> list[Result]:
    warm = held[len(held) // 3 :]
    slope, noise = line_through([(look.hours, look.mib) for look in warm])
    blocks, blocks_noise = line_through([(look.hours, float(look.blocks)) for look in warm])
    last = held[-1].mib
    first = next(look.mib for look in held if look.mib)
    return [
        Result("resident memory with the first frame of 1,000 workloads", f"{first:.0f} MiB"),
        Result("after an hour of frames", f"{last:.0f} MiB", "at most 60 MB", last * 1.048576 <= 60),
        Result("of it with 10 workloads; a Textual app of one label", f"{bare:.0f} MiB; {clock:.0f} MiB"),
        Result("of it for each workload", f"{(last - bare) * 1024 / (_WORKLOADS - _FEW):.1f} KiB"),
        Result(
            "of that, the past of a workload: metrics x ticks of 4 bytes",
            f"{len(CHARTED)} x {CAPACITY}, {len(CHARTED) * CAPACITY * 4 / 1024:.1f} KiB",
        ),
        Result(
            "slope of memory after warm-up",
            f"{slope:+.1f} MiB an hour (noise {noise:.1f} MiB)",
            "zero within noise",
            abs(slope) * (warm[-1].hours - warm[0].hours) <= max(2 * noise, 1.0),
        ),
        Result(
            "slope of the blocks of Python's allocator after warm-up",
            f"{blocks / warm[0].blocks * 100:+.1f} % an hour (noise {blocks_noise / warm[0].blocks * 100:.1f} %)",
        ),
    ]


def line_through(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the slope of the straight line through points, and their standard deviation from it."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    across = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / across if across else 0.0
    rest = [(y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points]
    return slope, (sum(rest) / count) ** 0.5
