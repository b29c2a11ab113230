"""What the user has chosen: order, filter, marks, the workload under the cursor. No Textual.

`TableState.arrange` turns a moment into the lines of the table. Everything is bound to identities, not to row numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from operator import itemgetter

import msgspec

from collectors.analysis.rates import Moment, Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import ACTIVE, Kind, WorkloadId
from collectors.query.filter import Query

HOST_INDEX = -1
"""The index of the host's line."""
CALM_S = 2.0
"""Seconds for which the order stays fixed after a movement key."""


class Scale(StrEnum):
    """What 100 % CPU means in the table."""

    CORE = "core"
    HOST = "host"
    LIMIT = "limit"


class Line(msgspec.Struct, frozen=True, gc=False):
    """One line of the table: a workload, or the heading of a group with the sums of its members."""

    label: str
    reading: Reading | None = None
    members: tuple[Reading, ...] = ()
    depth: int = 0

    @property
    def id(self) -> WorkloadId:
        """The workload's identity; a group's is made of its name."""
        return self.reading.workload.id if self.reading else WorkloadId("group", self.label)

    def value(self, key: str) -> float | None:
        """Return a metric; for a group the sum, where a sum makes sense."""
        if self.reading is not None:
            return self.reading.value(key)
        if not METRICS[key].is_additive:
            return None
        values = [value for member in self.outer_members if (value := member.value(key)) is not None]
        return sum(values) if values else None

    @property
    def outer_members(self) -> tuple[Reading, ...]:
        """The members of a group whose numbers are not in those of another member already."""
        member_ids = {member.workload.id for member in self.members}
        return tuple(member for member in self.members if member.workload.parent not in member_ids)


