"""What is known of the times at which workloads came and changed."""

from __future__ import annotations

from msgspec.structs import replace

from collectors.analysis.rates import Deriver
from collectors.analysis.state_log import StateLog
from collectors.model.workloads import Frame, Kind, State, Workload, WorkloadId
from tests.helpers.demo_fleet import Fleet

WEB = WorkloadId("docker", "a" * 64)
START = 1_750_000_000.0


class Log:
    """A log that takes a frame for each second, with one workload in a state, or without it."""

    def __init__(self) -> None:
        self.log, self.deriver, self.fleet = StateLog(), Deriver(), Fleet(0)
        self.wall = START

    def second(self, state: State | None, count: int = 1, health: str | None = None) -> None:
        for _ in range(count):
            self.wall += 1
            frame: Frame = replace(self.fleet.frame(), wall=self.wall)
            if state is not None:
                frame.workloads[WEB] = Workload(WEB, Kind.CONTAINER, "web", state, health=health)
            self.log.push(self.deriver.feed(frame))


def test_what_was_so_in_the_first_frame_has_no_time() -> None:
    log = Log()
    log.second(State.STOPPED, 5)
    assert log.log.changed_at(WEB, log.wall) is None
    assert not log.log.is_new(WEB, log.wall, 10)


def test_what_was_at_rest_when_it_was_first_seen_has_no_time_either() -> None:
    log = Log()
    log.second(None, 3)
    log.second(State.STOPPED, 2)
    assert log.log.changed_at(WEB, log.wall) is None
    assert not log.log.is_new(WEB, log.wall, 10)


def test_a_change_of_state_has_the_time_of_the_first_frame_that_shows_it() -> None:
    log = Log()
    log.second(State.RUNNING, 3)
    log.second(State.STOPPED, 20)
    assert log.log.changed_at(WEB, log.wall) == START + 4


def test_a_change_of_health_is_a_change() -> None:
    log = Log()
    log.second(State.RUNNING, 3, "healthy")
    log.second(State.RUNNING, 3, "unhealthy")
    change = log.log.last_change(WEB, log.wall)
    assert change is not None
    assert (change.wall, change.health, change.is_first) == (START + 4, "unhealthy", False)


def test_an_earlier_moment_knows_nothing_of_what_came_later() -> None:
    log = Log()
    log.second(State.RUNNING, 3)
    log.second(State.STOPPED, 3)
    log.second(State.RUNNING, 3)
    assert log.log.changed_at(WEB, START + 5) == START + 4
    assert log.log.changed_at(WEB, START + 3) is None


def test_a_workload_is_new_for_a_while() -> None:
    log = Log()
    log.second(None, 20)
    log.second(State.RUNNING)
    assert log.log.is_new(WEB, log.wall, 10)
    assert not log.log.is_new(WEB, log.wall - 1, 10)
    log.second(State.RUNNING, 10)
    assert not log.log.is_new(WEB, log.wall, 10)


def test_a_workload_that_comes_back_soon_is_not_new_and_one_that_was_long_gone_is() -> None:
    log = Log()
    log.second(State.RUNNING, 3)
    log.second(None, 30)
    log.second(State.RUNNING)
    assert not log.log.is_new(WEB, log.wall, 10)
    assert log.log.changed_at(WEB, log.wall) == log.wall
    log.second(None, 700)
    log.second(State.RUNNING)
    assert log.log.is_new(WEB, log.wall, 10)


def test_what_a_source_lists_late_is_not_new() -> None:
    log = Log()
    log.second(None, 3)
    log.second(State.RUNNING)
    assert not log.log.is_new(WEB, log.wall, 10)


def test_a_service_that_is_gone_until_it_is_listed_as_failed_ended_when_it_went() -> None:
    log = Log()
    log.second(State.RUNNING, 3)
    log.second(None, 4)
    log.second(State.CRASHED, 3)
    assert log.log.changed_at(WEB, log.wall) == START + 4


def test_what_is_at_rest_when_its_source_comes_back_has_no_time() -> None:
    log = Log()
    log.second(State.RUNNING, 3)
    log.second(State.STOPPED, 3)
    log.second(None, 5)
    log.second(State.STOPPED, 3)
    assert log.log.changed_at(WEB, log.wall) is None


def test_another_state_of_rest_does_not_end_it_again() -> None:
    log = Log()
    log.second(State.RUNNING, 3)
    log.second(State.STOPPED, 3)
    log.second(State.CRASHED, 3)
    assert log.log.changed_at(WEB, log.wall) == START + 4


def test_no_more_changes_are_kept_than_are_needed() -> None:
    log = Log()
    for _ in range(50):
        log.second(State.RUNNING)
        log.second(State.STOPPED)
    assert len(log.log._changes[WEB]) < 10
