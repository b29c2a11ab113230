"""The last minute of a history: one minute at every interval, whole cells, and gaps that stay gaps."""

from __future__ import annotations

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.history import CAPACITY, History
from collectors.analysis.last_minute import LEAST_S, LastMinute
from collectors.analysis.rates import Deriver
from collectors.model.workloads import Workload, WorkloadId
from tests.helpers.strategies import frame, workload

MEMORY = "memory_host_bytes"
WEB = workload("web")


class Recorder:
    """A history that is given the memory of one workload, at any interval."""

    def __init__(self, interval_s: float) -> None:
        self.interval_s, self.now_s = interval_s, 0.0
        self.history, self._deriver = History(), Deriver()
        self.minute = LastMinute(self.history)

    def tick(self, memory: int | None) -> None:
        """Push a frame; `None`: the workload is not there."""
        self.now_s += self.interval_s
        workloads: dict[Workload, dict[str, int]] = {} if memory is None else {WEB: {"memory_charged_bytes": memory}}
        self.history.push(self._deriver.feed(frame(self.now_s, workloads)))

    def means(self, cells: int) -> list[float]:
        return self.minute.means(WEB.id, MEMORY, cells)


@given(st.sampled_from([0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0]), st.integers(1, 30), st.integers(1, 700))
def test_a_minute_of_one_value_is_that_value_in_as_many_cells_as_have_passed(
    interval_s: float, cells: int, ticks: int
) -> None:
    recorder = Recorder(interval_s)
    for _ in range(ticks):
        recorder.tick(7 << 20)
    means = recorder.means(cells)
    known = [value for value in means if not isnan(value)]
    assert len(means) == cells
    assert set(known) == {7 << 20}
    assert not isnan(means[-1])
    passed_s = (ticks - 1) * interval_s
    if passed_s > 61 + interval_s:
        assert len(known) == cells, "there is no hole, whatever the interval"
    assert len(known) <= passed_s / (60 / cells) + 2


def test_a_cell_is_the_mean_of_its_share_of_the_minute() -> None:
    recorder = Recorder(1.0)
    for second in range(121):
        recorder.tick(second << 20)
    # ticks count from 0 s; the newest, at 120 s, begins a cell of its own
    assert recorder.means(6)[:5] == [(first + 4.5) * (1 << 20) for first in (70, 80, 90, 100, 110)]
    assert recorder.means(6)[5] == 120 << 20


def test_cells_move_by_whole_cells() -> None:
    recorder = Recorder(1.0)
    for second in range(100):
        recorder.tick(second << 20)
    moved = 0
    for second in range(100, 140):
        before = recorder.means(15)
        recorder.tick(second << 20)
        after = recorder.means(15)
        assert after[:-1] in (before[:-1], before[1:])
        moved += after[:-1] != before[:-1]
    assert moved == 10, "a cell is four seconds"


def test_what_was_not_there_is_a_gap_and_a_measured_zero_is_none() -> None:
    recorder = Recorder(1.0)
    for second in range(121):
        recorder.tick(None if 80 <= second < 90 else 0)
    means = recorder.means(6)
    assert isnan(means[1])
    assert [value for value in means if not isnan(value)] == [0, 0, 0, 0, 0]


def test_nothing_is_known_of_an_unknown_workload_or_before_the_first_tick() -> None:
    recorder = Recorder(1.0)
    assert all(isnan(value) for value in recorder.means(8))
    assert recorder.minute.change(WEB.id, MEMORY) is None
    recorder.tick(1)
    assert all(isnan(value) for value in recorder.minute.means(WorkloadId("docker", "other"), MEMORY, 8))


@pytest.mark.parametrize("interval_s", [0.5, 1.0, 5.0, 60.0])
def test_a_change_is_per_minute_whatever_the_interval(interval_s: float) -> None:
    recorder = Recorder(interval_s)
    for tick in range(round(120 / interval_s) + 2):
        recorder.tick(int((100 + tick * interval_s / 60 * 12) * (1 << 20)))
    assert recorder.minute.change(WEB.id, MEMORY) == pytest.approx(12 << 20, rel=0.01)


def test_a_change_is_not_told_before_there_is_enough_history_or_when_the_newest_is_missing() -> None:
    recorder = Recorder(1.0)
    for second in range(int(LEAST_S)):
        recorder.tick(second)
        assert recorder.minute.change(WEB.id, MEMORY) is None
    recorder.tick(20)
    assert recorder.minute.change(WEB.id, MEMORY) == 60
    recorder.tick(None)
    assert recorder.minute.change(WEB.id, MEMORY) is None


def test_a_frozen_view_holds_its_minute() -> None:
    recorder = Recorder(1.0)
    for second in range(90):
        recorder.tick(second)
    held = recorder.means(10), recorder.minute.change(WEB.id, MEMORY)
    recorder.history.held_at = recorder.history.ticks
    for second in range(90, 130):
        recorder.tick(second)
        assert (recorder.means(10), recorder.minute.change(WEB.id, MEMORY)) == held
    recorder.history.held_at = None
    assert recorder.means(10) != held[0]


def test_the_history_holds_a_minute_at_the_shortest_interval() -> None:
    assert CAPACITY * 0.2 > 60


def test_a_history_that_became_another_one_of_as_many_ticks_is_read_anew() -> None:
    recorder, other = Recorder(1.0), Recorder(5.0)
    for second in range(30):
        recorder.tick(second)
        other.tick(second)
    before = recorder.means(6)
    recorder.history.become(other.history)
    assert recorder.means(6) == other.means(6) != before
