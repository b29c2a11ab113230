"""The fleet view has the values of the live screen of the same seconds: both engines scrape a real `vmtop serve`.

A recording of the same host, second by second, is what the live screen shows. It reads at other instants than the
scrapes do, so that a counter between two of its readings is known within its growth there, and never beyond.
"""

from __future__ import annotations

import os
import sys
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from collectors.analysis.rates import Pair, Reading, derive
from collectors.model.workloads import Frame, WorkloadId
from collectors.prometheus.server import Server
from collectors.prometheus.source import PrometheusSource
from collectors.session.reader import Session
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.metric_engines import ENGINES, MetricEngine, metric_engine
from tests.helpers.lab.process import Daemon
from tests.helpers.lab.served import served

_IS_LONG = os.environ.get("VMTOP_LONG_LAB") == "1"
_SPAN_S, _SCRAPE_S = (600.0, 15) if _IS_LONG else (15.0, 3)
"""Ten minutes at the interval that is recommended, or a glance."""
pytestmark = [pytest.mark.lab, pytest.mark.timeout(_SPAN_S + 300)]
_SLACK_S = 3.0
"""How old what a scrape finds may be, and how long it may take on a busy machine."""
_COUNTERS = {
    "cpu_percent": ("cpu_total_ns", 1e-7),
    "disk_write_bytes_per_second": ("disk_write_total_bytes", 1),
    "net_rx_bytes_per_second": ("net_rx_total_bytes", 1),
    "net_tx_bytes_per_second": ("net_tx_total_bytes", 1),
}
"""Metrics that are the growth of one counter: its field, and what makes the metric's unit of it."""
_GAUGES = ("memory_host_bytes", "memory_limit_bytes", "cpu_limit_cores")
_STEADY = frozenset({"eq-busy", "eq-hog"})
"""Workloads whose gauges stand still."""
_LESS, _MORE = 1 - 1e-4, 1 + 1e-4
"""Room for rounding: what is exposed has six digits, the instants of scrapes three."""
_BY_PROCESS = "process-io"
"""Where the kernel does not count the disk traffic of groups, processes are read. Of one that ends between two readings
what it did since the first is lost, so that readings at other instants have other sums."""
_NAMES = ("eq-busy", "eq-hog", "eq-writer", "eq-net-receiver", "eq-net-sender")


class Value(NamedTuple):
    """A metric of a workload in the fleet view, and the wall times of the two scrapes it is made of."""

    name: str
    metric: str
    begin: float
    end: float
    value: float


class Counter:
    """A counter of the live screen over time. It never falls here."""

    def __init__(self) -> None:
        self.walls: list[float] = []
        self.values: list[float] = []

    def add(self, wall: float, value: float) -> None:
        """Add a reading; one that is repeated is left out."""
        if not self.walls or wall > self.walls[-1] + 1e-4:
            self.walls.append(wall)
            self.values.append(value)

    def before(self, wall: float) -> float | None:
        """Return its value at the last reading before an instant."""
        place = bisect_right(self.walls, wall) - 1
        return self.values[place] if place >= 0 else None

    def after(self, wall: float) -> float | None:
        """Return its value at the first reading after an instant."""
        place = bisect_left(self.walls, wall)
        return self.values[place] if place < len(self.walls) else None

    def between(self, begin: float, end: float) -> list[float]:
        """Return its values in a span of time."""
        return self.values[bisect_left(self.walls, begin) : bisect_right(self.walls, end)]


class Compared(NamedTuple):
    """What the fleet views of both engines had, and the live screen's counters and gauges by name and field."""

    views: dict[str, list[Value]]
    counters: dict[tuple[str, str], Counter]
    gauges: dict[tuple[str, str], Counter]


