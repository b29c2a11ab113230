"""From raw counters to values: the one path that live frames and replayed frames share. Pure.

`Deriver` remembers, for every workload and source, the newest sample and the one before it; a `Reading` derives the
metrics of one workload from those pairs, each at most once and only when asked. The first sample has no rate, a counter
that fell has none, and neither has a counter whose owner changed.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from collectors.analysis.contacts import contacts
from collectors.analysis.ledger import Ledger, ledger, sum_of
from collectors.model.metrics import METRICS
from collectors.model.workloads import AVERAGED, Event, Frame, Kind, Sample, SourceState, Workload, WorkloadId

_IDLE_PERCENT = 1.0
"""CPU below which a sandbox is taken to be one: whoever makes a container can name it so."""


class Pair(NamedTuple):
    """A source's newest sample of a workload, and the one before it if a delta between them is allowed."""

    previous: Sample | None
    current: Sample
    is_flat: bool = False
    """Whether the two are known to differ in nothing but their instants."""


def delta(pair: Pair, name: str) -> tuple[float, int] | None:
    """Return the growth of a counter and the nanoseconds it took.

    `None` when either sample lacks it, when there is no earlier sample, or when the counter fell.
    """
    previous, current, _ = pair
    if previous is None or current.at_ns <= previous.at_ns:
        return None
    previous_value, value = getattr(previous, name), getattr(current, name)
    if previous_value is None or value is None or value < previous_value:
        return None
    return value - previous_value, current.at_ns - previous.at_ns


class Reading:
    """The values of one workload at one moment, derived when first asked for."""

    __slots__ = ("_values", "host_cpus", "host_memory_bytes", "pairs", "workload")

    def __init__(
        self,
        workload: Workload,
        pairs: tuple[Pair, ...],
        previous: Reading | None = None,
        host_memory_bytes: int = 0,
        host_cpus: int = 0,
    ) -> None:
        """Take the samples, and the previous reading, whose values are shared if nothing has changed since.

        `host_memory_bytes` is the memory of the host that the workload runs on and `host_cpus` its cores; 0 if unknown.
        """
        self.workload = workload
        self.pairs = pairs
        self.host_memory_bytes = host_memory_bytes
        self.host_cpus = host_cpus
        self._values: dict[str, float | None] = {}
        if (
            previous is not None
            and previous.host_memory_bytes == host_memory_bytes
            and previous.host_cpus == host_cpus
            and _is_unchanged(previous.pairs, pairs)
        ):
            self._values = previous._values

    def value(self, key: str) -> float | None:
        """Return a metric's value in its unit; `None` when it is not known."""
        try:
            return self._values[key]
        except KeyError:
            value = self._values[key] = METRICS[key].derive(self)
            return value

    def is_unchanged_since(self, earlier: Reading | None) -> bool:
        """Return whether every value and every fact is known to be what it was in an earlier reading."""
        return (
            earlier is not None
            and self._values is earlier._values
            and (self.workload is earlier.workload or self.workload == earlier.workload)
        )

    def gauge(self, name: str) -> float | None:
        """Return the newest value of a sample's field, from the first source that has it."""
        for _, current, _ in self.pairs:
            value: float | None = getattr(current, name)
            if value is not None:
                return value
        return None

    @property
    def is_machine(self) -> bool:
        """Whether it is a virtual machine, whose memory and CPUs are its guest's."""
        return self.workload.kind is Kind.VM

    @property
    def is_folded(self) -> bool:
        """Whether it has no row: the sandbox of a pod, unless it works as none does that only waits."""
        return self.workload.is_sandbox and (self.value("cpu_percent") or 0.0) < _IDLE_PERCENT

    def gauge_with(self, name: str, companion: str) -> float | None:
        """Return the newest value of a field, from the source that also has a companion field."""
        for _, current, _ in self.pairs:
            if getattr(current, companion) is not None:
                value: float | None = getattr(current, name)
                return value
        return None

    def lowest(self, name: str) -> float | None:
        """Return the lowest value that any source has for a field: limits add up to the tightest."""
        values = [value for pair in self.pairs if (value := getattr(pair.current, name)) is not None]
        return min(values) if values else None

    def total(self, name: str) -> float | None:
        """Return the newest value of a counter that began with the workload, from the first source that has it."""
        for _, current, _ in self.pairs:
            value: float | None = getattr(current, name)
            if value is not None:
                return None if current.source in AVERAGED else value
        return None

    def rate(self, name: str) -> float | None:
        """Return a counter's growth per nanosecond, by the clock of the source that has it."""
        for pair in self.pairs:
            if getattr(pair.current, name) is not None:
                growth = delta(pair, name)
                return None if growth is None else growth[0] / growth[1]
        return None

    def rate_with(self, name: str, companion: str) -> float | None:
        """Return a counter's growth per nanosecond, from the source that also has a companion field."""
        for pair in self.pairs:
            if getattr(pair.current, companion) is not None:
                growth = delta(pair, name)
                return None if growth is None else growth[0] / growth[1]
        return None

    def ratio(self, part: str, whole: str) -> float | None:
        """Return growth of one counter / growth of another of the same source; `None` if the second did not grow."""
        for pair in self.pairs:
            if getattr(pair.current, part) is not None:
                growth, base = delta(pair, part), delta(pair, whole)
                return None if growth is None or base is None or not base[0] else growth[0] / base[0]
        return None

    def supplier(self, key: str) -> Sample | None:
        """Return the sample that supplied a metric's first present field: the origin and age of a cell."""
        for name in METRICS[key].fields:
            for pair in self.pairs:
                if getattr(pair.current, name) is not None:
                    return pair.current
        return None


