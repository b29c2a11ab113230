"""Frames of several hosts that do not exist, on a clock of the test's own; hosts can be made to fall silent."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from collectors.fleet.demo import DemoHost
from collectors.model.workloads import Availability, Frame, HostFacts, SourceState
from collectors.sampling.merge import join
from collectors.sampling.source import SourceReading
from tests.helpers.demo_fleet import Fleet


class FarFleet:
    """Makes frames of several hosts, a second apart, without any thread.

    Args:
        names: Of the other hosts. All have the same workloads, with the same names and ids.
        workloads: Of each host.
        is_local: Whether this host is watched too.
    """

    def __init__(self, names: Sequence[str] = ("hv01", "hv02"), workloads: int = 10, is_local: bool = False) -> None:
        self.local = Fleet(workloads)
        self.has_local = is_local
        self.now_s = 1_000.0
        self.silent: set[str] = set()
        self.facts: dict[str, HostFacts] = {}
        """What is known of hosts instead of what they tell."""
        self._hosts = {name: DemoHost(name, workloads, clock=lambda: self.now_s) for name in names}
        self._read: dict[str, tuple[SourceReading, int]] = {}

    @property
    def now_ns(self) -> int:
        """The instant of the newest frame."""
        return int(self.now_s * 1e9)

    def frame(self, step_s: float = 1.0) -> Frame:
        """Let a while pass and sample the hosts that answer."""
        self.now_s += step_s
        at_ns = int(self.now_s * 1e9)
        for name, host in self._hosts.items():
            if name not in self.silent:
                self._read[name] = host.read(), at_ns
        states, hosts = [], {}
        for name in self._hosts:
            reading, read_at_ns = self._read.get(name, (None, None))
            availability = Availability.STALE if reading is not None else Availability.DOWN
            reason = f"ssh: connect to host {name} port 22: Connection refused"
            fix = f"ssh {name}"
            state = SourceState(name, availability, "", reason, fix, read_at_ns)
            if name not in self.silent and reading is not None:
                state = SourceState(name, Availability.OK, reading.detail, read_at_ns=read_at_ns)
            states.append(state)
            hosts[name] = HostFacts() if reading is None else reading.hosts[name]
        readings = [reading for reading, _ in self._read.values()]
        local = self.local.frame(step_s)
        parts = [(True, reading) for reading in readings]
        if self.has_local:
            parts.append((True, SourceReading(local.workloads, local.samples)))
        workloads, samples, _ = join(parts)
        there = [state for reading in readings for state in reading.sources]
        shift_ns = at_ns - local.at_ns
        return replace(
            local,
            at_ns=at_ns,
            boot_ns=at_ns,
            workloads=workloads,
            samples={
                identity: tuple(
                    replace(sample, at_ns=sample.at_ns + (0 if identity.host else shift_ns)) for sample in own
                )
                for identity, own in samples.items()
            },
            sources=(*(local.sources if self.has_local else ()), *states, *there),
            facts=local.facts if self.has_local else {},
            hosts={**hosts, **self.facts},
        )
