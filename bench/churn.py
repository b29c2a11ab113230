"""Containers that come and go: what every frame shows meanwhile, and how long a row takes to arrive and to leave."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.measure import Result
from collectors.model.metrics import METRICS
from collectors.model.workloads import Availability
from collectors.sampling.source import SourceSpec
from tests.helpers.churn import lags, watch_churn
from tests.helpers.frame_watch import Watch
from tests.helpers.lab.docker_engine import docker_engine

ABOUT = """
Real containers that compute and end after three seconds, on twelve threads, read at two frames a second. A value is
impossible if it is below zero, not finite, or more than the host has (100 % x CPUs, plus half of it for the times of
sampling; 100 GiB/s). Arriving and leaving count from the engine's report that the container was started or removed.
"""
_INTERVAL_S = 0.5
_THREADS = 12


class _Errors(logging.Handler):
    """Counts what the log tells with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += record.exc_info is not None


def measure(folder: Path, containers: int, say: Callable[[str], None]) -> list[Result]:
    """Let so many containers come and go."""
    say(f"{containers} containers")
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    with docker_engine(folder / "docker") as docker:
        specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("docker", {"url": docker.url})]
        watch = Watch(specs, _INTERVAL_S)
        watch.until_all(Availability.OK, "host", "cgroup", "docker")
        began, seen = time.monotonic(), watch.taken
        churn, found = watch_churn(watch, docker, containers, _THREADS)
        seconds, frames = time.monotonic() - began, watch.taken - seen
        rows = watch.most_rows
        watch.stop()
    logging.getLogger().removeHandler(errors)
    late, stayed = lags(churn)
    unseen = [life for life in churn.lives.values() if not life.shown]
    others = [life for identity, life in churn.lives.items() if not life.names <= {life.name, identity.id[:12]}]
    return [
        Result("containers that came and went", f"{len(churn.lives)} in {seconds:.0f} s", "-", True),
        Result("frames looked at", f"{frames}, with {len(METRICS)} metrics of up to {rows} rows", "-", True),
        Result("impossible values", str(len(found)), "0", not found),
        Result("containers never shown", str(len(unseen)), "0", not unseen),
        Result("containers under another's name", str(len(others)), "0", not others),
        _lag("frames in which a started one was not yet shown", late),
        _lag("frames in which an ended one was still shown", stayed),
        Result("exceptions in the log", str(errors.count), "0", not errors.count),
    ]


def _lag(what: str, frames: list[int]) -> Result:
    middle = median(frames)
    return Result(what, f"median {middle:g}, max {max(frames)}", "median at most 1", middle <= 1)
