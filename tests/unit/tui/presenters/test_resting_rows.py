"""Which workloads at rest stay in the table."""

from __future__ import annotations

from msgspec.structs import replace

from collectors.analysis.rates import Moment
from collectors.analysis.tracker import MomentTracker
from collectors.model.workloads import State, WorkloadId
from collectors.query.filter import parse
from tests.helpers.demo_fleet import Fleet
from tui.presenters.main_screen.resting_rows import ENDED_S, FAILED_S, NEWS_S, has_changed, is_new
from tui.presenters.table.state import TableState


class Table:
    """A table of a fleet of which one workload, in the middle, changes its state."""

    def __init__(self) -> None:
        self.fleet, self.track = Fleet(20), MomentTracker()
        self.view = TableState(clock=lambda: self.fleet.wall)
        self.state = State.RUNNING
        self.exit_code: int | None = None
        self.reason: str | None = None
        self.subject = WorkloadId("", "")
        self.seconds(12)
        self.subject = self.view.lines[5].id

    def seconds(self, count: float) -> Moment:
        """Let seconds pass, each with a frame."""
        for _ in range(int(count)):
            frame = self.fleet.frame()
            if self.subject in frame.workloads:
                workload = frame.workloads[self.subject]
                exit_code = self.exit_code
                frame.workloads[self.subject] = replace(
                    workload, state=self.state, exit_code=exit_code, state_reason=self.reason
                )
                if not self.state.is_active:
                    frame.samples.pop(self.subject, None)
            self.moment = self.track.feed(frame)
            self.arrange()
        return self.moment

    def arrange(self) -> None:
        self.view.arrange(self.moment, self.track.history, self.track.states)

    @property
    def is_shown(self) -> bool:
        return any(line.id == self.subject for line in self.view.lines)

    def ends(self, exit_code: int | None, reason: str | None = None) -> None:
        self.state, self.exit_code, self.reason = State.STOPPED, exit_code, reason


def test_a_workload_that_ended_stays_for_a_minute_where_it_was() -> None:
    table = Table()
    table.ends(0)
    for _ in range(10):
        table.seconds(1)
        neighbours = [line.id for line in table.view.lines[:9]]
        assert table.subject in neighbours
    table.seconds(ENDED_S - 11)
    assert table.is_shown
    table.seconds(2)
    assert not table.is_shown
    assert table.view.hidden >= 1


def test_one_that_failed_stays_until_it_was_looked_at() -> None:
    table = Table()
    table.ends(1)
    table.seconds(ENDED_S + 60)
    assert table.is_shown
    table.view.looked_at[table.subject] = table.moment.frame.wall
    table.seconds(1)
    assert not table.is_shown
    table.state = State.RUNNING
    table.seconds(1)
    table.ends(1)
    table.seconds(ENDED_S + 60)
    assert table.is_shown


def test_one_that_failed_stays_for_ten_minutes_at_most() -> None:
    table = Table()
    table.ends(137, "out of memory")
    table.seconds(FAILED_S - 1)
    assert table.is_shown
    table.seconds(2)
    assert not table.is_shown


def test_what_was_stopped_before_is_not_shown_until_it_is_asked_for() -> None:
    fleet, track, view = Fleet(20), MomentTracker(), TableState()
    for _ in range(3):
        frame = fleet.frame()
        identity = next(iter(frame.workloads))
        frame.workloads[identity] = replace(frame.workloads[identity], state=State.STOPPED)
        moment = track.feed(frame)
        lines = view.arrange(moment, track.history, track.states)
    assert identity not in {line.id for line in lines}
    view.show_all = True
    assert identity in {line.id for line in view.arrange(moment, track.history, track.states)}


def test_a_marked_one_stays_and_so_does_the_one_under_the_cursor() -> None:
    table = Table()
    table.view.marks.add(table.subject)
    table.ends(0)
    table.seconds(3 * ENDED_S)
    assert table.is_shown
    table.view.move_to(next(index for index, line in enumerate(table.view.lines) if line.id == table.subject))
    table.view.marks.clear()
    table.seconds(5)
    assert table.is_shown
    table.view.move_to(0)
    table.seconds(5)
    assert not table.is_shown


def test_a_restart_empties_neither_a_filtered_table_nor_the_marks() -> None:
    table = Table()
    name = table.moment.readings[table.subject].workload.name
    table.view.query_text, table.view.query = name, parse(f"name={name}")
    table.view.marks.add(table.subject)
    table.view.acted_on = frozenset({table.subject})
    table.ends(143)
    for _ in range(20):
        table.seconds(1)
        assert [line.id for line in table.view.lines] == [table.subject]
    table.state = State.RUNNING
    table.seconds(1)
    assert [line.id for line in table.view.lines] == [table.subject]
    assert table.view.marks == {table.subject}


def test_a_service_that_no_source_lists_during_its_restart_stays_too() -> None:
    table = Table()
    table.view.marks.add(table.subject)
    table.view.acted_on = frozenset({table.subject})
    frame = table.fleet.frame()
    del frame.workloads[table.subject], frame.samples[table.subject]
    table.moment = table.track.feed(frame)
    for _ in range(3):
        table.arrange()
        (line,) = [line for line in table.view.lines if line.id == table.subject]
        assert line.reading is not None
        assert line.reading.workload.state is State.STOPPED
    table.view.acted_on = frozenset()
    table.arrange()
    assert not table.is_shown
    assert not table.view.marks


def test_new_workloads_and_changed_states_are_news_for_ten_seconds() -> None:
    table = Table()
    states = table.track.states
    assert not has_changed(states, table.subject, table.moment.frame.wall)
    table.state = State.PAUSED
    table.seconds(1)
    assert has_changed(states, table.subject, table.moment.frame.wall)
    assert not is_new(states, table.subject, table.moment.frame.wall)
    table.seconds(NEWS_S)
    assert not has_changed(states, table.subject, table.moment.frame.wall)
