"""A line of the table: a workload, a group of them, or a host. No Textual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import msgspec

from collectors.analysis.contacts import Contact
from collectors.analysis.rates import Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import WorkloadId


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of the table: a workload, or the heading of a group with the sums of its members."""

    label: str
    reading: Reading | None = None
    members: tuple[Reading, ...] = ()
    depth: int = 0
    sandboxes: tuple[Reading, ...] = ()
    """What has no line of its own, but counts with the group."""
    contact: Contact | None = None
    """Of the line of one host among others: whether it answers."""
    is_fleet: bool = False
    """Whether its members are all hosts that are watched."""
    total: Reading | None = None
    """What a group has in all, where that was measured and is not the sum of its members: a host's own values."""

    @property
    def id(self) -> WorkloadId:
        """The workload's identity; a group's is made of its name."""
        return self.reading.workload.id if self.reading else WorkloadId("group", self.label)

    @property
    def is_of_hosts(self) -> bool:
        """Whether it is a host's, or that of all hosts."""
        return self.is_fleet or self.contact is not None

    @property
    def measured(self) -> tuple[Reading, ...]:
        """The readings whose sums are the line's values."""
        whole = self.reading or self.total
        return (whole,) if whole is not None else self.outer_members

    def value(self, key: str) -> float | None:
        """Return a metric; for a group the sum, where a sum makes sense."""
        measured = self.measured
        if self.reading is not None or self.total is not None:
            return measured[0].value(key)
        if not METRICS[key].is_additive:
            return None
        values = [value for member in measured if (value := member.value(key)) is not None]
        return sum(values) if values else None

    @property
    def outer_members(self) -> tuple[Reading, ...]:
        """The members of a group, and its sandboxes, whose numbers are not in those of another member already."""
        counted = (*self.members, *self.sandboxes)
        member_ids = {member.workload.id for member in counted}
        return tuple(member for member in counted if member.workload.parent not in member_ids)


class PlainLines(Sequence[Line]):
    """The lines of workloads without groups. Each is made when it is looked at: of thousands, few are on the screen."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.readings = readings

    def __len__(self) -> int:
        return len(self.readings)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return PlainLines(self.readings[index])
        reading = self.readings[index]
        return Line(reading.workload.name, reading)


def ids_of(lines: Sequence[Line]) -> list[WorkloadId]:
    """Return the identities of lines, in their order."""
    if isinstance(lines, PlainLines):
        return [reading.workload.id for reading in lines.readings]
    return [line.id for line in lines]
