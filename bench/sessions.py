"""What session files cost: bytes, time to write, to reach a place, to replay, to export, memory."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.measure import Result, Say, yardstick
from bench.realistic_fleet import Believable
from collectors.analysis.rates import Deriver
from collectors.analysis.tracker import MomentTracker
from collectors.session.exporting.rows import Selection, rows
from collectors.session.exporting.writers import write_csv
from collectors.session.playback import Playback
from collectors.session.reader import Session
from collectors.session.sinks import file_writer

WORKLOADS = 100
_HOUR, _DAY = 3600, 86_400
_PLACES = 60


TITLE = "Session files"
ABOUT = """
The frames are made up (`bench/realistic_fleet.py`): 100 workloads with 20 counters each, 30 % of them busy; a tenth
of the others wakes up in a tick. CPU is that of the recorder's thread, which writes: neither the sampler's nor the
screen's. A time is reached when its frame is decoded and its rates are derived from the 30 frames before it. The file
is in the page cache: what a disk takes for the 150 KiB of a minute comes on top.
"""


def measure(folder: Path, say: Say) -> list[Result]:
    """Measure everything; the files go into a folder."""
    day, hour = folder / "day.vmtop.gz", folder / "hour.vmtop.gz"
    results = _write(hour, _HOUR, WORKLOADS, say)
    say("writing a day of frames (about four minutes)")
    _write(day, _DAY, WORKLOADS, say)
    results += _big(folder / "big.vmtop.gz", say)
    results += _reach(day, say)
    results += _replay(hour, say)
    results += _export(hour, say)
    return results + _memory(hour, day, say)


def _write(path: Path, count: int, workloads: int, say: Say) -> list[Result]:
    say(f"writing {count:,} frames of {workloads} workloads")
    writer, costs, samples = file_writer(path), [], 0
    for frame in Believable(workloads).frames(count):
        began = time.thread_time()
        writer.write(frame)
        costs.append((time.thread_time() - began) * 1e3)
        samples += len(frame.samples)
    writer.close()
    size = path.stat().st_size / samples
    costs.sort()
    middle, worst = median(costs), costs[int(len(costs) * 0.99)]
    ratio = middle / 1e3 / yardstick()
    name = f"{workloads} workloads, 20 counters"
    return [
        Result(f"bytes per workload-sample, {name}", f"{size:.1f}", "at most 35", size <= 35),
        Result(
            f"CPU to write a frame, {name}",
            f"{middle:.2f} ms (p99 {worst:.2f}), {ratio:.2f} of the yardstick",
            "at most 3 ms",
            middle <= 3,
        ),
    ]


def _big(path: Path, say: Say) -> list[Result]:
    return [one._replace(mark="-") for one in _write(path, 120, 1000, say)]


def _reach(path: Path, say: Say) -> list[Result]:
    say("reaching places in a day")
    with path.open("rb") as file:
        while file.read(1 << 20):  # into the page cache
            pass
    began = time.perf_counter()
    session = Session([path])
    opened = (time.perf_counter() - began) * 1e3
    playback = Playback(session)
    chance, costs, found = random.Random(2), [], []  # noqa: S311  # repeatable, not secret
    first, last = playback.span
    for _ in range(_PLACES):
        wall = chance.uniform(first, last)
        began = time.perf_counter()
        number = playback.number_at(wall)
        found.append((time.perf_counter() - began) * 1e3)
        playback.go(number)
        costs.append((time.perf_counter() - began) * 1e3)
    session.close()
    size = path.stat().st_size >> 20
    worst = max(costs)
    return [
        Result(f"opening 24 h ({size} MiB)", f"{opened:.0f} ms", "-", True),
        Result(
            "any time in 24 h reached, with its rates",
            f"{median(costs):.0f} ms (max {worst:.0f}, n = {_PLACES})",
            "max at most 60 ms",
            worst <= 60,
        ),
        Result(
            "of which reading the minute around it; reading and deriving the frames before it",
            f"{median(found):.0f} ms; {median(costs) - median(found):.0f} ms",
        ),
    ]


def _replay(path: Path, say: Say) -> list[Result]:
    say("replaying an hour")
    session = Session([path])
    began, track = time.perf_counter(), MomentTracker()
    for _, frame in session.frames():
        track.feed(frame)
    whole = time.perf_counter() - began
    began, deriver = time.perf_counter(), Deriver()
    for _, frame in session.frames():
        deriver.feed(frame)
    derived = time.perf_counter() - began
    session.close()
    return [
        Result(
            "replay of an hour at full speed", f"{whole:.1f} s ({derived:.1f} without charts)", "under 20 s", whole < 20
        )
    ]


def _export(path: Path, say: Say) -> list[Result]:
    say("exporting an hour")
    session = Session([path])

    class Counting(io.TextIOBase):
        written = 0

        def write(self, text: str) -> int:
            self.written += len(text)
            return len(text)

    sink, began = Counting(), time.perf_counter()
    write_csv(rows(session, Selection()), Selection().metrics, sink)  # type: ignore[arg-type]  # all that is used
    spent = time.perf_counter() - began
    session.close()
    size = sink.written >> 20
    return [Result(f"an hour to CSV, all metrics ({size} MiB)", f"{spent:.1f} s", "under 20 s", spent < 20)]


def _memory(hour: Path, day: Path, say: Say) -> list[Result]:
    say("memory of an hour and of a day (about two minutes)")
    small, large = (_resident("info", "--json", str(path)) for path in (hour, day))
    return [Result("resident memory of `info`: 1 h, 24 h", f"{small} MiB, {large} MiB", "flat", large < small * 1.25)]


def _resident(*arguments: str) -> int:
    """Run vmtop and return the most memory it held, in MiB."""
    program = (
        "import sys; from tui.cli.main import main; main.main(sys.argv[1:], standalone_mode=False);"
        "sys.stderr.write(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return int(done.stderr.split()[-1]) >> 10
