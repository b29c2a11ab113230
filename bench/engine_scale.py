"""What a fleet costs Prometheus and VictoriaMetrics: `python -m bench.engine_scale [HOSTS] [MINUTES]`.

Both scrape the same made-up hosts of a hundred workloads and evaluate the shipped recording rules. CPU is counted per
million samples, memory and disk per thousand series: docs/scale.md has the results, and what follows from them.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.measure import cpu_s
from bench.scraped_fleet import WORKLOADS, Hosts, serving
from collectors.exposition.recorded import CPU
from tests.helpers.lab.metric_engines import (
    ENGINES,
    PROMETHEUS,
    VICTORIA_METRICS,
    MetricEngine,
    metric_engine,
    rule_evaluator,
)
from tui.presenters.monitoring.rules import RULES, recording_rules

_INTERVAL_S, _EVALUATION_S = 10.0, 15.0
_BEGIN_S = 60.0
QUERIES = {
    "topk(50, rate(vmtop_cpu_seconds_total[1m]))": "the 50 with most CPU, by raw counters",
    f"topk(50, {CPU})": "the 50 with most CPU, by the recording rule",
    "sum by (kind) (instance_kind:vmtop_cpu_cores:rate1m)": "CPU of the fleet by kind, by the rule",
    '{__name__=~"vmtop_.*",instance="h0"}[60s]': "all raw samples of one host, 60 s",
}


class Used(NamedTuple):
    """What a process has used."""

    cpu_s: float
    resident_bytes: int
    peak_bytes: int


def used(pid: int) -> Used:
    """Return what a process has used so far."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    sizes = [int(lines[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM")]
    return Used(cpu_s([pid]), *sizes)


def folder_bytes(folder: Path) -> int:
    """Return what the files of a folder take on the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def measure(hosts: int, minutes: float, say: Callable[[str], None]) -> None:
    """Scrape for some minutes, then ask; print a table of Markdown."""
    with ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vmtop-scale-", dir="/var/tmp")))
        address = stack.enter_context(serving(Hosts(hosts, _INTERVAL_S)))
        rules = top / RULES
        rules.write_text(recording_rules())
        targets = {f"h{number}": f"{address}/{number}/metrics" for number in range(hosts)}
        engines = {
            name: stack.enter_context(
                metric_engine(
                    name,
                    top / name,
                    interval_s=_INTERVAL_S,
                    evaluation_s=_EVALUATION_S,
                    rules=[rules] if name == PROMETHEUS else (),
                )
            )
            for name in ENGINES
        }
        evaluator = stack.enter_context(
            rule_evaluator(top / "vmalert", engines[VICTORIA_METRICS], [rules], _EVALUATION_S)
        )
        time.sleep(5)
        empty = {name: used(engine.daemon.pid).resident_bytes for name, engine in engines.items()}
        for engine in engines.values():
            engine.scrape(targets)
        time.sleep(_BEGIN_S)  # all series are there
        began, before = time.monotonic(), {name: used(engine.daemon.pid) for name, engine in engines.items()}
        samples = {name: taken_in(engine) for name, engine in engines.items()}
        rules_before = used(evaluator.pid)
        time.sleep(minutes * 60)
        elapsed_s = time.monotonic() - began
        for name, engine in engines.items():
            say(f"| {name}: resident without a series | {empty[name] >> 20} MiB |")
            _report(name, engine, before[name], samples[name], empty[name], elapsed_s, top / name / "data", say)
        ended = used(evaluator.pid)
        say(f"| vmalert: CPU, cores | {(ended.cpu_s - rules_before.cpu_s) / elapsed_s:.4f} |")
        say(f"| vmalert: resident | {ended.resident_bytes >> 20} MiB |")
        for expression, words in QUERIES.items():
            for name, engine in engines.items():
                _ask(name, engine, expression, words, say)


def _report(
    name: str,
    engine: MetricEngine,
    before: Used,
    samples_before: float,
    empty_bytes: int,
    elapsed_s: float,
    data: Path,
    say: Callable[[str], None],
) -> None:
    after, samples = used(engine.daemon.pid), taken_in(engine) - samples_before
    series = engine.value('count({__name__=~".+"})') or 1
    scraped = engine.value("sum(scrape_samples_scraped)") or 1
    recorded = engine.value('count({__name__=~"workload:.+|instance.*:.+"})') or 0
    span = f"{elapsed_s:.0f}s"
    lost = engine.value(f"sum(count_over_time(up[{span}]) - sum_over_time(up[{span}]))") or 0
    cpu = after.cpu_s - before.cpu_s
    grown = [(size - empty_bytes) / series / 1.024 for size in (after.resident_bytes, after.peak_bytes)]
    disk = _disk_bytes(name, engine, data)
    say(f"| {name}: series; of them recorded | {series:,.0f}; {recorded:,.0f} |")
    say(f"| {name}: series of a workload with its share of the host | {scraped / _hosts(engine) / WORKLOADS:.1f} |")
    say(f"| {name}: scrapes that failed | {lost:.0f} |")
    say(f"| {name}: samples; in a second | {samples:,.0f}; {samples / elapsed_s:,.0f} |")
    say(f"| {name}: CPU, cores; s per million samples | {cpu / elapsed_s:.4f}; {cpu / samples * 1e6:.2f} |")
    say(f"| {name}: resident; peak | {after.resident_bytes >> 20} MiB; {after.peak_bytes >> 20} MiB |")
    say(f"| {name}: resident; peak per thousand series, beyond that | {grown[0]:.0f} KiB; {grown[1]:.0f} KiB |")
    say(f"| {name}: disk; bytes per sample | {disk >> 20} MiB; {disk / (samples + samples_before):.2f} |")


def taken_in(engine: MetricEngine) -> float:
    """Return how many samples an engine has taken in, by its own count."""
    name = _TAKEN_IN[engine.name]
    lines = engine.request("/metrics", {})[1].decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


_TAKEN_IN = {
    PROMETHEUS: "prometheus_tsdb_head_samples_appended_total",
    VICTORIA_METRICS: "vm_rows_inserted_total",
}


def _disk_bytes(name: str, engine: MetricEngine, data: Path) -> int:
    """Return what the samples take once an engine has packed them: Prometheus in a block, VictoriaMetrics merged."""
    if name == PROMETHEUS:
        answer = engine.request("/api/v1/admin/tsdb/snapshot", {}, b"")[1]
        return folder_bytes(data / "snapshots" / json.loads(answer)["data"]["name"])
    for order in ("force_flush", "force_merge"):
        engine.request(f"/internal/{order}", {})
    time.sleep(30)
    return folder_bytes(data)


def _hosts(engine: MetricEngine) -> float:
    return engine.value('count(up{job="vmtop"})') or 1


def _ask(name: str, engine: MetricEngine, expression: str, words: str, say: Callable[[str], None]) -> None:
    costs, spans = [], []
    for _ in range(5):
        before, began = cpu_s([engine.daemon.pid]), time.monotonic()
        engine.query(expression)
        spans.append(time.monotonic() - began)
        costs.append(cpu_s([engine.daemon.pid]) - before)
    say(f"| {name}: {words}: ms, median (least); CPU | {median(spans) * 1e3:.0f} ({min(spans) * 1e3:.0f});"
        f" {median(costs) * 1e3:.0f} |")  # fmt: skip


if __name__ == "__main__":
    words = sys.argv[1:]
    measure(
        int(words[0]) if words else 20, float(words[1]) if len(words) > 1 else 20, lambda line: print(line, flush=True)
    )
