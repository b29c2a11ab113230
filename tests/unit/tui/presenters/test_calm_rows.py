"""Rows at rest are not formatted again, and are what they would be if they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from collectors.alerts.rule import Level
from collectors.analysis.tracker import MomentTracker
from collectors.model.workloads import Frame, WorkloadId
from tests.helpers.demo_fleet import Fleet
from tui.presenters.table.cell import Cell
from tui.presenters.table.cells import Cells
from tui.presenters.table.columns import DEFAULT, lay_out
from tui.presenters.table.line import Line
from tui.presenters.table.state import Scale

COLUMNS = lay_out(DEFAULT, 200)
WORKLOADS = 12


class Rest:
    """A fleet in which nothing happens but what a test changes."""

    def __init__(self) -> None:
        self.frame = Fleet(WORKLOADS).frame()
        self.track = MomentTracker()
        self.cells = Cells(self.track.history)
        self.formatted = 0
        made = self.cells._row

        def counted(*arguments: Any) -> list[Cell]:
            self.formatted += 1
            return made(*arguments)

        vars(self.cells)["_row"] = counted

    def ids(self) -> list[WorkloadId]:
        return [identity for identity, workload in self.frame.workloads.items() if workload.state.is_active]

    def pass_a_second(self, stopped: frozenset[WorkloadId] = frozenset()) -> None:
        """Go on to the next frame; what has stopped answering keeps the times of its samples."""
        frame = self.frame
        samples = {
            identity: kept if identity in stopped else tuple(at(one.at_ns + 10**9, one) for one in kept)
            for identity, kept in frame.samples.items()
        }
        self.frame = msgspec.structs.replace(
            frame, at_ns=frame.at_ns + 10**9, wall=frame.wall + 1, boot_ns=frame.boot_ns + 10**9, samples=samples
        )

    def change(self, identity: WorkloadId, **fields: Any) -> None:
        """Change a sample of a workload."""
        first, *others = self.frame.samples[identity]
        samples = {**self.frame.samples, identity: (msgspec.structs.replace(first, **fields), *others)}
        self.frame = msgspec.structs.replace(self.frame, samples=samples)

    def busier(self, identity: WorkloadId) -> None:
        first = self.frame.samples[identity][0]
        self.change(identity, cpu_total_ns=(first.cpu_total_ns or 0) + 3 * 10**8)

    def rows(self, marked: WorkloadId | None = None) -> Iterator[tuple[list[Cell], list[Cell]]]:
        """Yield each row as it is shown, and as it is when it is formatted anew."""
        moment = self.track.feed(self.frame)
        self.cells.states = self.track.states
        self.cells.at(moment, self.cells.scale, 1.0)
        for identity in self.ids():
            reading = moment.readings[identity]
            line = Line(reading.workload.name, reading)
            shown = self.cells.line(line, COLUMNS, identity == marked)
            yield shown, Cells._row(self.cells, line, reading, COLUMNS, identity == marked)


def at(instant_ns: int, sample: Any) -> Any:
    return msgspec.structs.replace(sample, at_ns=instant_ns)


def through_a_minute() -> Rest:
    rest = Rest()
    for _ in range(70):
        rest.pass_a_second()
        assert all(shown == anew for shown, anew in rest.rows())
    return rest


def test_after_a_minute_only_the_rows_that_changed_are_formatted() -> None:
    rest = through_a_minute()
    busy = rest.ids()[3]
    for tick in range(10):
        rest.pass_a_second()
        if tick == 5:
            rest.busier(busy)
        rest.formatted = 0
        assert all(shown == anew for shown, anew in rest.rows())
        assert rest.formatted <= (tick >= 5)
        assert rest.formatted == 1 or tick != 5


def test_a_row_that_has_changed_is_formatted_again_only_when_its_sparklines_move() -> None:
    rest = through_a_minute()
    rest.busier(rest.ids()[3])
    rest.formatted = 0
    for _ in range(60):
        rest.pass_a_second()
        assert all(shown == anew for shown, anew in rest.rows())
    assert 2 <= rest.formatted < 40, "in some ticks, and not in each"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_a_row_is_what_it_would_be_anew(seed: int) -> None:
    rest, chance = through_a_minute(), random.Random(seed)  # noqa: S311  # repeatable, not secret
    stopped: frozenset[WorkloadId] = frozenset()
    marked: WorkloadId | None = None
    for _ in range(90):
        rest.pass_a_second(stopped)
        one = chance.choice(rest.ids())
        match chance.randrange(9):
            case 0:
                rest.busier(one)
            case 1:
                stopped = frozenset() if stopped else frozenset({one})
            case 2:
                marked = one
            case 3:
                rest.cells.alerts = {one: Level.WARNING} if not rest.cells.alerts else {}
            case 4:
                rest.cells.acting = {one: "stopping 1s"} if not rest.cells.acting else {}
            case 5:
                rest.cells.scale = chance.choice([*Scale])
            case 6:
                rest.frame = renamed(rest.frame, one)
            case _:
                pass
        for shown, anew in rest.rows(marked):
            assert shown == anew


def renamed(frame: Frame, identity: WorkloadId) -> Frame:
    """Return a frame in which a workload has another name."""
    workload = msgspec.structs.replace(frame.workloads[identity], name=frame.workloads[identity].name + "x")
    return msgspec.structs.replace(frame, workloads={**frame.workloads, identity: workload})


def test_a_second_more_of_uptime_has_no_row_formatted() -> None:
    rest = through_a_minute()
    for identity in rest.ids():
        rest.frame = started(rest.frame, identity, rest.frame.wall - 600)
    uptimes = set()
    for tick in range(20):
        rest.pass_a_second()
        rest.formatted = 0
        for shown, anew in rest.rows():
            assert shown == anew
            uptimes.add(shown[-1].text)
        assert rest.formatted == 0 or tick < 3
    assert len(uptimes) >= 20


def started(frame: Frame, identity: WorkloadId, wall: float) -> Frame:
    """Return a frame in which a workload has been running since then."""
    workload = msgspec.structs.replace(frame.workloads[identity], started_at=wall)
    return msgspec.structs.replace(frame, workloads={**frame.workloads, identity: workload})
