"""What a tick costs on the screen, what it writes to the terminal, and how soon a key shows its effect."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path
from statistics import median, quantiles

from bench.measure import Result, Say, Terminal, spread

TITLE = "The screen"
ABOUT = """
The app on a pty, fed with prepared frames in which nearly every value is new (`bench/fleet_app.py`). Painting is
everything from sorting to the last byte in the pty, in CPU time of the whole process; deriving the values of all
workloads from their counters comes before it. 160x50 shows 40 workloads, with sparklines. The key is `F`, which
follows a workload: the time is from the write to the pty to the word for it in the output, with the key pressed at
random moments while a frame comes every second.
"""
_TICKS = 25
_KEYS = 40
_EFFECT = b"following"
_SIZES = ((80, 24), (200, 60))
_FLEETS = (10, 50, 200, 1000, 5000)


def measure(folder: Path, say: Say) -> list[Result]:
    """Measure painting, bytes and keys."""
    results = []
    for workloads in (50, 1000, 5000):
        say(f"painting {workloads:,} workloads at 160x50")
        told, _ = _paint(folder, (160, 50), workloads)
        results.append(_cost(workloads, told))
    results.append(_whole(workloads, told))  # of the largest
    for size in _SIZES:
        for workloads in _FLEETS:
            say(f"bytes of {workloads:,} workloads at {size[0]}x{size[1]}")
            told, count = _paint(folder, size, workloads)
            results.append(_bytes(size, workloads, told, count))
    for workloads, mark in ((1000, 50), (5000, 40)):
        say(f"keys while {workloads:,} workloads change")
        results.append(_keys(folder, workloads, mark))
    return results


def run_app(folder: Path, size: tuple[int, int], mode: str, workloads: int, ticks: int) -> tuple[Terminal, Path]:
    """Start the app on prepared frames; return its terminal, and the file in which it will tell what it found."""
    told = folder / f"{mode}-{workloads}-{size[0]}.json"
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "XDG_STATE_HOME": str(folder)}
    argv = [sys.executable, "-m", "bench.fleet_app", mode, str(workloads), str(ticks), str(told)]
    return Terminal(argv, size, environment), told


def _paint(folder: Path, size: tuple[int, int], workloads: int) -> tuple[dict[str, list[float]], int]:
    """Return what the app told, and the bytes that it wrote after the warm-up."""
    terminal, told = run_app(folder, size, "paint", workloads, _TICKS)
    try:
        wait_for(told.with_suffix(".warm"))
        before = terminal.count
        wait_for(told)
        return json.loads(told.read_text()), terminal.count - before
    finally:
        terminal.close()


def wait_for(file: Path) -> None:
    """Wait until the app has told something."""
    deadline = time.monotonic() + 120
    while not file.exists() or not (file.stat().st_size or file.suffix == ".warm"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{file} was not made")
        time.sleep(0.01)


def _cost(workloads: int, told: dict[str, list[float]]) -> Result:
    yard = float(told["yardstick"])  # type: ignore[arg-type]  # one number beside the lists
    painted = spread([cost / yard for cost in told["painted"]])
    text = (
        f"{median(told['painted']) * 1e3:.1f} ms, {painted.text('{:.1f}')} yardsticks; "
        f"deriving {median(told['derived']) * 1e3:.1f} ms"
    )
    mark = {1000: 1.5, 5000: 2.0}.get(workloads)
    what = f"painting a tick of {workloads:,} workloads, 160x50, all values new"
    if mark is None:
        return Result(what, text)
    return Result(what, text, f"at most {mark:g} yardsticks", painted.middle <= mark)


def _whole(workloads: int, told: dict[str, list[float]]) -> Result:
    yard = float(told["yardstick"])  # type: ignore[arg-type]  # one number beside the lists
    whole = spread([sum(tick) for tick in zip(told["derived"], told["painted"], strict=True)])
    text = f"{whole.middle * 1e3:.1f} ms, {whole.middle / yard:.1f} yardsticks"
    what = f"deriving, ordering and painting a tick of {workloads:,} workloads"
    return Result(what, text, "at most 30 ms", whole.middle <= 0.03)


def _bytes(size: tuple[int, int], workloads: int, told: dict[str, list[float]], count: int) -> Result:
    each = count / len(told["painted"]) / 1024
    what = f"bytes per tick, {workloads:,} workloads, {size[0]}x{size[1]}, all values new"
    if (size, workloads) == ((80, 24), 50):
        return Result(what, f"{each:.1f} KiB", "at most 2 KiB", each <= 2)
    return Result(what, f"{each:.1f} KiB")


def _keys(folder: Path, workloads: int, mark: int) -> Result:
    terminal, _ = run_app(folder, (120, 40), "live", workloads, 60)
    chance = random.Random(3)  # noqa: S311  # repeatable, not secret
    waits = []
    try:
        terminal.wait_for(b"LAST MIN", 60)
        time.sleep(4)
        for _ in range(_KEYS):
            time.sleep(chance.uniform(0.2, 0.6))
            terminal.forget()
            began = time.monotonic()
            terminal.press("F")
            terminal.wait_for(_EFFECT, 20)
            waits.append((time.monotonic() - began) * 1e3)
            terminal.press("F")
    finally:
        terminal.close()
    cuts = quantiles(waits, n=100)
    text = f"p50 {cuts[49]:.0f}, p95 {cuts[94]:.0f}, p99 {cuts[98]:.0f} ms (n = {len(waits)})"
    return Result(f"key to paint, {workloads:,} workloads", text, f"p95 at most {mark} ms", cuts[94] <= mark)
