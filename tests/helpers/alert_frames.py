"""A host whose workloads do what a test says, frame by frame, for rules that watch it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from collectors.analysis.rates import Deriver, Moment
from collectors.model.workloads import Availability, Event, Frame, Sample, SourceState, Workload, WorkloadId
from tests.helpers.strategies import HOST, NS, frame, workload

WALL = 1_700_000_000.0


@dataclass
class Host:
    """One host; the state of things is set between frames."""

    run: str = "1" * 16
    interval_s: float = 1.0
    at_s: float = 100.0
    workloads: dict[WorkloadId, Workload] = field(default_factory=dict)
    fields: dict[WorkloadId, dict[str, Any]] = field(default_factory=dict)
    """Gauges of samples."""
    cpu_percent: dict[WorkloadId, float] = field(default_factory=dict)
    frozen: set[WorkloadId] = field(default_factory=set)
    """Workloads whose samples get no younger."""
    mute: set[WorkloadId] = field(default_factory=set)
    """Workloads of which nothing is measured."""
    sources: tuple[SourceState, ...] = (SourceState("docker", Availability.OK),)
    host_fields: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    """Of the host, as in `Frame.facts`."""

    def __post_init__(self) -> None:
        self._deriver = Deriver()
        self._samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        self._cpu_ns: dict[WorkloadId, int] = {}

    def add(self, name: str = "web", cpu_percent: float = 0.0, **facts: Any) -> WorkloadId:
        """Add a workload."""
        described = workload(name, **facts)
        self.workloads[described.id] = described
        self.cpu_percent[described.id] = cpu_percent
        return described.id

    def change(self, identity: WorkloadId, **facts: Any) -> None:
        """Change facts of a workload."""
        self.workloads[identity] = msgspec.structs.replace(self.workloads[identity], **facts)

    def measure(self, identity: WorkloadId, **fields: Any) -> None:
        """Set gauges of a workload."""
        self.fields[identity] = {**self.fields.get(identity, {}), **fields}

    def moment(self, *events: Event, step_s: float = 1.0) -> Moment:
        """Let time pass, and return the next moment."""
        self.at_s += step_s
        at_ns = int(self.at_s * NS)
        for identity in self.workloads:
            if identity in self.frozen:
                continue
            grown = int(self.cpu_percent[identity] / 100 * step_s * NS)
            self._cpu_ns[identity] = self._cpu_ns.get(identity, 0) + grown
            sample = Sample("cgroup", at_ns, cpu_total_ns=self._cpu_ns[identity], **self.fields.get(identity, {}))
            self._samples[identity] = (sample,)
        base = frame(self.at_s, {})
        host_sample = Sample("host", at_ns, **self.host_fields)
        made: Frame = msgspec.structs.replace(
            base,
            workloads=dict(self.workloads),
            samples={
                **{key: self._samples[key] for key in self.workloads if key in self._samples and key not in self.mute},
                HOST: (host_sample,),
            },
            sources=self.sources,
            events=events,
            run=self.run,
            interval_s=self.interval_s,
            facts=self.facts,
            wall=WALL + self.at_s,
        )
        return self._deriver.feed(made)
