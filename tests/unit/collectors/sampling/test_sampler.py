"""The sampler: its pace, what it joins, and that its end is never silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from collectors.engines.demo.source import DemoSource
from collectors.engines.registry import load_source
from collectors.model.errors import SourceDown
from collectors.model.workloads import Availability, Event, Frame, Kind, State, Workload, WorkloadId
from collectors.sampling import sampler as sampler_module
from collectors.sampling.interval import AdaptiveInterval
from collectors.sampling.merge import join, mark_unlisted
from collectors.sampling.sampler import FIRST_INTERVAL_S, Sampler
from collectors.sampling.source import SourceReading, SourceSpec
from collectors.sampling.worker import Worker
from tests.unit.collectors.sampling.test_worker import FakeSource, answer, settle

ID = WorkloadId("docker", "a" * 64)


async def test_frames_come_and_the_second_comes_early() -> None:
    sampler = Sampler([SourceSpec("demo", {"workloads": 3})], load_source, 30)
    frames = sampler.frames()
    first = await asyncio.wait_for(anext(frames), 5)
    second = await asyncio.wait_for(anext(frames), 5)
    await frames.aclose()  # type: ignore[attr-defined]  # a generator
    sampler.stop()
    assert len(second.workloads) == 3
    assert second.at_ns > first.at_ns


class SlowToOpen(DemoSource):
    """Takes twice the first interval for its first reading, like a host of very many groups."""

    _has_read = False

    def read(self) -> SourceReading:
        if not self._has_read:
            time.sleep(2 * FIRST_INTERVAL_S)
            self._has_read = True
        return super().read()


def test_the_second_frame_comes_early_also_after_a_slow_first_reading() -> None:
    sampler = Sampler([], load_source, 60)
    sampler.workers = [Worker("slow", lambda: SlowToOpen(3))]
    taken: list[Frame] = []
    sampler.on_frame(taken.append)
    sampler.start()
    _until(lambda: len(taken) == 2)
    sampler.stop()
    assert taken[1].at_ns - taken[0].at_ns >= 0.9 * FIRST_INTERVAL_S * 1e9, "the kernel counts quota periods of 0.1 s"


async def test_an_error_on_its_thread_reaches_who_waits_for_frames() -> None:
    sampler = Sampler([SourceSpec("demo", {"workloads": 3})], load_source, 0.2)

    def fail(frame: Frame) -> None:
        raise RuntimeError("a listener broke")

    sampler.on_frame(fail)
    with pytest.raises(RuntimeError, match="a listener broke"):
        async for _frame in sampler.frames():
            pass
    sampler.stop()


def test_a_new_interval_does_not_wait_for_the_old_one() -> None:
    sampler = Sampler([SourceSpec("demo", {"workloads": 3})], load_source, 60)
    taken: list[Frame] = []
    sampler.on_frame(taken.append)
    sampler.start()
    _until(lambda: len(taken) == 2)
    sampler.set_interval(0.2)
    _until(lambda: len(taken) >= 4)
    sampler.stop()


class StubbornSource(DemoSource):
    """Fails in all it does, even in letting go."""

    def read(self) -> SourceReading:
        raise ValueError("no reading")

    def close(self) -> None:
        raise ValueError("no end")


def test_a_source_that_fails_even_to_close_keeps_its_worker() -> None:
    worker = Worker("stubborn", lambda: StubbornSource(0))
    worker.start()
    _until(lambda: "no reading" in worker.state(time.monotonic()).reason)
    worker.wake()
    worker.ask(time.monotonic() + 60)
    _until(lambda: not worker._requested.is_set())
    assert worker._thread is not None
    assert worker._thread.is_alive()
    worker.stop()


def test_a_container_of_this_kernel_is_local_however_its_engine_is_reached() -> None:
    seen = Workload(ID, Kind.CONTAINER, "aaaaaaaaaaaa", State.RUNNING, False, cgroup=f"/docker/{ID.id}")
    told = Workload(ID, Kind.CONTAINER, "web", State.RUNNING, endpoint="127.0.0.1:2375")
    workloads, _, _ = join([(False, SourceReading({ID: seen}, {})), (True, SourceReading({ID: told}, {}))])
    assert workloads[ID].endpoint == ""
    assert workloads[ID].name == "web"


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("engine", "is_listed", "started_at", "marked"),
    [
        ("docker", None, NOW - 60, False),
        ("docker", None, None, False),
        ("docker", None, NOW - 5, None),  # the newest list may be older
        ("docker", True, NOW - 60, True),
        ("podman", None, NOW - 60, False),
        ("containerd", None, NOW - 60, None),  # nobody is asked
    ],
)
def test_a_container_that_no_engine_lists_though_all_answer_is_marked(
    engine: str, is_listed: bool | None, started_at: float | None, marked: bool | None
) -> None:
    identity = WorkloadId(engine, "a" * 64)
    seen = Workload(identity, Kind.CONTAINER, "aaaaaaaaaaaa", started_at=started_at, is_listed=is_listed)
    workloads = {identity: seen}
    mark_unlisted(workloads, frozenset({"docker", "podman"}), NOW)
    assert workloads[identity].is_listed is marked


class EngineSource(DemoSource):
    """Answers for Docker's containers, of which it has none, or does not answer."""

    name = "docker"

    def __init__(self, answers: bool) -> None:
        self.answers = answers

    def open(self, wake: Callable[[], None]) -> None: ...

    def read(self) -> SourceReading:
        if not self.answers:
            raise SourceDown("nothing listens")
        return SourceReading({}, {}, engines=frozenset({"docker", "podman"}))

    def close(self) -> None: ...


