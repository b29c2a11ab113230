"""Clocks of other hosts: one offset for all instants, and a difference of wall time that is cancelled and told."""

from __future__ import annotations

from msgspec.structs import replace

from collectors.fleet.clock import RemoteClock
from collectors.model.workloads import Frame
from tests.helpers.demo_fleet import Fleet

AHEAD_S = 7200.0
BEFORE_NS = 500 * 10**9
"""By how much the other monotonic clock is behind."""
FRAME = Fleet(1).frame()


class _Line:
    """A connection that delays frames."""

    def __init__(self, clock: RemoteClock, ahead_s: float = AHEAD_S, before_ns: int = BEFORE_NS) -> None:
        self.clock, self.ahead_s, self.before_ns = clock, ahead_s, before_ns
        self.now_ns, self.wall = 10**12, 1_750_000_000.0

    def carry(self, *delays_s: float) -> None:
        for delay_s in delays_s:
            self.now_ns += 10**9
            self.wall += 1
            frame: Frame = replace(FRAME, at_ns=self.now_ns - self.before_ns, wall=self.wall + self.ahead_s)
            self.clock.observe(frame, self.now_ns + round(delay_s * 1e9), self.wall + delay_s)


def test_the_offset_is_that_of_the_quickest_of_the_first_frames() -> None:
    clock = RemoteClock()
    line = _Line(clock)
    line.carry(0.3)
    assert not clock.is_known
    line.carry(0.01)
    assert clock.is_known
    assert clock.offset_ns == BEFORE_NS + 10_000_000


def test_the_offset_stays_whatever_the_delays_are() -> None:
    clock = RemoteClock()
    line = _Line(clock)
    line.carry(0.02, 0.02, 0.5, 0.0, 4.0, 0.03, 2.0, 3.0, 0.0)
    assert (clock.offset_ns, clock.era) == (BEFORE_NS + 20_000_000, 0)


def test_two_hours_ahead_are_measured_and_do_not_flicker() -> None:
    clock = RemoteClock()
    line = _Line(clock)
    differences = set()
    for delay_s in (0.0, 0.01, 0.3, 0.04, 0.02, 0.2):
        line.carry(delay_s)
        differences.add(clock.ahead_s)
    assert differences == {None, AHEAD_S}


def test_a_wall_clock_that_is_set_is_followed_without_a_new_era() -> None:
    clock = RemoteClock()
    line = _Line(clock)
    line.carry(0.0, 0.0)
    line.ahead_s = -30.0
    line.carry(0.0)
    assert (clock.ahead_s, clock.era) == (-30.0, 0)


def test_a_host_that_was_suspended_begins_an_era() -> None:
    clock = RemoteClock()
    line = _Line(clock)
    line.carry(0.0, 0.0, 0.0)
    line.before_ns += 3600 * 10**9
    line.carry(0.0, 0.0, 0.0, 0.0)
    assert clock.era == 0
    line.carry(0.0)
    assert (clock.era, clock.offset_ns) == (1, BEFORE_NS + 3600 * 10**9)


def test_frames_that_were_held_up_and_come_all_at_once_say_nothing_of_the_clock() -> None:
    clock = RemoteClock()
    line = _Line(clock)
    line.carry(0.0, 0.0, *(float(late) for late in range(40, -1, -1)), 0.0)
    assert (clock.era, clock.offset_ns) == (0, BEFORE_NS)


def test_after_a_restart_the_first_frames_begin_an_era() -> None:
    clock = RemoteClock()
    line = _Line(clock)
    line.carry(0.0, 0.0, 0.0)
    clock.reconnected()
    line.before_ns = 900 * 10**9
    line.carry(0.0)
    assert not clock.is_known
    line.carry(0.0)
    assert (clock.is_known, clock.era, clock.offset_ns) == (True, 1, 900 * 10**9)


def test_a_new_connection_to_the_same_run_keeps_the_offset() -> None:
    clock = RemoteClock()
    line = _Line(clock)
    line.carry(0.02, 0.02)
    clock.reconnected()
    line.carry(0.3, 0.4)
    assert (clock.era, clock.offset_ns) == (0, BEFORE_NS + 20_000_000)
