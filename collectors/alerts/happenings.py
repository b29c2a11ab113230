"""How often something happened to a workload within a time: events, and starts by the engine that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from collectors.alerts.condition import RESTARTED, Happening
from collectors.alerts.rule import Rule
from collectors.alerts.told import WHATS
from collectors.analysis.rates import Moment, Reading
from collectors.model.workloads import Kind, Workload, WorkloadId

_MOST_KEPT = 1000
"""Instants kept of one rule and workload: the most that a rule can ask for."""
_MOST_SUBJECTS = 5000


class Occurrence(NamedTuple):
    """Something that happened."""

    what: str
    id: WorkloadId
    name: str
    detail: str


@dataclass(slots=True)
class Tally:
    """When something happened to one workload, by one rule."""

    name: str
    detail: str = ""
    instants: list[int] = field(default_factory=list)
    """Of the frames that told of it, in ns, oldest first. It is mostly one: a deque would take ten times the room."""

    def count(self, at_ns: int) -> None:
        """Count it once more."""
        self.instants.append(at_ns)
        del self.instants[:-_MOST_KEPT]

    def forget_until(self, oldest_ns: int) -> None:
        """Count no more what happened up to an instant."""
        while self.instants and self.instants[0] <= oldest_ns:
            del self.instants[0]


class Happenings:
    """Counts what rules ask for, in every frame, however quickly they come."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(rule, rule.condition) for rule in rules if isinstance(rule.condition, Happening)]
        self._tallies: dict[tuple[int, WorkloadId], Tally] = {}
        self._restarts: dict[WorkloadId, int] = {}
        self._counts: list[int | None] = []
        """The restarts of the moment before, in its order."""
        self._before: dict[WorkloadId, Reading] = {}
        """Those of the moment before: the event of an end may come when the workload is gone."""

    def clear(self) -> None:
        """Forget what happened: another run began."""
        self._tallies.clear()
        self._restarts.clear()
        self._counts, self._before = [], {}

    def note(self, moment: Moment) -> None:
        """Take in what a frame tells."""
        if not self._rules:
            return
        for occurrence in self._occurrences(moment):
            reading = moment.readings.get(occurrence.id) or self._before.get(occurrence.id)
            for index, (_, condition) in enumerate(self._rules):
                if occurrence.what in condition.whats and _is_meant(condition, occurrence, reading):
                    self._count(index, occurrence, moment.frame.at_ns)
        self._before = moment.readings

    def standing(self, moment: Moment) -> Iterator[tuple[Rule, WorkloadId, str, str, bool]]:
        """Yield for each rule and workload with something counted: its name, the detail, and whether the rule holds."""
        for (index, identity), tally in [*self._tallies.items()]:
            rule, condition = self._rules[index]
            oldest_ns = moment.frame.at_ns - int(condition.within_s * 1e9)
            tally.forget_until(oldest_ns)
            if not tally.instants:
                del self._tallies[index, identity]
            yield rule, identity, tally.name, _words(tally, condition), len(tally.instants) >= condition.times

    def _count(self, index: int, occurrence: Occurrence, at_ns: int) -> None:
        tally = self._tallies.get((index, occurrence.id))
        if tally is None:
            if len(self._tallies) >= _MOST_SUBJECTS:
                return
            tally = self._tallies[index, occurrence.id] = Tally(occurrence.name)
        tally.count(at_ns)
        tally.detail = occurrence.detail

    def _occurrences(self, moment: Moment) -> Iterator[Occurrence]:
        for event in moment.events:
            if event.what not in WHATS:
                known = moment.readings.get(event.workload)
                name = event.name or (known.workload.name if known is not None else event.workload.short)
                yield Occurrence(event.what, event.workload, name, event.detail)
        yield from self._restarted(moment)

    def _restarted(self, moment: Moment) -> Iterator[Occurrence]:
        """Yield each start since the moment before. Only what is another number or in another place is looked up."""
        readings, restarts = moment.readings, self._restarts
        counts = [reading.workload.restarts for reading in readings.values()]
        is_same_order = [*readings] == [*self._before]
        if not is_same_order or counts != self._counts:
            before = self._counts if is_same_order else [None] * len(counts)
            rows = zip(readings.items(), counts, before, strict=True)
            for (identity, reading), count in [(row, count) for row, count, earlier in rows if count != earlier]:
                yield from self._starts(identity, reading, count)
        self._counts = counts
        if len(restarts) > 2 * len(readings) + 100:
            self._restarts = {identity: count for identity, count in restarts.items() if identity in readings}

    def _starts(self, identity: WorkloadId, reading: Reading, count: int | None) -> Iterator[Occurrence]:
        before = self._restarts.get(identity)
        if count is None or count == before:
            return
        self._restarts[identity] = count
        if before is not None:
            for _ in range(min(count - before, _MOST_KEPT)):
                yield Occurrence(RESTARTED, identity, reading.workload.name, "")


def _is_meant(condition: Happening, occurrence: Occurrence, reading: Reading | None) -> bool:
    """Return whether a rule is about a workload; of one that is gone, only its name and its engine are known."""
    if reading is None:
        engine = occurrence.id.engine
        reading = Reading(Workload(occurrence.id, _KINDS.get(engine, Kind.CONTAINER), occurrence.name), ())
    return condition.query.matches(reading)


_KINDS = {"systemd": Kind.SERVICE} | dict.fromkeys(
    (
        *("qemu", "vmm", "firecracker", "cloud-hypervisor", "proxmox", "lima", "multipass"),
        *("virtualbox", "vmware", "vsphere"),
    ),
    Kind.VM,
)
"""What a workload is of which only its engine is known; of all others it is a container."""


def _words(tally: Tally, condition: Happening) -> str:
    count = len(tally.instants)
    times = f"{count} times in {condition.within_s / 60:.3g} min" if condition.times > 1 else ""
    return ", ".join(part for part in (times, tally.detail) if part)