@dataclass(slots=True)
class TableState:
    """The user's choices, and the lines that follow from them."""

    sort: str = "cpu_percent"
    """A metric's key, or `name`, `kind`, `state`, `uptime`."""
    is_reversed: bool = False
    query: Query | None = None
    query_text: str = ""
    only: Kind | None = None
    show_all: bool = False
    is_tree: bool = False
    scale: Scale = Scale.CORE
    follow: bool = False
    is_frozen: bool = False
    marks: set[WorkloadId] = field(default_factory=set)
    folded: set[str] = field(default_factory=set)
    cursor: WorkloadId | None = None
    clock: Callable[[], float] = time.monotonic
    lines: list[Line] = field(default_factory=list)
    host: Line | None = None
    """The host, above all lines: no filter hides it, and no order moves it."""
    hidden: int = 0
    """Workloads that exist but are not shown."""
    _named_workloads: tuple[list[str], list[WorkloadId]] = field(default=([], []))
    _name_order: list[int] = field(default_factory=list)
    """The order by name of the workloads in `_named_workloads`, as indices into it."""
    _index: int = 0
    """The last known index of the cursor's line."""
    _calm_until: float = 0.0
    _is_touched: bool = False
    """Until the first movement the cursor stays on the top line, whichever workload that is."""

    def cpu_key(self) -> str:
        """The metric behind the CPU column on the chosen scale."""
        return "cpu_of_limit_percent" if self.scale is Scale.LIMIT else "cpu_percent"

    def moved(self) -> None:
        """Note a movement key: the order stays fixed for `CALM_S`."""
        self._is_touched = True
        self._calm_until = self.clock() + CALM_S

    def release_order(self) -> None:
        """Let the order change at once: the user asked for it."""
        self._calm_until = 0.0

    def arrange(self, moment: Moment) -> list[Line]:
        """Filter, order and group a moment's workloads; keep the cursor on its workload."""
        shown_readings = [reading for reading in moment.readings.values() if self._is_shown(reading)]
        self.hidden = len(moment.readings) - len(shown_readings)
        self.marks.intersection_update(moment.readings)
        self.host = Line(moment.host.workload.name, moment.host)
        previous_lines = self.lines
        if not self._is_touched:
            self.cursor = None
        ordered = self._hold(shown_readings) if self.clock() < self._calm_until else self._order(shown_readings)
        self.lines = (
            self._grouped(ordered) if self.is_tree else [Line(reading.workload.name, reading) for reading in ordered]
        )
        self._keep_cursor(previous_lines)
        return self.lines

    def index(self) -> int:
        """Return the line of the cursor's workload; 0 if it has none, `HOST_INDEX` on the host."""
        if self.is_on_host:
            return HOST_INDEX
        if self._index >= len(self.lines) or self.lines[self._index].id != self.cursor:
            self._index = next((index for index, line in enumerate(self.lines) if line.id == self.cursor), 0)
        return self._index

    def current(self) -> Line | None:
        """Return the line under the cursor."""
        if self.is_on_host:
            return self.host
        return self.lines[self.index()] if self.lines else None

    def move_to(self, index: int) -> None:
        """Put the cursor on a line; the index is clamped to the table, in which `HOST_INDEX` is the host's line."""
        if index < 0 and self.host is not None:
            self.cursor = self.host.id
            self.moved()
        elif self.lines:
            self.cursor = self.lines[max(0, min(index, len(self.lines) - 1))].id
            self.moved()

    @property
    def is_on_host(self) -> bool:
        """Whether the cursor is on the host's line."""
        return self.host is not None and self.cursor == self.host.id

    def _is_shown(self, reading: Reading) -> bool:
        workload = reading.workload
        if self.only is not None and workload.kind is not self.only:
            return False
        if not self.show_all and workload.state not in ACTIVE:
            return False
        return self.query is None or self.query.matches(reading)

    def _order(self, readings: list[Reading]) -> list[Reading]:
        by_name = self._by_name(readings)
        if self.sort in _TEXT_ORDERS:
            return sorted(by_name, key=_TEXT_ORDERS[self.sort], reverse=self.is_reversed)
        key = self.cpu_key() if self.sort == "cpu_percent" else self.sort
        values = [(reading.value(key), reading) for reading in by_name]
        present = [pair for pair in values if pair[0] is not None]
        absent = [reading for value, reading in values if value is None]
        present.sort(key=itemgetter(0), reverse=not self.is_reversed)
        return [reading for _, reading in present] + absent

    def _by_name(self, readings: list[Reading]) -> list[Reading]:
        """Order by name. The last order is reused while the workloads stay the same, as on most ticks."""
        workloads = [reading.workload for reading in readings]
        names, identities = [workload.name for workload in workloads], [workload.id for workload in workloads]
        if (names, identities) != self._named_workloads:
            keys = [(name.casefold(), identity) for name, identity in zip(names, identities, strict=True)]
            self._named_workloads = names, identities
            self._name_order = sorted(range(len(keys)), key=keys.__getitem__)
        return [readings[index] for index in self._name_order]

    def _hold(self, readings: list[Reading]) -> list[Reading]:
        """Keep the order of the lines shown, and of the members of folded groups; new workloads come last."""
        positions: dict[WorkloadId, tuple[int, int]] = {}
        for index, line in enumerate(self.lines):
            positions |= {member.workload.id: (index, member_index) for member_index, member in enumerate(line.members)}
            positions[line.id] = index, 0
        last = len(self.lines), 0
        return sorted(readings, key=lambda reading: positions.get(reading.workload.id, last))

    def _grouped(self, ordered: list[Reading]) -> list[Line]:
        groups: dict[str, list[Reading]] = {}
        for reading in ordered:
            groups.setdefault(group_of(reading), []).append(reading)
        lines: list[Line] = []
        for name, members in groups.items():
            lines.append(Line(name, None, tuple(members)))
            if name not in self.folded:
                lines.extend(Line(member.workload.name, member, depth=1) for member in members)
        return lines

    def _keep_cursor(self, previous_lines: list[Line]) -> None:
        """Leave the cursor on its workload; if that is gone, take the line that was nearest below, then above."""
        if not self.lines or self.is_on_host:
            return
        if self.cursor is None:
            self.cursor = self.lines[0].id
            return
        if self.lines[self.index()].id == self.cursor:
            return
        indices = {line.id: index for index, line in enumerate(previous_lines)}
        if self.cursor not in indices:
            self.cursor = self.lines[0].id
            return
        shown_ids, index = {line.id for line in self.lines}, indices[self.cursor]
        neighbours = previous_lines[index + 1 :] + previous_lines[:index][::-1]
        self.cursor = next((line.id for line in neighbours if line.id in shown_ids), self.lines[0].id)


_TEXT_ORDERS: dict[str, Callable[[Reading], str | float]] = {
    "name": lambda reading: reading.workload.name.casefold(),
    "kind": lambda reading: reading.workload.kind,
    "state": lambda reading: reading.workload.state,
    "uptime": lambda reading: reading.workload.started_at or float("inf"),
}
SORTS: tuple[str, ...] = (*METRICS, *_TEXT_ORDERS)
"""All that the table can be ordered by."""


def group_of(reading: Reading) -> str:
    """Return a workload's group in the tree: compose project, pod or slice, else its kind."""
    workload = reading.workload
    if workload.project:
        return workload.project
    return {Kind.VM: "virtual machines", Kind.CONTAINER: "containers", Kind.SERVICE: "services"}[workload.kind]
