"""Other hosts that do not exist, for the demo: each with a fleet of its own and a clock of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from collectors.engines.demo.source import DemoSource
from collectors.fleet.labelled import HostLabels
from collectors.model.errors import SourceDown
from collectors.model.workloads import Availability, Frame, HostFacts, SourceState, WorkloadId
from collectors.sampling.source import Source, SourceReading, SourceSpec

_AWAY_FROM_S, _AWAY_FOR_S, _EVERY_S = 90.0, 120.0, 360.0
"""Seconds since the start from which the host that comes and goes is away, for how long, and how often."""


class DemoHost:
    """A host that does not exist, as if its vmtop were read over SSH.

    Args:
        host: Its name.
        workloads: Number of its workloads.
        seed: Seed of the random numbers.
        comes_and_goes: Whether it is away now and then.
        clock: Monotonic clock in seconds; tests inject one.
        lives: Filled with its workloads, so that actions can change them.
    """

    name = "demo"
    interval_s = 0.0
    holds_tick = True
    is_authority = True
    replace_after_s: float | None = None
    is_near = True
    patience_s = 2.0

    def __init__(
        self,
        host: str,
        workloads: int = 50,
        seed: int = 7,
        comes_and_goes: bool = False,
        clock: Callable[[], float] = time.monotonic,
        lives: dict[WorkloadId, Any] | None = None,
    ) -> None:
        self.host = HostFacts()
        self.heard_at: float | None = None
        self._labels = HostLabels(host)
        self._own_lives: dict[WorkloadId, Any] = {}
        self._source = DemoSource(workloads, seed, lambda: int(clock() * 1e9), lives=self._own_lives)
        self._comes_and_goes, self._clock, self._started = comes_and_goes, clock, clock()
        if lives is not None:
            lives.update((self._labels.identity(identity), life) for identity, life in self._own_lives.items())

    def open(self, wake: Callable[[], None]) -> None:
        """Connect, as it were.

        Raises:
            SourceDown: The host is away.
        """
        self._check()

    def pace(self, interval_s: float) -> None:
        """Nothing to change: it is read at every tick."""

    def stop(self) -> None:
        """Nothing is ever under way."""

    def close(self) -> None:
        """Nothing to release."""

    def read(self) -> SourceReading:
        """Sample the fleet.

        Raises:
            SourceDown: The host is away.
        """
        self._check()
        reading, at_ns = self._source.read(), int(self._clock() * 1e9)
        assert reading.host is not None  # noqa: S101  # the demo describes its host
        frame = Frame(
            at_ns, time.time(), at_ns, reading.host, reading.workloads, reading.samples,
            (SourceState("demo", Availability.OK, reading.detail, read_at_ns=at_ns, cost_ns=0),), reading.events,
            reading.cpus, reading.memory_bytes, {**reading.facts, "hostname": self._labels.name}, interval_s=1.0,
        )  # fmt: skip
        self.heard_at = self._clock()
        labelled = self._labels.reading(frame, clock_ahead_s=0.0)
        self.host = labelled.hosts[self._labels.name]
        return labelled

    def _check(self) -> None:
        running_s = self._clock() - self._started
        if self._comes_and_goes and _AWAY_FROM_S <= running_s % _EVERY_S < _AWAY_FROM_S + _AWAY_FOR_S:
            name = self._labels.name
            raise SourceDown(f"ssh: connect to host {name} port 22: Connection timed out", f"ssh {name}")


def load_demo(host: str = "", **options: Any) -> Source:
    """Return the demo's source of this host, or of another one."""
    return DemoHost(host, **options) if host else DemoSource(**options)


def demo_hosts(count: int, workloads: int, seed: int) -> list[SourceSpec]:
    """Return the sources of `count` hosts with `workloads` each; of three or more, the last one comes and goes."""
    return [
        SourceSpec(
            "demo",
            {
                "host": f"hv{number:02}",
                "workloads": workloads,
                "seed": seed + number,
                "comes_and_goes": number == count >= 3,
                "lives": {},
            },
            f"hv{number:02}",
        )
        for number in range(1, count + 1)
    ]
