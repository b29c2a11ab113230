"""One source's thread: a source that hangs, fails or is absent shows as such and disturbs no other."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown, SourceError
from collectors.model.workloads import Availability, Event, Workload, WorkloadId
from collectors.sampling import worker as worker_module
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceReading, SourceSpec
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
    deadline = time.monotonic() + 5
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
    source = FakeSource(fail(error))
    source.is_near, source.interval_s = True, 2.0
    with running(lambda: source) as worker:
        for _ in range(8):
            settle(worker)
            now = time.monotonic()
            assert worker._due - now <= 0.5, "its daemon may be back at the next frame"
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


def test_hanging_source_says_so_and_is_not_asked_again() -> None:
    gate = Gate()
    source = FakeSource(lambda: answer("web"), gate)
    with running(lambda: source) as worker:
        settle(worker)
        worker.ask(time.monotonic())
        assert gate.entered.wait(30)
        state = worker.state(time.monotonic() + 7)
        assert state.availability is Availability.STALE
        assert re.fullmatch(r"fake has not responded for \d+ s", state.reason)
        worker.ask(time.monotonic() + 7)
        assert source.reads == 2
        gate.opened.set()
        settle(worker)
        assert availability(worker) is Availability.OK
        time.sleep(0.1)
        assert source.reads == 2, "what was asked while the call hung is not made up for"


def test_source_whose_first_answer_is_late_is_waited_for_and_down_only_after_its_limit() -> None:
    gate = Gate()
    with running(lambda: FakeSource(gate)) as worker:
        assert gate.entered.wait(30)
        late = worker.state(time.monotonic() + 9)
        assert late.availability is Availability.WAITING
        assert re.fullmatch(r"fake has not responded for \d+ s", late.reason)
        assert worker.state(time.monotonic() + 40).availability is Availability.DOWN
        gate.opened.set()


def test_first_call_that_runs_into_its_time_out_is_late_and_a_refusal_is_an_answer() -> None:
    source = FakeSource(fail(NotInTime("fake did not answer within 30 s")), fail(SourceDown("refused")))
    with running(lambda: source) as worker:
        settle(worker)
        assert availability(worker) is Availability.WAITING
        assert worker.state(time.monotonic() + 40).availability is Availability.DOWN
        worker.ask(worker._due)
        settle(worker)
        assert worker.state(time.monotonic() + 40).reason == "refused"


def test_time_outs_count_from_the_first_of_them_until_an_answer() -> None:
    late, gate = NotInTime("fake did not answer within 30 s"), Gate()
    source = FakeSource(lambda: answer("web"), fail(late), fail(late), gate)
    with running(lambda: source) as worker:
        settle(worker)
        for _ in range(2):
            worker.ask(worker._due)
            settle(worker)
        since = worker._unanswered_since
        worker.ask(worker._due)
        assert gate.entered.wait(30)
        assert since is not None
        assert worker.state(since + 70).reason == "fake has not responded for 70 s"
        gate.opened.set()
        settle(worker)
        assert worker._unanswered_since is None
        assert availability(worker) is Availability.OK


def test_hanging_source_is_replaced_after_its_limit() -> None:
    gates = [Gate(), Gate(), Gate()]
    made: list[FakeSource] = []

    def make() -> FakeSource:
        source = FakeSource(gates[len(made)]) if len(made) < 3 else FakeSource(lambda: answer("web"))
        source.replace_after_s = 5.0
        made.append(source)
        return source

    with running(make) as worker:
        assert gates[0].entered.wait(30)
        worker.ask(time.monotonic() + 4)
        assert len(made) == 1
        worker.ask(time.monotonic() + 6)
        assert gates[1].entered.wait(30)
        worker.ask(time.monotonic() + 6)
        assert len(made) == 2, "the limit has doubled"
        worker.ask(time.monotonic() + 11)
        assert gates[2].entered.wait(30)
        worker.ask(time.monotonic() + 21)
        assert len(made) == 3, "two threads at most are left behind"
        gates[0].opened.set()
        gates[1].opened.set()
        for thread in worker._abandoned:
            thread.join(30)
        assert worker.reading is None, "an abandoned call's late answer does not count"
        assert made[0].closed == made[1].closed == 1
        worker.ask(time.monotonic() + 21)
        settle(worker)
        assert availability(worker) is Availability.OK
        gates[2].opened.set()


def test_source_that_always_takes_longer_than_its_limit_is_heard_to_the_end() -> None:
    gates, made = [Gate() for _ in range(3)], list[FakeSource]()

    def make() -> FakeSource:
        source = FakeSource(gates[len(made)])
        source.replace_after_s = 5.0
        made.append(source)
        return source

    with running(make) as worker:
        for limit, gate in zip((5.0, 10.0), gates, strict=False):
            assert gate.entered.wait(30)
            worker.ask(time.monotonic() + limit + 1)
            gate.opened.set()
            for thread in worker._abandoned:
                thread.join(30)
        assert gates[2].entered.wait(30)
        worker.ask(time.monotonic() + 16)
        gates[2].opened.set()
        settle(worker)
        assert (len(made), availability(worker)) == (3, Availability.OK)


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


def test_call_that_hangs_at_its_first_is_not_joined_by_a_second_for_long() -> None:
    gate, made = Gate(), list[FakeSource]()

    def make() -> FakeSource:
        source = FakeSource(lambda: answer("web"))
        source.replace_after_s = 5.0
        if not made:
            source.on_open = gate
        made.append(source)
        return source

    with running(make) as worker:
        assert gate.entered.wait(30)
        worker.ask(time.monotonic() + 40)
        assert len(made) == 1, "a second would hang in the same daemon"
        worker.ask(time.monotonic() + 60)
        assert len(made) == 2, "but what hangs may have been replaced by a daemon that answers"
        settle(worker)
        assert availability(worker) is Availability.OK
        gate.opened.set()
        for thread in worker._abandoned:
            thread.join(30)
        assert (made[0].reads, made[0].closed) == (0, 1), "nobody waits for it any more"


def test_stopped_worker_closes_its_source() -> None:
    source = FakeSource(lambda: answer("web"))
    with running(lambda: source) as worker:
        settle(worker)
    worker.join(30)
    assert source.closed == 1


def test_hanging_source_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()
    hanging, healthy = FakeSource(gate), FakeSource(lambda: answer("web"))
    hanging.holds_tick = False
    monkeypatch.setattr(worker_module, "HUNG_AFTER_S", 0.0)
    sources = {"libvirt": hanging, "cgroup": healthy}
    sampler = Sampler([SourceSpec("libvirt"), SourceSpec("cgroup")], lambda name: lambda: sources[name], 5.0)
    for worker in sampler.workers:
        worker.start()
    assert gate.entered.wait(30)
    frames = [sampler.tick(time.monotonic()) for _ in range(5)]
    gate.opened.set()
    sampler.stop()
    assert healthy.reads >= 5
    assert all(WorkloadId("docker", "web") in frame.workloads for frame in frames)
    assert [state.availability for state in frames[-1].sources] == [Availability.WAITING, Availability.OK]
    assert "libvirt has not responded" in frames[-1].sources[0].reason
