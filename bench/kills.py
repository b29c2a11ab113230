"""`vmtop record`, killed at random moments: what was there before is there after."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from bench.measure import Result
from collectors.session.reader import Session
from tests.helpers.kill_writers import unpack
from tests.helpers.lab.process import wait_until
from tests.unit.tui.cli.test_record import has_frames, recording

ABOUT = """
A recording of made-up workloads at five frames a second is ended by `kill -9` at a random moment. A frame counts as
written if a reader could read it just before; the sample in flight does not. A file is torn if it ends in the middle
of that sample, because the kernel had written part of it; everything before it is readable.
"""
_AT_A_TIME = 3


def measure(folder: Path, kills: int, say: Callable[[str], None]) -> list[Result]:
    """Kill so many recordings."""
    say(f"{kills} recordings killed")
    chance = random.Random(3)  # noqa: S311  # repeatable, not secret
    moments = [chance.uniform(0, 2) for _ in range(kills)]
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        ends = list(pool.map(partial(_kill, folder), range(kills), moments))
    there, lost, torn = (sum(one[place] for one in ends) for place in range(3))
    return [
        Result("recordings killed at random moments", f"{kills}, {there} frames there before", "-", True),
        Result("samples lost", str(lost), "0", lost == 0),
        Result("files torn in the sample in flight", f"{torn} of {kills}", "-", True),
    ]


def _kill(folder: Path, number: int, moment_s: float) -> tuple[int, int, bool]:
    """Return how many frames were there before, how many of them are lost, and whether the file is torn."""
    path = folder / f"{number}.vmtop.gz"
    process = recording(str(path), "--interval", "0.2")
    wait_until(partial(has_frames, path), 120, "three frames")
    time.sleep(moment_s)
    before, _ = unpack(path)
    process.kill()
    process.communicate(timeout=20)
    session = Session([path])
    try:
        left = sum(1 for _ in session.frames())
    finally:
        session.close()
    return before, max(0, before - left), unpack(path)[1]
