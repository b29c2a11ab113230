"""The past of one workload: columns, gaps, statistics, bounds."""

from __future__ import annotations

from math import isnan, nan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.rates import Pair, Reading
from collectors.comparison.workload_history import HistoryReader, WorkloadHistory
from collectors.model.workloads import Kind, Sample, State, Workload, WorkloadId
from collectors.session.reader import Session
from tests.unit.collectors.session.test_session_file import fleet_frames, write

_ID = WorkloadId("docker", "1")
_KEY = "pids"


def reading(value: int | None) -> Reading:
    workload = Workload(id=_ID, kind=Kind.CONTAINER, name="web", state=State.RUNNING)
    return Reading(workload, (Pair(None, Sample(source="cgroup", at_ns=1, pids=value)),))


def history(values: dict[float, int | None], interval_s: float = 1.0, capacity: int = 7200) -> WorkloadHistory:
    past = WorkloadHistory(capacity)
    for wall, value in values.items():
        past.add(wall, reading(value), interval_s)
    return past


def same(first: list[float], second: list[float]) -> bool:
    pairs = zip(first, second, strict=True)
    return all(left == right or (isnan(left) and isnan(right)) for left, right in pairs)


def test_a_column_is_the_mean_of_its_seconds_and_knows_the_highest() -> None:
    past = history({100.2: 1, 101.2: 3, 102.2: 10, 103.2: 20})
    assert past.columns(_KEY, 103.2, 2, 2) == ([2, 15], [3, 20])
    assert past.columns(_KEY, 103.2, 1, 2) == ([10, 20], [10, 20])


def test_a_value_covers_the_time_since_the_one_before_it_so_that_jitter_leaves_no_gap() -> None:
    past = history({100.9: 5, 102.1: 7, 103.0: 9})
    assert past.columns(_KEY, 103.0, 1, 4) == ([5, 7, 7, 9], [5, 7, 7, 9])
    slow = history({100.0: 1, 105.0: 2}, interval_s=5.0)
    assert slow.columns(_KEY, 105.0, 5, 2).means == [1.8, 2], "101 to 105 belong to the second value"
    assert slow.column_s(60, 120) == 5


def test_a_pause_is_a_gap_and_what_was_before_the_first_value_is_none() -> None:
    past = history({100.0: None, 101.0: 4, 102.0: None, 103.0: None, 104.0: 5, 109.0: 6, 110.0: None})
    assert past.gaps(_KEY, 0, 200) == [(102, 104), (105, 109), (110, None)]
    assert past.gaps(_KEY, 104, 108.5) == [(105, None)]
    means = past.columns(_KEY, 109.0, 1, 10).means
    assert same(means, [nan, 4, nan, nan, 5, nan, nan, nan, nan, 6])


def test_a_workload_that_was_not_there_has_a_gap() -> None:
    past = history({100.0: 1})
    past.add(101.0, None, 1.0)
    past.add(102.0, reading(3), 1.0)
    assert past.gaps(_KEY, 0, 200) == [(101, 102)]


def test_statistics_are_of_the_seconds_in_view_and_the_highest_is_of_every_sample() -> None:
    past = history({100.0: 90, 101.0: 1, 101.2: 1, 101.4: 7, 102.0: 5}, interval_s=0.2)
    stats = past.statistics(_KEY, 101.0, 102.0)
    assert stats is not None
    assert (stats.mean, stats.max, stats.last) == (4.0, 7.0, 5.0)
    assert past.statistics("cpu_percent", 0, 200) is None


def test_after_a_clock_was_set_back_the_newer_moments_count() -> None:
    past = history({100.0: 1, 101.0: 2, 102.0: 3, 100.5: 9, 101.5: 8})
    assert past.columns(_KEY, 101.5, 1, 3).means[1:] == [9, 8]
    early = history({100.0: 1, 50.0: 2})
    assert early.columns(_KEY, 50.0, 1, 1).means == [2]


def test_beyond_its_capacity_it_gets_coarser_and_keeps_means_and_highest_values() -> None:
    past = history({101.0 + second: second % 4 for second in range(32)}, capacity=10)
    assert past.step_s == 4
    assert past.column_s(3, 3) == 4
    columns = past.columns(_KEY, 127.0, 8, 2)
    assert columns.highest == [3, 3]
    assert columns.means == pytest.approx([1.5, 1.5])


@given(
    st.lists(st.tuples(st.floats(0, 1e7), st.one_of(st.none(), st.integers(0, 100))), max_size=40), st.integers(2, 9)
)
def test_it_stays_within_its_capacity_whatever_the_clock_does(
    ticks: list[tuple[float, int | None]], capacity: int
) -> None:
    past = WorkloadHistory(capacity)
    for wall, value in ticks:
        past.add(wall, reading(value), 1.0)
        assert all(len(series.sums) == past._length <= capacity for series in past._series.values())
        if value is not None:
            assert past.columns(_KEY, wall, past.column_s(1, 1), 1).highest[0] >= value


def test_it_is_read_from_a_session_frame_by_frame_and_holds_every_metric(tmp_path: Path) -> None:
    frames = fleet_frames(40, 6)
    identity = next(iter(frames[0].workloads))
    session = Session([write(tmp_path / "a.vmtop.gz", frames)])
    reader, past = HistoryReader(identity), WorkloadHistory()
    ticks = reader.ticks(frame for _, frame in session.frames())
    first, second = next(ticks), next(ticks)
    assert [first.wall, second.wall] == [frame.wall for frame in frames[:2]], "the caller may stop"
    rest = list(reader.ticks(frames))
    assert [tick.wall for tick in rest] == [frame.wall for frame in frames[2:]], "and go on later"
    for tick in (first, second, *rest):
        past.add(*tick)
    assert past.has("cpu_percent")
    assert past.has("memory_charged_bytes")
    session.close()
