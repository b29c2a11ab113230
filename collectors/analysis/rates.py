"""From raw counters to values: the one path that live frames and replayed frames share. Pure.

`Deriver` remembers, for every workload and source, the newest sample and the one before it; a `Reading` derives the
metrics of one workload from those pairs, each at most once and only when asked. The first sample has no rate, a counter
that fell has none, and neither has a counter whose owner changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from collectors.analysis.columns import Columns
from collectors.analysis.contacts import contacts
from collectors.analysis.ledger import MEASURES, Ledger, ledger, sum_of
from collectors.model.metrics import METRICS
from collectors.model.workloads import AVERAGED, Event, Frame, Kind, Sample, SourceState, Use, Workload, WorkloadId

_IDLE_PERCENT = 1.0
"""CPU below which a sandbox is taken to be one: whoever makes a container can name it so."""


_NOT_ASKED = float("nan")
"""What stands for a value that nobody has asked for yet; compared by identity."""


class Pair(Struct, gc=False):
    """A source's newest sample of a workload, and the one before it if a delta between them is allowed."""

    previous: Sample | None
    current: Sample
    _is_flat: bool | None = None
    """What `is_flat` found; `None` until somebody asked: most are of workloads that nobody looks at."""

    @property
    def is_flat(self) -> bool:
        """Whether there are two samples that differ in nothing but their instants."""
        if self._is_flat is None:
            before, now = self.previous, self.current
            # most that work have used CPU time since: all other fields need not be compared
            self._is_flat = (
                before is not None
                and before.cpu_total_ns == now.cpu_total_ns
                and replace(before, at_ns=now.at_ns) == now
            )
        return self._is_flat


def delta(pair: Pair, name: str) -> tuple[float, int] | None:
    """Return the growth of a counter and the nanoseconds it took.

    `None` when either sample lacks it, when there is no earlier sample, or when the counter fell.
    """
    previous, current = pair.previous, pair.current
    if previous is None or current.at_ns <= previous.at_ns:
        return None
    previous_value, value = getattr(previous, name), getattr(current, name)
    if previous_value is None or value is None or value < previous_value:
        return None
    return value - previous_value, current.at_ns - previous.at_ns


class Reading(Struct, gc=False, eq=False):
    """The values of one workload at one moment, derived when first asked for.

    There is one per workload and tick, and none is part of a cycle: the search for garbage leaves them out.
    """

    workload: Workload
    pairs: tuple[Pair, ...]
    host_memory_bytes: int = 0
    """The memory of the host that the workload runs on; 0 if unknown."""
    host_cpus: int = 0
    """The cores of that host; 0 if unknown."""
    _values: dict[str, float | None] | None = None
    """What has been asked for; made with the first question, as there is none about most readings."""
    passed_by: object = None
    """Who has judged it and found nothing: as long as a workload has this very reading, they need not look again."""

    def following(self, workload: Workload, pairs: tuple[Pair, ...], memory_bytes: int, cpus: int) -> Reading:
        """Return the next reading of the same workload: this one where nothing is new; it shares values that stay."""
        is_same_size = self.host_memory_bytes == memory_bytes and self.host_cpus == cpus
        if is_same_size and self.workload is workload and self.pairs is pairs:
            return self
        # where nothing was asked, there is nothing to share, and whether it changed need not be found out
        values = self._values
        stays = values is not None and is_same_size and _is_unchanged(self.pairs, pairs)
        return Reading(workload, pairs, memory_bytes, cpus, values if stays else None)

    def value(self, key: str) -> float | None:
        """Return a metric's value in its unit; `None` when it is not known."""
        values = self._values
        if values is None:
            values = self._values = {}
        value = values.get(key, _NOT_ASKED)
        if value is _NOT_ASKED:  # not an exception: each value is asked for once in most ticks
            value = values[key] = METRICS[key].derive(self)
        return value

    def is_unchanged_since(self, earlier: Reading | None) -> bool:
        """Return whether every value and every fact is known to be what it was in an earlier reading.

        It is not known of a reading that was asked for nothing while it was the newest.
        """
        return (
            earlier is not None
            and (self is earlier or (self._values is not None and self._values is earlier._values))
            and (self.workload is earlier.workload or self.workload == earlier.workload)
        )

    def gauge(self, name: str) -> float | None:
        """Return the newest value of a sample's field, from the first source that has it."""
        for pair in self.pairs:
            value: float | None = getattr(pair.current, name)
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
        for pair in self.pairs:
            if getattr(pair.current, companion) is not None:
                value: float | None = getattr(pair.current, name)
                return value
        return None

    def lowest(self, name: str) -> float | None:
        """Return the lowest value that any source has for a field: limits add up to the tightest."""
        values = [value for pair in self.pairs if (value := getattr(pair.current, name)) is not None]
        return min(values) if values else None

    def total(self, name: str) -> float | None:
        """Return the newest value of a counter that began with the workload, from the first source that has it."""
        for pair in self.pairs:
            value: float | None = getattr(pair.current, name)
            if value is not None:
                return None if pair.current.source in AVERAGED else value
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
    if pairs is previous_pairs:
        return True
    if len(previous_pairs) != len(pairs):
        return False
    for previous, pair in zip(previous_pairs, pairs):  # noqa: B905  # they are equally long; this runs for every workload
        if pair is not previous and not (pair.previous is previous.current and pair.is_flat and previous.is_flat):
            return False
    return True


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
    columns: Columns = Columns()
    """The values of the host and of the workloads, in the order of `readings`, side by side."""

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
    if len(pairs) == len(samples):
        paired, is_new = [], False
        for pair, sample in zip(pairs, samples):  # noqa: B905  # they are equally long; this runs for every workload
            current = pair.current
            if current is not sample:
                if current.source != sample.source:
                    break
                following = _paired(pair, sample)
                is_new = is_new or following is not pair
                pair = following
            paired.append(pair)
        else:
            return tuple(paired) if is_new else pairs
    by_source = {pair.current.source: pair for pair in pairs}
    return tuple([_paired(by_source.get(sample.source), sample) for sample in samples])


