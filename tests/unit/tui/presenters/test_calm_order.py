"""The order of the rows: true up to a margin, and as still as that allows."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.rates import Reading
from collectors.analysis.tracker import MomentTracker
from collectors.model.workloads import Frame, Kind, Sample, State, Workload, WorkloadId
from tests.helpers.demo_fleet import Fleet
from tui.presenters.main_screen.calm_order import HOLD_S, PACE_S, CalmOrder, Smoothing, by_identity, is_clear, settle
from tui.presenters.table.state import TableState

VALUES = st.lists(st.floats(0, 1e4), max_size=30)
STEP = 1.0


@given(VALUES)
def test_a_settled_order_is_a_permutation(values: list[float]) -> None:
    assert sorted(settle(values, STEP)) == list(range(len(values)))


@given(VALUES)
def test_no_row_is_clearly_above_one_that_stands_before_it(values: list[float]) -> None:
    settled = [values[index] for index in settle(values, STEP)]
    for index, value in enumerate(settled):
        assert not any(is_clear(below, value, STEP) for below in settled[index + 1 :])


@given(VALUES)
def test_what_is_settled_stays_as_it_is(values: list[float]) -> None:
    settled = [values[index] for index in settle(values, STEP)]
    assert settle(settled, STEP) == list(range(len(settled)))


@given(st.floats(0, 1e4), st.lists(st.floats(0, 1), max_size=30))
def test_without_clear_differences_nothing_moves(lowest: float, shares: list[float]) -> None:
    values = [lowest + share * max(STEP, lowest * 0.1) * 0.999 for share in shares]
    assert settle(values, STEP) == list(range(len(values)))


@given(VALUES, st.integers(0, 29), st.floats(0, 1e4))
def test_when_one_row_changes_others_pass_each_other_only_to_let_it_through(
    values: list[float], position: int, new: float
) -> None:
    """A row that it is not clearly above stays before it, and so passes those that it is clearly above."""
    settled = [values[index] for index in settle(values, STEP)]
    if position < len(settled):
        settled[position] = new
        order = settle(settled, STEP)
        others = [index for index in order if index != position]
        for later, first in combinations(others, 2):
            if later > first:
                assert is_clear(new, settled[first], STEP)
                assert not is_clear(new, settled[later], STEP)


class Table:
    """Rows with values that a test sets, and a clock that it moves."""

    def __init__(self, **values: float | None) -> None:
        self.now = 0.0
        self.values = values
        self.calm = CalmOrder(lambda: self.now)
        self.asked = 0
        """How often the values were asked for."""

    def names(self, is_reversed: bool = False) -> str:
        rows = [
            Reading(Workload(WorkloadId("docker", name), Kind.CONTAINER, name, State.RUNNING), ())
            for name in sorted(self.values)
        ]
        ordered = self.calm.by_value(by_identity(rows), self._values_of, STEP, is_reversed)
        return "".join(row.workload.name for row in ordered)

    def _values_of(self, rows: Sequence[Reading]) -> list[float | None]:
        self.asked += 1
        return [self.values[row.workload.name] for row in rows]


@given(st.dictionaries(st.sampled_from("abcdefghij"), st.floats(0, 1e3)), st.data())
def test_a_clear_difference_that_lasts_is_honoured_within_three_seconds(
    values: dict[str, float], data: st.DataObject
) -> None:
    table = Table(**values)
    table.names()
    for _ in range(data.draw(st.integers(0, 5))):
        table.now += 1.0
        table.values = {name: data.draw(st.floats(0, 1e3)) for name in values}
        table.names()
    for _ in range(int(PACE_S)):
        table.now += 1.0
        shown = table.names()
    for index, name in enumerate(shown):
        value = table.values[name] or 0.0
        assert not any(is_clear(table.values[below] or 0.0, value, STEP) for below in shown[index + 1 :])


def test_no_value_is_derived_for_an_order_that_stays() -> None:
    table = Table(a=10.0, b=20.0)
    for second in range(int(PACE_S) + 1):
        table.now = float(second)
        table.names()
    assert table.asked == 2


def test_the_order_changes_once_in_three_seconds_and_at_once_when_it_is_asked_for() -> None:
    table = Table(a=10.0, b=20.0, c=30.0)
    assert table.names() == "cba"
    table.values["a"] = 100.0
    table.now = 1.0
    assert table.names() == "cba"
    table.now = PACE_S
    assert table.names() == "acb"
    table.values["b"] = 1000.0
    table.now += 1.0
    assert table.names() == "acb"
    table.calm.release()
    assert table.names() == "bac"


def test_a_quiet_table_answers_a_change_at_once() -> None:
    table = Table(a=10.0, b=20.0)
    table.names()
    for second in range(20):
        table.now = float(second)
        assert table.names() == "ba"
    table.values["a"] = 50.0
    table.now += 1.0
    assert table.names() == "ab"


def test_the_lowest_come_first_in_the_reversed_order_and_those_without_a_value_come_last_in_both() -> None:
    table = Table(a=None, b=5.0, c=50.0, d=500.0, e=0.0)
    assert table.names() == "dcbea"
    table.calm.release()
    assert table.names(is_reversed=True) == "ebcda"
    table.values["b"] = 900.0
    table.now = PACE_S
    assert table.names(is_reversed=True) == "ecdba"


def test_rows_at_zero_stand_by_name_and_leave_the_tail_only_when_clearly_above_zero() -> None:
    table = Table(a=0.0, b=40.0, c=0.0, d=0.0, e=0.3)
    assert table.names() == "beacd"
    table.values |= {"d": 0.9, "e": 0.0}
    table.now = PACE_S
    assert table.names() == "bacde"
    table.values |= {"d": 1.2}
    table.now = 2 * PACE_S
    assert table.names() == "bdace"


def test_while_the_order_is_held_nothing_moves() -> None:
    view = TableState(clock=lambda: clock)
    clock, fleet, track = 0.0, Fleet(30), MomentTracker()
    for _ in range(5):
        clock += 1.0
        before = [line.id for line in view.arrange(track.feed(fleet.frame()), track.history)]
    view.hold_order()
    assert view.is_held
    clock += HOLD_S / 2
    assert [line.id for line in view.arrange(track.feed(fleet.frame()), track.history)] == before
    clock += HOLD_S
    assert not view.is_held


ROWS = 15


def changed_places(fleet: Fleet, view: TableState, seconds: int) -> Iterator[int]:
    """Yield for each second of a fleet how many of the visible rows show another workload than before."""
    track = MomentTracker()
    before: list[WorkloadId] = []
    for second in range(seconds):
        now = float(second)
        view.clock = lambda: now  # noqa: B023  # it is asked before the next second
        lines = view.arrange(track.feed(fleet.frame()), track.history, track.states)
        visible = [line.id for line in lines[:ROWS]]
        if second > 2:
            yield sum(first != second for first, second in zip(before, visible, strict=True))
        before = visible


@pytest.mark.parametrize("seed", range(1, 6))
def test_at_most_two_of_fifteen_rows_change_place_in_a_second_at_the_median(seed: int) -> None:
    exact = list(changed_places(Fleet(30, seed), TableState(smoothing=Smoothing.NOW), 120))
    calm = list(changed_places(Fleet(30, seed), TableState(), 120))
    assert statistics.median(exact) > 8
    assert statistics.median(calm) <= 2
    assert statistics.mean(calm) < statistics.mean(exact) / 2


@pytest.mark.parametrize("begins", range(40, 46))
def test_a_newcomer_to_the_top_is_there_within_three_seconds(begins: int) -> None:
    fleet, track, view = Fleet(30), MomentTracker(), TableState()
    newcomer, cpu_ns, clear_since = WorkloadId("docker", "f" * 64), 0, None
    for second in range(begins + 10):
        now = float(second)
        view.clock = lambda: now  # noqa: B023  # it is asked before the next second
        cpu_ns += 12_000_000_000 if second > begins else 100_000_000
        moment = track.feed(_with(fleet.frame(), newcomer, cpu_ns))
        lines = view.arrange(moment, track.history, track.states)
        others = [line.value("cpu_percent") or 0.0 for line in lines if line.id != newcomer]
        if clear_since is None and is_clear(moment.readings[newcomer].value("cpu_percent") or 0.0, max(others), STEP):
            clear_since = second
        if clear_since is not None and second >= clear_since + PACE_S:
            assert lines[0].id == newcomer, f"second {second}"
    assert clear_since is not None


def _with(frame: Frame, identity: WorkloadId, cpu_ns: int) -> Frame:
    frame.workloads[identity] = Workload(identity, Kind.CONTAINER, "newcomer", State.RUNNING)
    frame.samples[identity] = (Sample("demo", frame.at_ns, cpu_total_ns=cpu_ns),)
    return frame
