"""The sampler: its pace, what it joins, and that its end is never silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from collectors.engines.demo.source import DemoSource
from collectors.model.workloads import Event, Frame, Kind, State, Workload, WorkloadId
from collectors.sampling.merge import join
from collectors.sampling.sampler import FIRST_INTERVAL_S, Sampler
from collectors.sampling.source import SourceReading, SourceSpec
from collectors.sampling.worker import Worker

ID = WorkloadId("docker", "a" * 64)


async def test_frames_come_and_the_second_comes_early() -> None:
    sampler = Sampler([SourceSpec("demo", {"workloads": 3})], 30)
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
    sampler = Sampler([], 60)
    sampler.workers = [Worker("slow", lambda: SlowToOpen(3))]
    taken: list[Frame] = []
    sampler.on_frame(taken.append)
    sampler.start()
    _until(lambda: len(taken) == 2)
    sampler.stop()
    assert taken[1].at_ns - taken[0].at_ns >= 0.9 * FIRST_INTERVAL_S * 1e9, "the kernel counts quota periods of 0.1 s"


async def test_an_error_on_its_thread_reaches_who_waits_for_frames() -> None:
    sampler = Sampler([SourceSpec("demo", {"workloads": 3})], 0.2)

    def fail(frame: Frame) -> None:
        raise RuntimeError("a listener broke")

    sampler.on_frame(fail)
    with pytest.raises(RuntimeError, match="a listener broke"):
        async for _frame in sampler.frames():
            pass
    sampler.stop()


def test_a_new_interval_does_not_wait_for_the_old_one() -> None:
    sampler = Sampler([SourceSpec("demo", {"workloads": 3})], 60)
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
    _until(lambda: not worker._asked.is_set())
    assert worker._thread is not None
    assert worker._thread.is_alive()
    worker.stop()


def test_a_container_of_this_kernel_is_local_however_its_engine_is_reached() -> None:
    seen = Workload(ID, Kind.CONTAINER, "aaaaaaaaaaaa", State.RUNNING, False, cgroup=f"/docker/{ID.id}")
    told = Workload(ID, Kind.CONTAINER, "web", State.RUNNING, endpoint="127.0.0.1:2375")
    workloads, _ = join([(False, SourceReading({ID: seen}, {})), (True, SourceReading({ID: told}, {}))])
    assert workloads[ID].endpoint == ""
    assert workloads[ID].name == "web"


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not come within 30 s"
        time.sleep(0.01)


def test_an_event_that_is_announced_is_in_exactly_the_next_frame() -> None:
    sampler = Sampler([])
    event = Event(1.0, ID, "asked", "stop", "web")
    sampler.announce(event)
    assert sampler.tick(time.monotonic()).events == (event,)
    assert sampler.tick(time.monotonic()).events == ()
