"""Where the time of a tick goes: the steps from a frame to the terminal, each timed where it is made."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from statistics import median
from typing import Any

from bench.measure import Result, Say
from bench.painting import run_app, wait_for
from collectors.analysis.tracker import MomentTracker
from tui.controllers.alerts import AlertController
from tui.presenters.table.cells import Cells
from tui.presenters.table.state import TableState
from tui.terminal.painting import PaintingApp
from tui.widgets.header import HeaderLines
from tui.widgets.sparkline_panes import Panes
from tui.widgets.workload_table import WorkloadTable

TITLE = "Where a tick goes"
ABOUT = """
The same app and frames as above, with the alerts, which are judged after painting. Each step is in CPU time of
its thread, the median of all ticks: this is why painting is not closer to its mark. Formatting is the cost of the
table's visible lines from values to text; the table is that and the rest of it, including freeing the previous lines.
The rest is what Textual itself does in a tick: messages and timers.
"""
_STEPS = {
    "deriving": ((MomentTracker, "feed"),),
    "judging the alerts": ((AlertController, "judge"),),
    "filter and order": ((TableState, "arrange"),),
    "freshness of the sources": ((Cells, "at"),),
    "table": ((WorkloadTable, "show"),),
    "of which formatting the visible lines": ((Cells, "line"),),
    "header": ((HeaderLines, "show"),),
    "panes": ((Panes, "show"),),
    "of these, writing into the cell buffer": ((PaintingApp, "paint"),),
    "differences, and writing": ((PaintingApp, "_show"),),
}


class Steps:
    """Seconds by step and tick."""

    def __init__(self) -> None:
        self._now: dict[str, float] = defaultdict(float)
        self._ticks: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Time the steps as long as this lasts."""
        kept = [(cls, name, getattr(cls, name)) for methods in _STEPS.values() for cls, name in methods]
        for step, methods in _STEPS.items():
            for cls, name in methods:
                setattr(cls, name, self._timed(step, getattr(cls, name)))
        try:
            yield
        finally:
            for cls, name, method in kept:
                setattr(cls, name, method)

    def _timed(self, step: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*arguments: Any) -> Any:
            began = time.thread_time()
            try:
                return method(*arguments)
            finally:
                self._now[step] += time.thread_time() - began

        return call

    def tick(self) -> None:
        """A tick is over."""
        for step in _STEPS:
            self._ticks[step].append(self._now[step])
        self._now.clear()

    def begin(self) -> None:
        """Forget what was so far, for `since_begin`."""
        self._now.clear()

    def since_begin(self) -> dict[str, float]:
        """Return the seconds of each step since `begin`, where no tick was told of."""
        return {step: self._now[step] for step in _STEPS}

    def told(self) -> dict[str, float]:
        """Return the milliseconds of each step, the median of all ticks."""
        return {step: median(seconds) * 1e3 for step, seconds in self._ticks.items()}


def measure(folder: Path, say: Say) -> list[Result]:
    """Time the steps at two sizes."""
    results = []
    for workloads in (1000, 5000):
        say(f"steps of a tick of {workloads:,} workloads")
        terminal, told = run_app(folder, (160, 50), "steps", workloads, 25)
        try:
            wait_for(told)
            steps = json.loads(told.read_text())
        finally:
            terminal.close()
        results += [Result(f"{step}, {workloads:,} workloads", f"{cost:.2f} ms") for step, cost in steps.items()]
    return results
