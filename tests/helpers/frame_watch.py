"""A sampler watched frame by frame, and what this process holds meanwhile."""

from __future__ import annotations

import gc
import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from collectors.analysis.rates import Deriver, Moment
from collectors.engines.registry import load_source
from collectors.model.workloads import Availability, Frame
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import Source, SourceSpec
from collectors.sampling.worker import Worker

PATIENCE_S = 120.0


class Watch:
    """Runs a sampler and derives every frame.

    Args:
        specs: Its sources.
        interval_s: Between frames.
        load: Finds the class of a source.
    """

    def __init__(
        self,
        specs: Sequence[SourceSpec],
        interval_s: float = 1.0,
        load: Callable[[str], Callable[..., Source]] = load_source,
    ) -> None:
        self.sampler = Sampler(specs, load, interval_s)
        self.taken = 0
        """Frames looked at."""
        self.most_rows = 0
        self._frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._deriver = Deriver()
        self.moment: Moment | None = None
        self.sampler.on_frame(self._frames.put)
        self.sampler.start()

    def next(self) -> Moment:
        """Wait for the next frame."""
        self.moment = self._deriver.feed(self._frames.get(timeout=PATIENCE_S))
        self.taken += 1
        self.most_rows = max(self.most_rows, len(self.moment.readings))
        return self.moment

    def newest(self) -> Moment:
        """Pass by the frames that wait already, and wait for the next."""
        while not self._frames.empty():
            self.next()
        return self.next()

    def until(self, condition: Callable[[Moment], bool], what: str, frames: int = 240) -> int:
        """Look at frames until one fulfils a condition; return how many that took."""
        for count in range(1, frames + 1):
            if condition(self.next()):
                return count
        raise AssertionError(f"{what} was not seen in {frames} frames: {self.moment and self.moment.sources}")

    def until_all(self, availability: Availability, *names: str, frames: int = 240) -> int:
        """Look at frames until these sources are all like that."""
        return self.until(
            lambda moment: {state.name for state in moment.sources if state.availability is availability} >= set(names),
            f"{names} {availability}",
            frames,
        )

    def worker(self, name: str) -> Worker:
        """Return a source's worker."""
        return next(worker for worker in self.sampler.workers if worker.name == name)

    def stop(self) -> None:
        """Stop the sampler."""
        self.sampler.stop(5)


def threads_named(name: str) -> int:
    """Return how many threads of this process have a name."""
    return sum(thread.name == name for thread in threading.enumerate())


def holding() -> tuple[int, int]:
    """Return how many threads and descriptors this process holds, as the kernel counts them."""
    gc.collect()
    return len(os.listdir("/proc/self/task")), descriptors()


def descriptors(pid: int | str = "self") -> int:
    """Return how many descriptors a process holds, without those of its workloads, which others may start and end.

    A workload's are files in the cgroup file system, and the directory of its first process.
    """
    return sum(not path.startswith(("/sys/fs/cgroup/", "/proc/")) for path in open_paths(pid))


def open_paths(pid: int | str = "self") -> list[str]:
    """Return what a process's descriptors lead to."""
    folder = Path("/proc") / str(pid) / "fd"
    paths = []
    for number in os.listdir(folder):
        with suppress(FileNotFoundError):  # closed meanwhile
            paths.append(os.readlink(folder / number))
    return paths
