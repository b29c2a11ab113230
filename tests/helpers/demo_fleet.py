"""A demo fleet on a clock of the test's own: the same frames every time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from msgspec.structs import replace

from collectors.engines.demo.source import DemoSource
from collectors.engines.registry import load_source
from collectors.model.workloads import Availability, Frame, SourceState
from collectors.sampling.merge import join
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceSpec


class Fleet:
    """Makes frames of a seeded fleet, a second apart, without any thread."""

    def __init__(self, workloads: int = 20, seed: int = 7, wall: float = 1_750_000_000.0) -> None:
        self.now_ns = 1_000_000_000
        self.wall = wall
        self.source = DemoSource(workloads, seed, lambda: self.now_ns, lambda: self.wall)

    def frame(self, step_s: float = 1.0) -> Frame:
        """Let a while pass and sample."""
        self.now_ns += int(step_s * 1e9)
        self.wall += step_s
        reading = self.source.read()
        workloads, samples, _ = join([(True, reading)])
        assert reading.host is not None
        return Frame(
            at_ns=self.now_ns,
            wall=self.wall,
            boot_ns=self.now_ns,
            host=reading.host,
            workloads=workloads,
            samples=samples,
            sources=(SourceState("demo", Availability.OK, reading.detail, read_at_ns=self.now_ns),),
            events=reading.events,
            cpus=reading.cpus,
            memory_bytes=reading.memory_bytes,
            facts=reading.facts,
            run="f1ee7f1ee7f1ee70",
            interval_s=1.0,
        )


def with_announced(frame: Frame, sampler: Sampler) -> Frame:
    """Return a frame with the events that were announced to a sampler, as its own next frame would have them."""
    announced = sampler._announced
    events = [announced.popleft() for _ in range(len(announced))]
    return replace(frame, events=(*events, *frame.events)) if events else frame


class QuietSampler(Sampler):
    """A sampler whose sources have not answered yet; whoever runs the screen posts the frames."""

    def __init__(self, specs: Sequence[SourceSpec] = ()) -> None:
        super().__init__(specs, load_source)

    async def frames(self) -> AsyncIterator[Frame]:
        await asyncio.Event().wait()
        yield Fleet().frame()


class PreparedSampler(QuietSampler):
    """A sampler that gives these frames, so many seconds after one another; at once for 0."""

    def __init__(self, frames: Sequence[Frame], interval_s: float = 0.0) -> None:
        super().__init__()
        self._frames, self._apart_s = frames, interval_s

    async def frames(self) -> AsyncIterator[Frame]:
        for frame in self._frames:
            yield frame
            if self._apart_s:
                await asyncio.sleep(self._apart_s)
