"""One source's thread: a source that hangs, fails or is absent shows as such and disturbs no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError
from collectors.model.workloads import Availability, Event, Workload
from collectors.sampling import worker as worker_module
from collectors.sampling.source import SourceReading
from collectors.sampling.worker import Worker
from tests.helpers.strategies import workload

Step = Callable[[], SourceReading]


class FakeSource:
    """Does at each reading what the next step says; the last step repeats."""

    name = "fake"
    interval_s = 0.0
    holds_tick = True
    is_authority = False
    replace_after_s: float | None = None
    is_near = False

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.opened = self.closed = self.reads = 0
        self.on_open: Callable[[], object] = lambda: None

    def open(self, wake: Callable[[], None]) -> None:
        self.opened += 1
        self.on_open()

    def read(self) -> SourceReading:
        self.reads += 1
        return (self.steps.pop(0) if len(self.steps) > 1 else self.steps[0])()

    def close(self) -> None:
        self.closed += 1


def answer(*names: str) -> SourceReading:
    """Make a reading of workloads with these names, and an event for each."""
    described: list[Workload] = [workload(name) for name in names]
    events = tuple(Event(0.0, one.id, "start", "", one.name) for one in described)
    return SourceReading({one.id: one for one in described}, {}, events, f"{len(names)} seen")


def fail(error: Exception) -> Step:
    """Make a step that raises."""

    def step() -> SourceReading:
        raise error

    return step


class Gate:
    """A step that hangs until it is opened."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    def __call__(self) -> SourceReading:
        self.entered.set()
        assert self.opened.wait(20)
        return answer("late")


@contextmanager
def running(make: Callable[[], FakeSource]) -> Iterator[Worker]:
    """Run a worker, and stop it."""
    worker = Worker("fake", make)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def settle(worker: Worker) -> None:
    """Wait until the call that was asked for has ended."""
    worker.wait(time.monotonic() + 5)
    deadline = time.monotonic() + 120
    while worker._call_since is not None and time.monotonic() < deadline:
        time.sleep(0.001)


def availability(worker: Worker) -> Availability:
    return worker.state(time.monotonic()).availability


def test_answer_is_ok_with_its_age_and_cost() -> None:
    with running(lambda: FakeSource(lambda: answer("web"))) as worker:
        settle(worker)
        state = worker.state(time.monotonic())
    assert (state.availability, state.detail, state.reason) == (Availability.OK, "1 seen", "")
    assert state.read_at_ns is not None
    assert state.cost_ns is not None
    assert [event.name for event in worker.take_events()] == ["web"]
    assert worker.take_events() == []


def test_source_that_has_not_answered_yet_is_waiting() -> None:
    gate = Gate()
    with running(lambda: FakeSource(gate)) as worker:
        assert gate.entered.wait(30)
        assert availability(worker) is Availability.WAITING
        gate.opened.set()


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (SourceAbsent("no socket"), Availability.ABSENT),
        (AccessDenied("no permission", "join the group"), Availability.DENIED),
        (SourceDown("refused"), Availability.DOWN),
        (SourceError("broken"), Availability.DOWN),
    ],
)
def test_failure_shows_with_its_reason(error: SourceError, shown: Availability) -> None:
    with running(lambda: FakeSource(fail(error))) as worker:
        settle(worker)
        state = worker.state(time.monotonic())
    assert (state.availability, state.reason, state.remedy) == (shown, error.reason, error.remedy)
    assert worker.reading is None


def test_unexpected_failure_does_not_end_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    source = FakeSource(fail(ZeroDivisionError("oops")), lambda: answer("web"))
    with running(lambda: source) as worker:
        settle(worker)
        state = worker.state(time.monotonic())
        assert (state.availability, state.reason) == (Availability.DOWN, "ZeroDivisionError: oops")
        worker.ask(time.monotonic() + 100)
        settle(worker)
        assert availability(worker) is Availability.OK
    assert "unexpected failure" in caplog.text
    assert (source.opened, source.closed >= 1) == (2, True)