def _is_unchanged(previous_pairs: tuple[Pair, ...], pairs: tuple[Pair, ...]) -> bool:
    """Whether every value is the same: each pair is the same object, or follows a flat pair and is flat too."""
    if len(previous_pairs) != len(pairs):
        return False
    return all(
        [
            pair is previous or (pair.is_flat and previous.is_flat and pair.previous is previous.current)
            for previous, pair in zip(previous_pairs, pairs, strict=True)
        ]
    )


class HostMoment(NamedTuple):
    """One host of several."""

    reading: Reading | None
    """The host's own values; `None` until it has answered."""
    ledger: Ledger


class Moment(NamedTuple):
    """A frame with everything derivable from it and the frames before: what screens and exports read."""

    frame: Frame
    host: Reading
    """The host that vmtop runs on; without values where only other hosts are watched."""
    readings: dict[WorkloadId, Reading]
    """Of the workloads of all hosts, with the other hosts themselves."""
    ledger: Ledger
    """With several hosts, the sum of their own, but of those that are gone."""
    hosts: dict[str, HostMoment] = {}  # noqa: RUF012  # nobody changes it
    """Each host by its name, first this one as the empty string if it is read; empty when there are no others."""

    @property
    def sources(self) -> tuple[SourceState, ...]:
        return self.frame.sources

    @property
    def own_sources(self) -> tuple[SourceState, ...]:
        """Those of the host that vmtop runs on, connections to other hosts included, in the order of their specs."""
        return tuple(state for state in self.frame.sources if not state.host)

    @property
    def events(self) -> tuple[Event, ...]:
        return self.frame.events


def derive(pairs: tuple[Pair, ...], samples: tuple[Sample, ...]) -> tuple[Pair, ...]:
    """Pair new samples with those of earlier pairs. A sample that is already in a pair keeps that pair."""
    if len(pairs) == len(samples) and all(pair[1].source == new.source for pair, new in zip(pairs, samples)):  # noqa: B905
        return tuple([_paired(pair, sample) for pair, sample in zip(pairs, samples, strict=True)])
    by_source = {pair.current.source: pair for pair in pairs}
    return tuple([_paired(by_source.get(sample.source), sample) for sample in samples])


def _paired(pair: Pair | None, sample: Sample) -> Pair:
    if pair is None:
        return Pair(None, sample)
    current = pair[1]
    if current is sample or (current.at_ns == sample.at_ns and current.epoch == sample.epoch):
        return pair
    if current.epoch != sample.epoch or sample.at_ns < current.at_ns:
        return Pair(None, sample)
    return Pair(current, sample, replace(current, at_ns=sample.at_ns) == sample)


class Deriver:
    """Turns frames, in order, into moments."""

    def __init__(self) -> None:
        self._pairs: dict[WorkloadId, tuple[Pair, ...]] = {}
        self._readings: dict[WorkloadId, Reading] = {}
        self._run = ""

    def feed(self, frame: Frame) -> Moment:
        """Derive one frame. Memory is bounded by the workloads of the newest frame.

        Between frames of two runs there is no rate: their instants come from different clocks.
        """
        if frame.run != self._run:
            self._run, self._pairs, self._readings = frame.run, {}, {}
        self._pairs = {
            identity: derive(self._pairs.get(identity, ()), samples) for identity, samples in frame.samples.items()
        }
        pairs, previous = self._pairs, self._readings
        self._readings = readings = {
            identity: Reading(
                workload, pairs.get(identity, ()), previous.get(identity), *_size_of_host(frame, workload)
            )
            for identity, workload in frame.workloads.items()
        }
        host = Reading(frame.host, self._pairs.get(frame.host.id, ()), host_cpus=frame.cpus)
        if not frame.hosts:
            return Moment(frame, host, readings, ledger(host, readings, frame.cpus, frame.memory_bytes))
        hosts = _by_host(frame, host, readings)
        return Moment(frame, host, readings, sum_of([one.ledger for one in hosts.values()]), hosts)


def _size_of_host(frame: Frame, workload: Workload) -> tuple[int, int]:
    """Return memory in bytes and cores of the host that a workload runs on; 0 for what is unknown."""
    if workload.endpoint:
        return 0, 0
    if not workload.id.host:
        return frame.memory_bytes, frame.cpus
    facts = frame.hosts.get(workload.id.host)
    return (facts.memory_bytes, facts.cpus) if facts is not None else (0, 0)


def _by_host(frame: Frame, host: Reading, readings: dict[WorkloadId, Reading]) -> dict[str, HostMoment]:
    """Return the moments of several hosts, each with the ledger of its own workloads."""
    of_host: dict[str, dict[WorkloadId, Reading]] = {name: {} for name in ("", *frame.hosts)}
    for identity, reading in readings.items():
        of_host.get(identity.host, {})[identity] = reading
    moments = {}
    if host.pairs:
        moments[""] = HostMoment(host, ledger(host, of_host[""], frame.cpus, frame.memory_bytes))
    known = contacts(frame)
    for name, facts in frame.hosts.items():
        own = None if facts.workload is None else of_host[name].get(facts.workload)
        own_ledger = Ledger(None, None)
        if own is not None and not known[name].is_gone:
            own_ledger = ledger(own, of_host[name], facts.cpus, facts.memory_bytes, facts.uses)
        moments[name] = HostMoment(own, own_ledger)
    return moments
