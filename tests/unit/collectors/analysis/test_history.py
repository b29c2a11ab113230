"""The recent past: a ring keeps the last n, a gap is NaN, what is long gone is forgotten."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.history import History
from collectors.analysis.rates import Deriver
from collectors.model.metrics import CHARTED
from collectors.model.workloads import WorkloadId
from tests.helpers.strategies import HOST, frame, workload

WEB = workload("web")


def _history(capacity: int, values: list[int | None]) -> History:
    """Push a moment for each value of memory; `None` is a moment without the workload."""
    history, deriver = History(capacity), Deriver()
    for at_s, value in enumerate(values):
        present = {} if value is None else {WEB: {"memory_charged_bytes": value}}
        history.push(deriver.feed(frame(at_s, present)))
    return history


def _plain(values: list[float]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values]


@given(st.integers(1, 8), st.lists(st.integers(0, 1000), max_size=20), st.integers(0, 20))
def test_ring_keeps_the_last_values(capacity: int, values: list[int], count: int) -> None:
    recent = _history(capacity, list(values)).recent(WEB.id, "memory_host_bytes", count)
    assert len(recent) == count
    kept = values[-min(count, capacity, len(values)) :] if min(count, capacity, len(values)) else []
    assert _plain(recent) == [None] * (count - len(kept)) + kept


@given(st.lists(st.none() | st.integers(0, 1000), max_size=20), st.integers(1, 8))
def test_absence_is_a_gap(values: list[int | None], capacity: int) -> None:
    recent = _plain(_history(capacity, values).recent(WEB.id, "memory_host_bytes", capacity))
    padding: list[float | None] = [None] * max(0, capacity - len(values))
    assert recent == padding + list(values[-capacity:])


def test_rate_of_the_first_sample_is_a_gap() -> None:
    history, deriver = History(4), Deriver()
    for at_s, total in enumerate((0, 1_000_000_000, 1_500_000_000)):
        history.push(deriver.feed(frame(at_s, {WEB: {"cpu_total_ns": total}})))
    assert _plain(history.recent(WEB.id, "cpu_percent", 4)) == [None, None, 100.0, 50.0]


def test_workload_is_forgotten_when_the_ring_is_all_gap() -> None:
    history = _history(3, [5, None, None, None, None, None])
    assert _plain(history.recent(WEB.id, "memory_host_bytes", 3)) == [None, None, None]
    assert WEB.id not in history._rings
    assert not history._absent_since


def test_host_is_kept_too() -> None:
    history, deriver = History(3), Deriver()
    for at_s in range(5):
        history.push(deriver.feed(frame(at_s, {}, {"memory_charged_bytes": at_s})))
    assert history.recent(HOST, "memory_host_bytes", 3) == [2.0, 3.0, 4.0]


def test_unknown_workload_or_metric_is_all_gap() -> None:
    history = _history(3, [1])
    assert _plain(history.recent(WorkloadId("docker", "none"), CHARTED[0], 5)) == [None] * 5
    assert _plain(history.recent(WEB.id, "pids", 2)) == [None, None]