def test_broken_connection_keeps_the_last_reading_as_stale() -> None:
    source = FakeSource(lambda: answer("web"), fail(SourceDown("gone")))
    with running(lambda: source) as worker:
        settle(worker)
        worker.ask(time.monotonic())
        settle(worker)
        assert availability(worker) is Availability.STALE
        assert worker.reading is not None


def test_source_that_vanished_keeps_its_workloads_as_stale_for_a_while_and_then_takes_them_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = FakeSource(lambda: answer("web"), fail(SourceAbsent("no socket")))
    with running(lambda: source) as worker:
        settle(worker)
        worker.ask(time.monotonic())
        settle(worker)
        assert availability(worker) is Availability.STALE, "a daemon that is started anew has no socket for a moment"
        assert worker.state(time.monotonic()).reason == "no socket"
        assert worker.reading is not None
        monkeypatch.setattr(worker_module, "_FORGOTTEN_AFTER_S", 0.0)
        worker.ask(worker._due)
        settle(worker)
        assert availability(worker) is Availability.ABSENT
        assert worker.reading is None


def test_failing_source_is_asked_less_and_less_often() -> None:
    failed: list[float] = []

    def refuse() -> SourceReading:
        failed.append(time.monotonic())
        raise SourceDown("refused")

    source = FakeSource(refuse)
    with running(lambda: source) as worker:
        settle(worker)
        waits = []
        for _ in range(5):
            now = time.monotonic()
            reads = source.reads
            worker.ask(now)
            assert source.reads == reads, "asked before its time"
            waits.append(worker._due - failed[-1])
            worker.ask(worker._due)
            settle(worker)
    assert [round(wait) for wait in waits] == [1, 2, 5, 10, 10]


@pytest.mark.parametrize("error", [SourceDown("refused"), SourceAbsent("no socket")])
def test_near_source_is_asked_at_every_beat_until_it_is_back(error: SourceError) -> None:
    source = FakeSource(lambda: answer("web"), fail(error))
    source.is_near = True
    with running(lambda: source) as worker:
        settle(worker)
        worker.ask(worker._due)
        source.interval_s = 2.0
        for _ in range(8):
            settle(worker)
            now = time.monotonic()
            assert worker._due - now <= 0.5, "its daemon may be back at the next frame"
            worker.ask(worker._due)


def test_an_engine_that_has_not_been_here_is_looked_for_at_every_other_second() -> None:
    source = FakeSource(fail(SourceAbsent("no socket")))
    source.is_near = True
    with running(lambda: source) as worker:
        for _ in range(4):
            settle(worker)
            assert 1.0 < worker._due - time.monotonic() < 2.0
            worker.ask(worker._due)


def test_near_source_that_refuses_this_user_is_asked_less_and_less_often() -> None:
    source = FakeSource(fail(AccessDenied("no permission")))
    source.is_near = True
    with running(lambda: source) as worker:
        for _ in range(5):
            settle(worker)
            now = time.monotonic()
            worker.ask(worker._due)
        assert worker._due - now > 5


def test_source_that_is_asked_anew_is_not_well_before_it_has_answered() -> None:
    gates, made = [Gate(), Gate()], list[FakeSource]()

    def make() -> FakeSource:
        source = FakeSource(gates[1]) if made else FakeSource(lambda: answer("web"), gates[0])
        source.replace_after_s = 5.0
        made.append(source)
        return source

    with running(make) as worker:
        settle(worker)
        worker.ask(time.monotonic())
        assert gates[0].entered.wait(30)
        worker.ask(time.monotonic() + 6)
        assert gates[1].entered.wait(30)
        assert availability(worker) is Availability.STALE, "its reading is the old one"
        gates[1].opened.set()
        settle(worker)
        assert availability(worker) is Availability.OK
        gates[0].opened.set()


def test_stopped_worker_closes_its_source() -> None:
    source = FakeSource(lambda: answer("web"))
    with running(lambda: source) as worker:
        settle(worker)
    worker.join(30)
    assert source.closed == 1