def _paired(pair: Pair | None, sample: Sample) -> Pair:
    if pair is None:
        return Pair(None, sample)
    current = pair.current
    if current is sample or (current.at_ns == sample.at_ns and current.epoch == sample.epoch):
        return pair
    if current.epoch != sample.epoch or sample.at_ns < current.at_ns:
        return Pair(None, sample)
    return Pair(current, sample)


_UNKNOWN = (0, 0)
"""Memory and cores of a host of which they are not known, such as the one of a remote engine."""


class Deriver:
    """Turns frames, in order, into moments."""

    def __init__(self) -> None:
        self._pairs: dict[WorkloadId, tuple[Pair, ...]] = {}
        self._readings: dict[WorkloadId, Reading] = {}
        self._run = ""
        self._prepared: Frame | None = None
        """The frame whose pairs are made."""
        self._read_ahead: Frame | None = None
        """The frame whose readings are made."""
        self._moment: Moment | None = None
        """The newest moment."""

    def prepare(self, frame: Frame) -> None:
        """Take in a frame only for the rates of the next one: far less work, where nobody wants its moment."""
        if frame is self._prepared:
            return
        self._prepared = frame
        if frame.run != self._run:
            self._run, self._pairs, self._readings = frame.run, {}, {}
        self._pairs = {
            identity: derive(self._pairs.get(identity, ()), samples) for identity, samples in frame.samples.items()
        }

    def read(self, frame: Frame) -> None:
        """Make the readings of a frame, which is the next one to be derived."""
        self.prepare(frame)
        if frame is not self._read_ahead:
            self._read_ahead, self._readings = frame, self._read(frame)

    def feed(self, frame: Frame) -> Moment:
        """Derive one frame, of which some may have been done before.

        Memory is bounded by the workloads of the newest frame. Between frames of two runs there is no
        rate: their instants come from different clocks. The same frame once more has the same moment.
        """
        if self._moment is None or self._moment.frame is not frame:
            self.read(frame)
            self._moment = self._made(frame)
        return self._moment

    def _made(self, frame: Frame) -> Moment:
        readings = self._readings
        host = Reading(frame.host, self._pairs.get(frame.host.id, ()), host_cpus=frame.cpus)
        columns = Columns([host, *readings.values()])
        measures = {key: columns.of(key)[1:] for key in MEASURES}
        if not frame.hosts:
            split = ledger(host, readings, frame.cpus, frame.memory_bytes, columns=measures)
            return Moment(frame, host, readings, split, {}, columns)
        hosts = _by_host(frame, host, readings, measures)
        return Moment(frame, host, readings, sum_of([one.ledger for one in hosts.values()]), hosts, columns)

    def _read(self, frame: Frame) -> dict[WorkloadId, Reading]:
        """Return a reading of each workload: the previous one where nothing is new."""
        pairs, previous, readings = self._pairs, self._readings, dict[WorkloadId, Reading]()
        sizes = {name: (facts.memory_bytes, facts.cpus) for name, facts in frame.hosts.items()}
        sizes[""] = frame.memory_bytes, frame.cpus
        for identity, workload in frame.workloads.items():
            memory_bytes, cpus = _UNKNOWN if workload.endpoint else sizes.get(identity.host, _UNKNOWN)
            own, earlier = pairs.get(identity, ()), previous.get(identity)
            readings[identity] = (
                Reading(workload, own, memory_bytes, cpus)
                if earlier is None
                else earlier.following(workload, own, memory_bytes, cpus)
            )
        return readings


def _by_host(
    frame: Frame, host: Reading, readings: dict[WorkloadId, Reading], measures: dict[str, list[float]]
) -> dict[str, HostMoment]:
    """Return the moments of several hosts, each with the ledger of its own workloads."""
    indices: dict[str, list[int]] = {name: [] for name in ("", *frame.hosts)}
    identities = [*readings]
    for index, identity in enumerate(identities):
        indices.get(identity.host, []).append(index)
    moments = {}

    def split(own: Reading, cpus: int, memory_bytes: int, name: str, uses: Mapping[Kind, Use] | None = None) -> Ledger:
        of_host = {identities[index]: readings[identities[index]] for index in indices[name]}
        columns = {key: [column[index] for index in indices[name]] for key, column in measures.items()}
        return ledger(own, of_host, cpus, memory_bytes, uses, columns)

    if host.pairs:
        moments[""] = HostMoment(host, split(host, frame.cpus, frame.memory_bytes, ""))
    known = contacts(frame)
    for name, facts in frame.hosts.items():
        is_here = facts.workload is not None and facts.workload.host == name
        own = readings.get(facts.workload) if is_here and facts.workload is not None else None
        own_ledger = Ledger(None, None)
        if own is not None and not known[name].is_gone:
            own_ledger = split(own, facts.cpus, facts.memory_bytes, name, facts.uses)
        moments[name] = HostMoment(own, own_ledger)
    return moments
