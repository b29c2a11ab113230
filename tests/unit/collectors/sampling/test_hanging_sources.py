"""A source that hangs, is late, or never answers: what is said of it, and when another connection takes over."""

from __future__ import annotations

import re
import time

import pytest

from collectors.model.errors import NotInTime, SourceDown
from collectors.model.workloads import Availability, WorkloadId
from collectors.sampling import worker as worker_module
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceSpec
from tests.unit.collectors.sampling.test_worker import FakeSource, Gate, answer, availability, fail, running, settle


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
