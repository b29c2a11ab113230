"""What /metrics costs, and the fleet view on real engines: first table, refresh, the chart of an hour."""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from statistics import median, quantiles

from bench.measure import Result, Say, cpu_s, spread
from bench.realistic_fleet import Believable
from bench.scraped_fleet import WORKLOADS, Hosts, serving
from collectors.analysis.rates import Deriver
from collectors.exposition.exposer import Exposer, Own
from collectors.exposition.text import Dialect
from collectors.model.workloads import Frame, Kind, State, Workload, WorkloadId
from collectors.prometheus.access import FleetAccess
from collectors.prometheus.server import Server
from collectors.prometheus.source import PrometheusSource
from collectors.sampling.source import SourceReading
from tests.helpers.lab.metric_engines import ENGINES, MetricEngine, metric_engine

TITLE = "Metrics, and the fleet view"
ABOUT = """
The text of `/metrics` is made of prepared frames, in CPU time of one thread. The fleet view asks real engines that
scrape 50 such hosts of 100 workloads. The first table is there when the first rate is derived, from opening the source;
a refresh is CPU time of vmtop, from the questions to the derived values. The chart is that of all values of one
workload over an hour of scrapes every 15 s, from the question to the derived values. What the engines use is in
`docs/scale.md`.
"""
_HOSTS, _INTERVAL_S = 50, 5.0
_SCRAPES = 4
_ROUNDS = 9
_HOUR_S, _STEP_S = 3600, 15
_CHARTED = ("systemd", "/system.slice/sshd.service")
"""Engine and id of the workload whose chart is drawn."""


def measure(folder: Path, say: Say) -> list[Result]:
    """Measure the text, then the view on each engine."""
    results = [_text(count, mark) for count, mark in ((100, 2), (1000, 20))]
    with serving(Hosts(_HOSTS, _INTERVAL_S)) as address:
        targets = {f"h{number}": f"{address}/{number}/metrics" for number in range(_HOSTS)}
        past = _hour("h0", time.time() - _HOUR_S - 60)
        for name in ENGINES:
            say(f"the fleet view on {name}")
            with metric_engine(name, folder / name, targets, interval_s=_INTERVAL_S, past=past) as engine:
                results += _view(engine)
    return results


def _text(workloads: int, mark: int) -> Result:
    exposer, costs, size = Exposer(), [], 0
    for frame in Believable(workloads).frames(30):
        began = time.thread_time()
        text = exposer.text(frame, Dialect.OPENMETRICS, Own("bench"))
        costs.append((time.thread_time() - began) * 1e3)
        size = len(text)
    middle = median(costs[1:])
    return Result(
        f"the text of /metrics, {workloads:,} workloads",
        f"{middle:.2f} ms (p95 {quantiles(costs[1:], n=20)[18]:.2f}), {size >> 10} KiB",
        f"at most {mark} ms",
        middle <= mark,
    )


def _view(engine: MetricEngine) -> list[Result]:
    time.sleep(_SCRAPES * _INTERVAL_S)
    engine.wait_for(f"count(vmtop_host_cpus) == {_HOSTS}", timeout_s=120)
    first_s, first_cpu_s, engine_cpu_s, refresh_s, chart_s = [], [], [], [], []
    for _ in range(_ROUNDS):
        began, began_cpu, began_engine = time.monotonic(), time.thread_time(), cpu_s([engine.daemon.pid])
        source = PrometheusSource(Server(engine.url))
        source.open(lambda: None)
        deriver = Deriver()
        deriver.feed(_frame(source.read()))
        moment = deriver.feed(_frame(source.read()))
        first_s.append(time.monotonic() - began)
        first_cpu_s.append(time.thread_time() - began_cpu)
        engine_cpu_s.append(cpu_s([engine.daemon.pid]) - began_engine)
        assert any(reading.value("cpu_percent") is not None for reading in moment.readings.values())
        began = time.thread_time()
        deriver.feed(_frame(source.read()))
        refresh_s.append(time.thread_time() - began)
        source.close()
        chart_s.append(_chart_s(engine))
    what = f"{_HOSTS} hosts x {WORKLOADS} workloads, {engine.name}"
    return [
        Result(
            f"{what}: first table",
            f"{spread(first_s).text()} s; CPU {median(first_cpu_s):.2f} s here, {median(engine_cpu_s):.2f} s of the "
            "engine",
            "under 1 s",
            median(first_s) < 1,
        ),
        Result(
            f"{what}: a refresh",
            f"{median(refresh_s) * 1e3:.0f} ms CPU of vmtop",
            "under 100 ms",
            median(refresh_s) < 0.1,
        ),
        Result(
            f"{what}: an hour's chart of one workload",
            f"{median(chart_s) * 1e3:.0f} ms (least {min(chart_s) * 1e3:.0f})",
            "under 100 ms",
            median(chart_s) < 0.1,
        ),
    ]


def _frame(reading: SourceReading) -> Frame:
    now_ns = time.monotonic_ns()
    return Frame(
        at_ns=now_ns,
        wall=time.time(),
        boot_ns=now_ns,
        host=Workload(WorkloadId("host", "bench"), Kind.HOST, "bench", State.RUNNING),
        workloads=dict(reading.workloads),
        samples=dict(reading.samples),
        sources=(),
        hosts=dict(reading.hosts),
        run="0123456789abcdef",
        interval_s=_INTERVAL_S,
    )


def _chart_s(engine: MetricEngine) -> float:
    """Return the seconds from asking for the past hour of a workload to its derived values."""
    access = FleetAccess(Server(engine.url))
    access.discover()
    engine_name, identity = _CHARTED
    until = time.time() - _INTERVAL_S
    began = time.monotonic()
    deriver = Deriver()
    moments = [
        deriver.feed(frame)
        for frame in access.frames_of(WorkloadId(engine_name, identity, "h0"), until - _HOUR_S, until)
    ]
    spent_s = time.monotonic() - began
    values = [one.value("cpu_percent") for moment in moments for one in moment.readings.values()]
    assert sum(value is not None for value in values) > _HOUR_S / _STEP_S / 2, "the past was not there"
    return spent_s


def _hour(instance: str, start: float) -> str:
    """Return what a host exposed in an hour of itself and of one workload, as OpenMetrics with instants."""
    exposer = Exposer()
    heads: dict[str, list[str]] = {}
    lines: dict[str, list[str]] = defaultdict(list)
    wanted = f'engine="{_CHARTED[0]}",id="{_CHARTED[1]}"'
    for number, frame in enumerate(Believable(WORKLOADS).frames(_HOUR_S // _STEP_S)):
        family = ""
        for line in exposer.text(frame, Dialect.OPENMETRICS, Own("bench")).splitlines():
            if line.startswith("#"):
                family = line.split()[2] if line != "# EOF" else ""
                if number == 0 and family:
                    heads.setdefault(family, []).append(line)
                continue
            if not (wanted in line or family.startswith("vmtop_host_")):
                continue
            lines[family].append(_placed(line, instance, start + number * _STEP_S))
    whole = [line for family, told in lines.items() for line in (*heads.get(family, ()), *told)]
    return "\n".join([*whole, "# EOF", ""])


def _placed(line: str, instance: str, at: float) -> str:
    """Return a line of a scrape with the labels that a scraper adds, and its instant."""
    head, _, value = line.rpartition(" ")
    name, _, labels = head.partition("{")
    every = ",".join(filter(None, (f'instance="{instance}",job="vmtop"', labels.removesuffix("}"))))
    return f"{name}{{{every}}} {value} {at:.3f}"
