"""Frames of another host's vmtop, under that host's name and by this host's clocks. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from collectors.model.workloads import Event, Frame, HostFacts, Sample, SourceState, Workload, WorkloadId
from collectors.sampling.source import SourceReading


class HostLabels:
    """Puts a host's name on everything in its frames.

    Frames of other hosts that it watches itself are left out: each host is watched directly.

    Args:
        name: The host's name.
        tags: Words that the configuration groups hosts by.
    """

    def __init__(self, name: str, tags: tuple[str, ...] = ()) -> None:
        self.name = name
        self._tags = tags
        self._labelled: dict[WorkloadId, tuple[Workload, float, Workload]] = {}
        """The newest workloads by their own ids: as they came, the correction of their start, and with the name."""

    def reading(
        self,
        frame: Frame,
        at_offset_ns: int = 0,
        clock_ahead_s: float | None = None,
        era: int = 0,
        program: str = "",
    ) -> SourceReading:
        """Return a frame as the reading of a source.

        Args:
            frame: The other host's frame.
            at_offset_ns: What is added to its monotonic instants to make them this host's, in ns.
            clock_ahead_s: By how many seconds its wall clock is ahead of this host's; `None` if unknown.
            era: How often the offset has changed: no rate is made across a change.
            program: Name and version of the program that wrote it, as in `vmtop 1.2`; empty if unknown.
        """
        ahead_s = clock_ahead_s or 0.0
        previous, self._labelled = self._labelled, {}
        described = {
            frame.host.id: frame.host,
            **{identity: workload for identity, workload in frame.workloads.items() if not identity.host},
        }
        for identity, workload in described.items():
            known = previous.get(identity)
            if known is None or known[1] != ahead_s or (known[0] is not workload and known[0] != workload):
                known = (workload, ahead_s, self._workload(workload, ahead_s))
            self._labelled[identity] = known
        return SourceReading(
            workloads={known[2].id: known[2] for known in self._labelled.values()},
            samples={
                self.identity(identity): tuple([_shifted(sample, at_offset_ns, era) for sample in samples])
                for identity, samples in frame.samples.items()
                if identity in self._labelled
            },
            events=tuple(self._event(event, ahead_s) for event in frame.events if not event.workload.host),
            detail=f"{(count := len(frame.workloads))} workload{'' if count == 1 else 's'}",
            hosts={self.name: self._facts(frame, clock_ahead_s, program)},
            sources=tuple(self._source(state, at_offset_ns) for state in frame.sources if not state.host),
        )

    def identity(self, identity: WorkloadId) -> WorkloadId:
        """Return the id, on this host, of one of its workloads."""
        return WorkloadId(identity.engine, identity.id, self.name)

    def _workload(self, workload: Workload, ahead_s: float) -> Workload:
        parent, started_at = workload.parent, workload.started_at
        return replace(
            workload,
            id=self.identity(workload.id),
            parent=None if parent is None else self.identity(parent),
            started_at=None if started_at is None else started_at - ahead_s,
        )

    def _facts(self, frame: Frame, clock_ahead_s: float | None, program: str) -> HostFacts:
        version = program.removeprefix("vmtop").strip()
        return HostFacts(
            self.identity(frame.host.id),
            frame.cpus,
            frame.memory_bytes,
            {**frame.facts, "vmtop": version} if version else frame.facts,
            None if clock_ahead_s is None else round(clock_ahead_s, 1),
            frame.run,
            frame.interval_s,
            self._tags,
        )

    def _event(self, event: Event, ahead_s: float) -> Event:
        return replace(event, workload=self.identity(event.workload), wall=max(0.0, event.wall - ahead_s))

    def _source(self, state: SourceState, at_offset_ns: int) -> SourceState:
        read_at_ns = None if state.read_at_ns is None else max(0, state.read_at_ns + at_offset_ns)
        return replace(state, host=self.name, read_at_ns=read_at_ns)


def _shifted(sample: Sample, offset_ns: int, era: int) -> Sample:
    at_ns = max(0, sample.at_ns + offset_ns)
    return replace(sample, at_ns=at_ns, epoch=f"{sample.epoch}+{era}" if era else sample.epoch)
