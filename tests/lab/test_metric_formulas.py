"""The metrics as PromQL have the values of the screen: both engines, all metrics, the same samples.

The samples are those of made-up workloads on a clock of the test's own, at exact times, so that nothing but rounding
can differ.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import pytest
from msgspec.structs import replace

from collectors.analysis.rates import Deriver, Moment
from collectors.exposition.exposer import Exposer, Own
from collectors.exposition.expressions import EXPRESSIONS, expression
from collectors.exposition.recorded import CPU, KIND_CPU, KIND_MEMORY, MEMORY, RECORDED
from collectors.exposition.text import END, Dialect
from collectors.model.workloads import Frame, Kind, Workload, WorkloadId
from tests.helpers.demo_fleet import Fleet
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.metric_engines import ENGINES, MetricEngine, metric_engine

pytestmark = pytest.mark.lab

_STEP_S, _STEPS = 15, 4
_SPAN = f"{_STEP_S * _STEPS * 1000 + 1}ms"
"""A bit more than the time between the first and the last frame: Prometheus 3 leaves out what is at a window's edge."""
_MORE_COUNTERS = (
    "memory_high_total", "memory_stall_total_ns", "io_stall_total_ns", "net_drops_total", "cpu_stall_total_ns",
    "memory_stall_full_total_ns", "io_stall_full_total_ns", "cpu_stall_full_total_ns",
)  # fmt: skip
_MORE_OF_GUESTS = (
    "guest_disk_reads_total", "guest_disk_writes_total", "guest_disk_read_time_total_ns",
    "guest_disk_write_time_total_ns",
)  # fmt: skip
_MORE_GAUGES = ("memory_swap_bytes", "memory_zswap_bytes", "memory_shmem_bytes")


class Known(NamedTuple):
    """What an engine was given, and what vmtop makes of it."""

    engine: MetricEngine
    at: float
    moment: Moment


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """Frames of a minute, the last of them not long ago."""
    wall = float(int(time.time()) - 600)
    fleet = Fleet(60, wall=wall)
    made = [_completed(fleet.frame(_STEP_S), step) for step in range(_STEPS + 1)]
    return [_only(_lasting(made), frame) for frame in made]


def _lasting(frames: list[Frame]) -> set[WorkloadId]:
    """Return the workloads that run all the time: what is imported has no mark where a series ends, or begins anew."""
    epochs = [{identity: taken[0].epoch for identity, taken in frame.samples.items()} for frame in frames]
    return {identity for identity, epoch in epochs[0].items() if all(known.get(identity) == epoch for known in epochs)}


def _only(lasting: set[WorkloadId], frame: Frame) -> Frame:
    return replace(
        frame,
        workloads={identity: one for identity, one in frame.workloads.items() if identity in lasting},
        samples={identity: taken for identity, taken in frame.samples.items() if identity in lasting},
    )


def _completed(frame: Frame, step: int) -> Frame:
    """Return a frame in which every field that a metric is made of has a value, and no sample is repeated."""
    samples = {}
    for identity, taken in frame.samples.items():
        place = _place(identity)
        workload = frame.workloads.get(identity)
        names = [*_MORE_COUNTERS, *(_MORE_OF_GUESTS if workload and workload.kind is Kind.VM else ())]
        more: dict[str, int] = {name: step * (10**9 + 7**at * place) for at, name in enumerate(names, 3)}
        more |= {name: 10**6 * (at + place) + step for at, name in enumerate(_MORE_GAUGES, 1)}
        more |= {"memory_hugetlb_bytes": 2**21 * place} if place % 2 else {}
        more["at_ns"] = frame.at_ns
        samples[identity] = tuple(
            replace(sample, **{k: v for k, v in more.items() if k == "at_ns" or getattr(sample, k) is None})
            for sample in taken
        )
    return replace(frame, samples=samples, workloads=_nested(frame.workloads))