@pytest.fixture(scope="module")
def compared(docker_lab: DockerLab, lab_root: Path) -> Iterator[Compared]:
    session = lab_root / "live.vmtop.gz"
    with ExitStack() as stack:
        stack.enter_context(skip_or_fail())
        for container in (
            docker_lab.run_busy("eq-busy", 0.2),
            docker_lab.run_memory_hog("eq-hog", 16, 32),
            docker_lab.run_disk_writer("eq-writer", 1, 0.5),
            *docker_lab.run_traffic("eq-net", 1, 0.5),
        ):
            stack.callback(docker_lab.remove, container)
        recorder = stack.enter_context(_recording(session, lab_root, docker_lab.url))
        host = stack.enter_context(served(lab_root / "compared", "--docker", docker_lab.url))
        engines = [
            stack.enter_context(
                metric_engine(name, lab_root / f"compared-{name}", {"hv01": host.address}, interval_s=_SCRAPE_S)
            )
            for name in ENGINES
        ]
        for engine in engines:
            asked = f'vmtop_cpu_seconds_total{{name="eq-busy"}}[{4 * _SCRAPE_S}s]'
            engine.daemon.wait_until(lambda e=engine, q=asked: _scrapes(e, q) >= 2, 90, "two scrapes")  # type: ignore[misc]  # used at once
        views = _watch(engines)
        time.sleep(_SLACK_S + 1)
        recorder.stop()
        yield Compared(views, *_live(session))


