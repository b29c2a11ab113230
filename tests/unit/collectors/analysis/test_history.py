"""The recent past: a ring keeps the last n, a gap is NaN, what is long gone is forgotten."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis import history as module
from collectors.analysis.history import History
from collectors.analysis.rates import Deriver
from collectors.model.metrics import CHARTED
from collectors.model.workloads import Workload, WorkloadId
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
    assert history._places.of(WEB.id) is None


def test_host_is_kept_too() -> None:
    history, deriver = History(3), Deriver()
    for at_s in range(5):
        history.push(deriver.feed(frame(at_s, {}, {"memory_charged_bytes": at_s})))
    assert history.recent(HOST, "memory_host_bytes", 3) == [2.0, 3.0, 4.0]


def test_unknown_workload_or_metric_is_all_gap() -> None:
    history = _history(3, [1])
    assert _plain(history.recent(WorkloadId("docker", "none"), CHARTED[0], 5)) == [None] * 5
    assert _plain(history.recent(WEB.id, "pids", 2)) == [None, None]


def _lasting(history: History, count: int, newest: int) -> float | None:
    """Return the mean of one workload that is known, after that of one that is not."""
    other, mean = history.lasting([WorkloadId("docker", "none"), WEB.id], "memory_host_bytes", count, newest)
    assert other is None
    return mean


@given(st.lists(st.none() | st.integers(0, 1000), min_size=1, max_size=20), st.integers(1, 12))
def test_the_mean_is_of_what_was_sampled_of_the_last_ticks(values: list[int | None], count: int) -> None:
    history = _history(8, values)
    known = [value for value in values[-min(count, 8) :] if value is not None]
    mean = _lasting(history, count, 0)
    assert mean == (pytest.approx(sum(known) / len(known)) if known else None)


def test_a_load_that_lasts_counts_before_the_mean_has_followed() -> None:
    history = _history(8, [0, 0, 0, 0, 0, 0, 800])
    assert _lasting(history, 8, 2) == pytest.approx(800 / 7)
    history = _history(8, [0, 0, 0, 0, 0, 700, 800])
    assert _lasting(history, 8, 2) == 700
    history = _history(8, [800, 800, 800, 0, 0])
    assert _lasting(history, 8, 2) == 480


def test_the_mean_ends_where_the_view_is_frozen() -> None:
    history = _history(8, [100, 200, 300, 400])
    history.held_at = history.ticks - 2
    assert _lasting(history, 2, 0) == 150


def test_what_was_last_known_outlasts_a_gap() -> None:
    history = _history(8, [100, 200, 300, None, None])
    assert history.last_known(WEB.id, "memory_host_bytes", 2) == [200, 300]
    assert history.last_known(WorkloadId("docker", "other"), "memory_host_bytes", 2) == []


def test_one_more_metric_can_be_kept_of_every_workload() -> None:
    history, deriver = History(8), Deriver()
    assert not history.keep("cpu_percent")
    assert history.keep("memory_charged_bytes")
    assert not history.keep("memory_charged_bytes")
    for at_s in range(3):
        history.push(deriver.feed(frame(at_s, {WEB: {"memory_charged_bytes": at_s}})))
    assert history.last_known(WEB.id, "memory_charged_bytes", 8) == [0, 1, 2]
    history.keep("pids")
    assert history.last_known(WEB.id, "memory_charged_bytes", 8) == [], "it is kept no longer"
    other = History(8)
    other.keep_as(history)
    history.become(other)
    history.push(deriver.feed(frame(4, {WEB: {"pids": 7}})))
    assert history.last_known(WEB.id, "pids", 8) == [7]


def _crowd(names: Iterable[str]) -> dict[Workload, dict[str, int]]:
    return {workload(name): {"memory_charged_bytes": 7} for name in names}


def test_the_longest_absent_make_room_and_leave_nothing_to_those_that_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WORKLOADS", 2)
    history, deriver = History(8), Deriver()
    for at_s, names in enumerate(("ab", "b", "bc", "bcd")):
        history.push(deriver.feed(frame(at_s, _crowd(names))))
    past = {name: _plain(history.recent(workload(name).id, "memory_host_bytes", 4)) for name in "abcd"}
    assert past == {
        "a": [None] * 4,
        "b": [7.0] * 4,
        "c": [None, None, 7.0, 7.0],
        "d": [None] * 4,
    }, "c has the place of a, and there is none for d"
    history.push(deriver.feed(frame(9, _crowd("cd"))))
    history.push(deriver.feed(frame(10, _crowd("cde"))))
    assert _plain(history.recent(workload("d").id, "memory_host_bytes", 8)) == [None] * 6 + [7.0, 7.0]
    assert _plain(history.recent(workload("e").id, "memory_host_bytes", 8)) == [None] * 8


def test_places_do_not_grow_with_those_that_come_and_go() -> None:
    history, deriver = History(3), Deriver()
    for at_s in range(40):
        history.push(deriver.feed(frame(at_s, _crowd((f"job-{at_s}", "web")))))
    assert len(history._places) <= 6
    assert max(len(column) for columns in history._columns for column in columns.values()) <= 6
    assert _plain(history.recent(workload("web").id, "memory_host_bytes", 3)) == [7.0] * 3
    assert _plain(history.recent(workload("job-39").id, "memory_host_bytes", 3)) == [None, None, 7.0]