def _nested(workloads: dict[WorkloadId, Workload]) -> dict[WorkloadId, Workload]:
    """Return workloads of which some containers are in a service, as with an engine that runs in one."""
    service = min(identity for identity, one in workloads.items() if one.kind is Kind.SERVICE and _place(identity) % 2)
    containers = sorted(identity for identity, one in workloads.items() if one.kind is Kind.CONTAINER)
    return workloads | {identity: replace(workloads[identity], parent=service) for identity in containers[:2]}


def _place(identity: WorkloadId) -> int:
    return crc32(identity.id.encode()) % 100


@pytest.fixture(scope="module", params=ENGINES)
def known(request: pytest.FixtureRequest, lab_root: Path, frames: list[Frame]) -> Iterator[Known]:
    deriver = Deriver()
    deriver.feed(frames[0])
    moment = deriver.feed(frames[-1])
    with (
        skip_or_fail(),
        metric_engine(request.param, lab_root / f"formulas-{request.param}", past=_past(frames)) as engine,
    ):
        at = frames[-1].wall
        engine.daemon.wait_until(lambda: bool(engine.query("vmtop_cpu_seconds_total", at)), 30, "the past")
        yield Known(engine, at, moment)


def _past(frames: list[Frame]) -> str:
    """Return the text of several scrapes as one: all samples of a family together, each with its time."""
    families: dict[str, list[str]] = {}
    exposer = Exposer()
    for frame in frames:
        head = ""
        for line in exposer.text(frame, Dialect.OPENMETRICS, Own("test")).splitlines():
            if line.startswith("# HELP "):
                head = line
            elif line.startswith("# TYPE "):
                lines = families.setdefault(f"{head}\n{line}", [])
            elif not line.startswith("#"):
                lines.append(f"{line} {frame.wall:.3f}")
    return "".join("\n".join([head, *lines, ""]) for head, lines in families.items()) + END[Dialect.OPENMETRICS]


def _labels(workload: Workload) -> tuple[str, str, str]:
    return workload.kind.value, workload.id.engine, workload.short_id


def _comparable(moment: Moment, key: str) -> dict[tuple[str, str, str], float]:
    """Return a metric of the workloads that have been the same all the time, and were read at both ends of it."""
    begin_ns, end_ns = moment.frame.at_ns - _STEP_S * _STEPS * 10**9, moment.frame.at_ns
    values = {}
    for reading in moment.readings.values():
        value = reading.value(key)
        spans = {(pair.previous.at_ns, pair.current.at_ns) for pair in reading.pairs if pair.previous is not None}
        if value is not None and spans == {(begin_ns, end_ns)}:
            values[_labels(reading.workload)] = value
    return values


@pytest.mark.parametrize("key", EXPRESSIONS)
def test_an_expression_has_the_value_of_the_screen(known: Known, key: str) -> None:
    asked = {
        (labels["kind"], labels["engine"], labels["id"]): float(found["value"][1])
        for found in known.engine.query(expression(key, window=_SPAN), known.at)
        for labels in [found["metric"]]
    }
    shown = _comparable(known.moment, key)
    assert shown
    assert {labels for labels in shown if labels not in asked} == set()
    for labels, value in shown.items():
        assert asked[labels] == pytest.approx(value, rel=1e-4, abs=1e-3), labels


@pytest.mark.parametrize(
    ("rule", "part", "what"), [(KIND_CPU, CPU, "cpu_cores"), (KIND_MEMORY, MEMORY, "memory_bytes")]
)
def test_the_sums_by_kind_are_those_of_the_ledger(known: Known, rule: str, part: str, what: str) -> None:
    rules = {one.name: one.expression.replace("[1m]", f"[{_SPAN}]") for one in RECORDED}
    asked = known.engine.query(rules[rule].replace(part, f"({rules[part]})"), known.at)
    shares = getattr(known.moment.ledger, what)
    kinds = {found["metric"]["kind"]: float(found["value"][1]) for found in asked}
    for kind in (Kind.VM, Kind.CONTAINER, Kind.SERVICE):
        assert kinds[kind.value] == pytest.approx(getattr(shares, kind.value), rel=1e-4), kind