class KernelSource(EngineSource):
    """Sees a cgroup with the name of a container."""

    name = "cgroup"

    def read(self) -> SourceReading:
        return SourceReading({ID: Workload(ID, Kind.CONTAINER, "aaaaaaaaaaaa", State.RUNNING)}, {})


@pytest.mark.parametrize(
    ("engines", "marked"), [([True], False), ([False], None), ([True, False], None), ([True, True], False), ([], None)]
)
def test_an_engine_that_is_silent_could_know_what_the_others_do_not(engines: list[bool], marked: bool | None) -> None:
    specs = [SourceSpec("cgroup", {"answers": True}), *(SourceSpec("docker", {"answers": one}) for one in engines)]
    sampler = Sampler(specs, lambda name: KernelSource if name == "cgroup" else EngineSource, 0.05)
    taken: list[Frame] = []
    sampler.on_frame(taken.append)
    sampler.start()
    _until(lambda: bool(taken) and all(one.availability is not Availability.WAITING for one in taken[-1].sources))
    sampler.stop()
    assert taken[-1].workloads[ID].is_listed is marked


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not come within 30 s"
        time.sleep(0.01)


def test_an_event_that_is_announced_is_in_exactly_the_next_frame() -> None:
    sampler = Sampler([], load_source)
    event = Event(1.0, ID, "asked", "stop", "web")
    sampler.announce(event)
    assert sampler.tick(time.monotonic()).events == (event,)
    assert sampler.tick(time.monotonic()).events == ()


async def test_who_stopped_taking_frames_is_not_called_any_more() -> None:
    sampler = Sampler([SourceSpec("demo", {"workloads": 3})], load_source, 30)
    frames = sampler.frames()
    await asyncio.wait_for(anext(frames), 5)
    await frames.aclose()  # type: ignore[attr-defined]  # a generator
    sampler.stop()
    assert sampler._listeners == []
    assert sampler._failure_listeners == []


class FakeTime:
    """The clock of the sampler, which only its waits and its listeners move."""

    CLOCK_BOOTTIME = time.CLOCK_BOOTTIME

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def monotonic_ns(self) -> int:
        return int(self.now * 1e9)

    def time(self) -> float:
        return self.now

    def clock_gettime_ns(self, _clock: int) -> int:
        return int(self.now * 1e9)

    def wait(self, timeout_s: float) -> bool:
        self.now += timeout_s
        return False


def paced(monkeypatch: pytest.MonkeyPatch, interval_s: float, costs: list[float]) -> tuple[Sampler, list[float]]:
    """Run a sampler whose listeners take so long for each frame; return it and when the frames came."""
    clock = FakeTime()
    monkeypatch.setattr(sampler_module, "time", clock)
    sampler = Sampler([], load_source, interval_s)
    sampler.workers = []
    monkeypatch.setattr(sampler._changed, "wait", clock.wait)
    came: list[float] = []

    def take(frame: Frame) -> None:
        came.append(clock.now - 1000.0)
        if len(came) > len(costs):
            sampler._stop.set()
        else:
            clock.now += costs[len(came) - 1]

    sampler.on_frame(take)
    sampler._pace()
    return sampler, came


def test_missed_ticks_are_not_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    first = FIRST_INTERVAL_S
    _, came = paced(monkeypatch, 2.0, [0.0, 0.0, 5.0, 0.0, 0.0])
    assert came == pytest.approx([0.0, first, first + 2, first + 8, first + 10, first + 12])


def test_a_frame_tells_the_interval_that_is_kept_not_the_one_wished_for() -> None:
    sampler = Sampler([], load_source, 2.0, is_steady=False)
    sampler.interval.note(1.0)
    frame = sampler.tick(time.monotonic())
    assert sampler.interval.is_slowed
    assert frame.interval_s == sampler.interval_s == 4.0


def test_an_authoritys_word_counts_whichever_source_answers_first() -> None:
    seen = Workload(ID, Kind.CONTAINER, "of-the-kernel", State.RUNNING, cgroup=f"/docker/{ID.id}")
    told = Workload(ID, Kind.CONTAINER, "web", State.PAUSED)
    kernel, engine = (False, SourceReading({ID: seen}, {})), (True, SourceReading({ID: told}, {}))
    for readings in ([kernel, engine], [engine, kernel]):
        (joined,) = join(readings)[0].values()
        assert (joined.name, joined.state, joined.cgroup) == ("web", State.PAUSED, seen.cgroup)


def test_the_readings_that_open_what_later_ones_only_read_do_not_slow_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[float] = []
    monkeypatch.setattr(AdaptiveInterval, "note", lambda _self, cost_s: noted.append(cost_s))
    _, came = paced(monkeypatch, 2.0, [0.0] * 5)
    assert (len(came), len(noted)) == (6, 2)


def test_tick_waits_for_the_reading_it_asked_for() -> None:
    counted = iter(range(1000))
    source = FakeSource(lambda: answer(f"web-{next(counted)}"))
    sampler = Sampler([SourceSpec("cgroup")], lambda _: lambda: source, 5.0)
    sampler.workers[0].start()
    settle(sampler.workers[0])
    for _ in range(500):
        reads = source.reads
        frame = sampler.tick(time.monotonic())
        assert source.reads > reads, "the frame was made before the reading"
        assert WorkloadId("docker", f"web-{source.reads - 1}") in frame.workloads
    sampler.stop()
