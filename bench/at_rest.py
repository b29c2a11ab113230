"""What vmtop costs on a host where nothing happens."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.ending import ended_by_signals
from bench.made_cgroups import cgroups, hierarchies
from bench.measure import Result, Say, Terminal, precise_cpu_s, profile_of, tree
from bench.painting import wait_for

TITLE = "A host at rest"
ABOUT = """
Fifty services of one process each, which sleeps, beside what this machine runs anyway. The screen is on a pty of 120x40
that is drained, with its spool, and updates every second; CPU time is that of the whole process. The first minute has
the sparklines of the last one grow, so rows change though their workloads do not. Of the threads, MainThread derives,
judges and paints, in the steps of the chapter below: the row of the host, the header, the charts and the time that each
workload has run are new at each tick. The clock is a Textual app of one label, which shows the time of day, new each
second: what no app on this library can stay below.
"""
_COUNT = 50
_FIRST_S, _FIRST_WINDOW_S = 15.0, 30.0
_LATER_S, _LATER_WINDOW_S = 35.0, 60.0
"""The window begins so long after the first one."""
_WARM_UP_S = _FIRST_S + _FIRST_WINDOW_S + _LATER_S
_SLEEP = ("sleep", "100000")
_CLOCK_S, _CLOCK_WINDOW_S = 10.0, 30.0
CLOCK = """
import time
from textual.app import App
from textual.widgets import Label
class Clock(App):
    def compose(self):
        yield Label()
    def on_mount(self):
        self.set_interval(1, lambda: self.query_one(Label).update(time.strftime("%H:%M:%S")))
Clock().run(mouse=False)
"""
"""A Textual app that shows the time of day."""


def measure(folder: Path, say: Say) -> list[Result]:
    """Measure the screen in its first minute, and after it."""
    with _sleepers(_COUNT):
        say("a host at rest")
        told = folder / "threads.json"
        argv = (sys.executable, "-m", "bench.threads_app", str(told), str(_WARM_UP_S), str(_LATER_WINDOW_S))
        environment = {**os.environ, "XDG_STATE_HOME": str(folder), "PYTHONPATH": os.getcwd()}
        terminal = Terminal((*argv, "--interval", "1"), (120, 40), environment)
        try:
            time.sleep(_FIRST_S)
            first = _percent(terminal, _FIRST_WINDOW_S)
            time.sleep(_LATER_S)
            later = _percent(terminal, _LATER_WINDOW_S)
            wait_for(told)
        finally:
            terminal.close()
    say("a clock")
    clock = Terminal((sys.executable, "-c", CLOCK), (120, 40), environment)
    try:
        time.sleep(_CLOCK_S)
        least = _percent(clock, _CLOCK_WINDOW_S)
    finally:
        clock.close()
    return [
        Result(f"vmtop, {_COUNT} idle workloads, in its first minute", f"{first:.2f} %"),
        Result(f"vmtop, {_COUNT} idle workloads, after it", f"{later:.2f} %", "at most 0.3 %", later <= 0.3),
        *profile_of(told, "of that"),
        Result("a clock of one label", f"{least:.2f} %"),
    ]


def _percent(terminal: Terminal, seconds: float) -> float:
    """Return what the processes of a terminal use of a core."""
    before, began = precise_cpu_s(tree(terminal.pid)), time.monotonic()
    time.sleep(seconds)
    return (precise_cpu_s(tree(terminal.pid)) - before) / (time.monotonic() - began) * 100


@contextlib.contextmanager
def _sleepers(count: int) -> Iterator[None]:
    """Have so many services with a process each; end them at the end."""
    roots = hierarchies()
    with cgroups(count, roots) as name, ended_by_signals():
        processes: list[subprocess.Popen[bytes]] = []
        try:
            for number in range(count):
                process = subprocess.Popen(_SLEEP)
                processes.append(process)
                for root in roots:
                    with contextlib.suppress(OSError):  # a cpuset takes none before it has CPUs
                        Path(f"{root}/{name}/w{number}.service/cgroup.procs").write_text(str(process.pid))
            yield
        finally:
            for process in processes:
                process.kill()
                process.wait()
