"""How much memory the screen holds, and whether that grows: an hour of frames at 1,000 workloads, time compressed."""

from __future__ import annotations

import json
import time
from pathlib import Path

from bench.measure import Result, Say, Terminal
from bench.painting import run_app

TITLE = "Memory"
ABOUT = """
The app on a pty of 120x40 with its spool, fed with 3,600 frames of 1,000 workloads, each as soon as the previous one
is written; in real time there is a second between them. The slope is a straight line through the last two thirds of 60
measurements; noise is how far they are from that line.
"""
_WORKLOADS, _FRAMES = 1000, 3600


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
        terminal, told = self.begin(folder)
        deadline = time.monotonic() + 900
        while not told.exists() and time.monotonic() < deadline:
            time.sleep(0.5)
        time.sleep(0.5)
        looks = json.loads(told.read_text())["held"]
        terminal.close()
        return _results([(number / 3600, held / (1 << 20)) for number, held in looks])


def _results(held: list[tuple[float, float]]) -> list[Result]:
    warm = held[len(held) // 3 :]
    slope, noise = line_through(warm)
    last = held[-1][1]
    first = next(size for _, size in held if size)
    return [
        Result("resident memory with the first frame of 1,000 workloads", f"{first:.0f} MiB"),
        Result("after an hour of frames", f"{last:.0f} MiB", "at most 120 MB", last * 1.048576 <= 120),
        Result(
            "slope of memory after warm-up",
            f"{slope:+.1f} MiB an hour (noise {noise:.1f} MiB)",
            "zero within noise",
            abs(slope) * (warm[-1][0] - warm[0][0]) <= max(2 * noise, 1.0),
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