@contextmanager
def _recording(session: Path, folder: Path, docker: str) -> Iterator[Daemon]:
    words = [sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')", "record", str(session)]
    state = {"XDG_STATE_HOME": str(folder / "live-state")}
    recorder = Daemon([*words, "--docker", docker], folder / "live.log", state)
    try:
        recorder.wait_until(session.exists, 30, "a recording")
        yield recorder
    finally:
        recorder.stop()


def _scrapes(engine: MetricEngine, asked: str) -> int:
    return max((len(found["values"]) for found in engine.query(asked)), default=0)


def _watch(engines: list[MetricEngine]) -> dict[str, list[Value]]:
    """Read the fleet views of some engines for a while, by turns, each as often as it has something new."""
    views: dict[str, list[Value]] = {engine.name: [] for engine in engines}
    sources = {engine.name: PrometheusSource(Server(engine.url)) for engine in engines}
    pairs: dict[str, dict[WorkloadId, tuple[Pair, ...]]] = {name: {} for name in sources}
    for source in sources.values():
        source.open(lambda: None)
    until = time.monotonic() + _SPAN_S
    while time.monotonic() < until:
        for name, source in sources.items():
            reading = source.read()
            ahead_s = time.time() - time.monotonic()
            for identity, workload in reading.workloads.items():
                if workload.name not in _NAMES:
                    continue
                own = pairs[name][identity] = derive(pairs[name].get(identity, ()), reading.samples.get(identity, ()))
                known = Reading(workload, own)
                for metric in (*_COUNTERS, *_GAUGES):
                    value = known.value(metric)
                    if value is not None and own[0].previous is not None:
                        walls = own[0].previous.at_ns / 1e9 + ahead_s, own[0].current.at_ns / 1e9 + ahead_s
                        views[name].append(Value(workload.name, metric, *walls, value))
        time.sleep(_SCRAPE_S)
    for source in sources.values():
        source.close()
    return views


def _live(session: Path) -> tuple[dict[tuple[str, str], Counter], dict[tuple[str, str], Counter]]:
    """Return what was recorded, by the workload's name and the field or the metric."""
    counters: dict[tuple[str, str], Counter] = {}
    gauges: dict[tuple[str, str], Counter] = {}
    pairs: dict[WorkloadId, tuple[Pair, ...]] = {}
    for frame in _frames(session):
        for identity, workload in frame.workloads.items():
            if workload.name not in _NAMES:
                continue
            pairs[identity] = derive(pairs.get(identity, ()), frame.samples.get(identity, ()))
            known = Reading(workload, pairs[identity])
            for field, _ in _COUNTERS.values():
                sample = next((s for s in frame.samples[identity] if getattr(s, field) is not None), None)
                if sample is not None and sample.source != _BY_PROCESS:
                    wall = frame.wall - (frame.at_ns - sample.at_ns) / 1e9
                    counters.setdefault((workload.name, field), Counter()).add(wall, getattr(sample, field))
            for metric in _GAUGES:
                value = known.value(metric)
                if value is not None:
                    gauges.setdefault((workload.name, metric), Counter()).add(frame.wall, value)
    return counters, gauges


def _frames(session: Path) -> Iterator[Frame]:
    recorded = Session([session])
    for index in range(len(recorded.members)):
        yield from (frame for frame in recorded.contents(index) if isinstance(frame, Frame))


def bounds(compared: Compared, name: str, metric: str, begin: float, end: float) -> tuple[float, float] | None:
    """Return between which values a metric's growth from one scrape to another has to be, in its unit times seconds.

    `None` where the recording does not reach that far.
    """
    field, scale = _COUNTERS[metric]
    counter = compared.counters.get((name, field), Counter())
    late, early = counter.before(end - _SLACK_S), counter.after(begin + _SLACK_S)
    latest, earliest = counter.after(end + _SLACK_S), counter.before(begin - _SLACK_S)
    if late is None or early is None or latest is None or earliest is None:
        return None
    return (late - early) * scale, (latest - earliest) * scale


@pytest.mark.parametrize("name", ENGINES)
def test_each_rate_is_what_the_live_counters_grew_by_in_the_same_seconds(compared: Compared, name: str) -> None:
    checked = set()
    for one in compared.views[name]:
        known = bounds(compared, one.name, one.metric, one.begin, one.end) if one.metric in _COUNTERS else None
        if known is not None:
            grown = one.value * (one.end - one.begin)
            assert known[0] * _LESS <= grown <= known[1] * _MORE, one
            checked.add((one.name, one.metric))
    assert {("eq-busy", "cpu_percent"), ("eq-net-receiver", "net_rx_bytes_per_second")} <= checked


@pytest.mark.parametrize("name", ENGINES)
def test_over_the_whole_time_the_rates_add_up_to_the_growth_of_the_live_counters(compared: Compared, name: str) -> None:
    """Of spans that follow each other without a gap, only both ends are uncertain."""
    checked = set()
    for (workload, metric), values in _by_series(compared.views[name]).items():
        if metric not in _COUNTERS:
            continue
        recorded = [one for one in values if bounds(compared, workload, metric, one.begin, one.end) is not None]
        if recorded:
            run = _longest_run(recorded)
            grown = sum(one.value * (one.end - one.begin) for one in run)
            known = bounds(compared, workload, metric, run[0].begin, run[-1].end)
            assert known is not None, "each of its spans is within the recording"
            assert known[0] * _LESS <= grown <= known[1] * _MORE, (workload, metric)
            checked.add((workload, metric))
    assert ("eq-busy", "cpu_percent") in checked


def _longest_run(values: list[Value]) -> list[Value]:
    """Return the longest run of spans that follow each other; a late scrape makes a gap, or two that overlap."""
    runs: list[list[Value]] = [[]]
    for one in sorted({(one.begin, one.end): one for one in values}.values(), key=lambda one: one.begin):
        if runs[-1] and abs(one.begin - runs[-1][-1].end) > 0.05:
            runs.append([])
        runs[-1].append(one)
    return max(runs, key=len)


@pytest.mark.parametrize("name", ENGINES)
def test_each_gauge_is_one_that_the_live_screen_had_in_those_seconds(compared: Compared, name: str) -> None:
    checked = set()
    for one in compared.views[name]:
        if one.name not in _STEADY or one.metric not in _GAUGES:
            continue
        shown = compared.gauges[one.name, one.metric].between(one.end - _SLACK_S, one.end + _SLACK_S)
        if shown:
            assert min(shown) * 0.95 <= one.value <= max(shown) * 1.05, one
            checked.add((one.name, one.metric))
    assert {("eq-hog", "memory_limit_bytes"), ("eq-hog", "memory_host_bytes")} <= checked


def test_both_engines_have_the_same_metrics(compared: Compared) -> None:
    first, second = (_by_series(compared.views[name]) for name in ENGINES)
    assert first.keys() == second.keys()


def _by_series(values: list[Value]) -> dict[tuple[str, str], list[Value]]:
    series: dict[tuple[str, str], list[Value]] = {}
    for one in values:
        series.setdefault((one.name, one.metric), []).append(one)
    return series
