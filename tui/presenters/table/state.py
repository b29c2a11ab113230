"""What the user has chosen: order, filter, marks, the workload under the cursor. No Textual.

`TableState.arrange` turns a moment into the lines of the table. Everything is bound to identities, not to row numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import is_

import msgspec

from collectors.analysis.history import History
from collectors.analysis.rates import Moment, Reading
from collectors.analysis.state_log import StateLog
from collectors.model.metrics import METRICS
from collectors.model.workloads import ACTIVE, Kind, State, Workload, WorkloadId
from collectors.query.filter import Query
from tui.presenters.main_screen.calm_order import STEPS, ByName, CalmOrder, Smoothing, by_identity
from tui.presenters.main_screen.resting_rows import stays
from tui.presenters.table.host_rows import fleet_line, lines_of_hosts
from tui.presenters.table.line import Line, PlainLines, ids_of

HOST_INDEX = -1
"""The index of the host's line."""
_LASTING_S = 2.0
"""A load that is above its mean for this long counts at once: a newcomer to the top is not hidden by its past."""


class Scale(StrEnum):
    """What 100 % CPU means in the table."""

    CORE = "core"
    HOST = "host"
    LIMIT = "limit"


@dataclass(slots=True)
class TableState:
    """The user's choices, and the lines that follow from them."""

    sort: str = "cpu_percent"
    """A metric's key, or `name`, `kind`, `state`, `uptime`."""
    is_reversed: bool = False
    smoothing: Smoothing = Smoothing.TEN_SECONDS
    """Rows are ordered by the mean of a metric over this time."""
    query: Query | None = None
    query_text: str = ""
    only: Kind | None = None
    show_all: bool = False
    is_tree: bool = False
    scale: Scale = Scale.CORE
    follow: bool = False
    is_frozen: bool = False
    marks: set[WorkloadId] = field(default_factory=set)
    acted_on: frozenset[WorkloadId] = frozenset()
    """Workloads with an action in progress: they stay in the table whatever becomes of them."""
    looked_at: dict[WorkloadId, float] = field(default_factory=dict)
    """Workloads that the user has looked at, with the wall time of the moment that was shown."""
    folded: set[str] = field(default_factory=set)
    """Groups whose members are not shown."""
    opened: set[str] = field(default_factory=set)
    """Hosts, by the labels of their lines, whose workloads are shown below them; those of the others are not."""
    alone: str | None = None
    """The only host to look at, as in `WorkloadId.host`; `None` for all."""
    cursor: WorkloadId | None = None
    clock: Callable[[], float] = time.monotonic
    lines: Sequence[Line] = ()
    host: Line | None = None
    """The host, or all of them together, above all lines: no filter hides it, and no order moves it."""
    shown: int = 0
    """Workloads that are shown, those of folded groups too."""
    hidden: int = 0
    """Workloads that exist but are not shown."""
    filtered_out: int = 0
    """Those of them that would be shown without the filter, and with every kind."""
    _workloads: list[Workload] = field(default_factory=list)
    """Those that were shown last."""
    _names: list[tuple[str, WorkloadId]] = field(default_factory=list)
    """Their names and identities."""
    _name_order: list[int] = field(default_factory=list)
    """Their order by name, as indices into `_names`."""
    _ids_by_name: list[WorkloadId] = field(default_factory=list)
    """Their identities in that order."""
    _index: int = 0
    """The last known index of the cursor's line."""
    _arranged_by: tuple[object, ...] = ()
    """The choices that the last order was made with."""
    _calm: CalmOrder = field(init=False)
    _calm_hosts: CalmOrder = field(init=False)
    _is_touched: bool = False
    """Until the first movement the cursor stays on the top line, whichever workload that is."""

    def __post_init__(self) -> None:
        self._calm, self._calm_hosts = CalmOrder(lambda: self.clock()), CalmOrder(lambda: self.clock())

    @property
    def is_held(self) -> bool:
        """Whether the order is fixed for a moment, because of a key or the mouse."""
        return self._calm.is_held

    @property
    def order_span(self) -> str:
        """The time over which values are averaged for the order, for the heading; empty if they are not."""
        return "" if self.sort in _TEXT_ORDERS or not self.smoothing.seconds else self.smoothing.value

    def metric(self) -> str | None:
        """The metric that rows are ordered by; `None` for a text."""
        return None if self.sort in _TEXT_ORDERS else self.cpu_key() if self.sort == "cpu_percent" else self.sort

    def cpu_key(self) -> str:
        """The metric behind the CPU column on the chosen scale."""
        return "cpu_of_limit_percent" if self.scale is Scale.LIMIT else "cpu_percent"

    def hold_order(self) -> None:
        """Keep every row where it is for a moment: the user is aiming at one."""
        self._calm.hold()
        self._calm_hosts.hold()

    def moved(self) -> None:
        """Note a movement key: the order is held."""
        self._is_touched = True
        self.hold_order()

    def release_order(self) -> None:
        """Let the order change at once: the user asked for it."""
        self._calm.release()
        self._calm_hosts.release()

    def arrange(self, moment: Moment, history: History | None = None, states: StateLog | None = None) -> Sequence[Line]:
        """Filter, order and group a moment's workloads; keep the cursor on its workload.

        Args:
            moment: What to show, of all hosts or of one.
            history: The recent past, for the order by a mean; without it the order is by the moment's values.
            states: The changes of state, by which those that have just ended stay.
        """
        readings = [
            reading
            for reading in self._with_vanished(moment)
            if not (reading.workload.is_sandbox and reading.is_folded)
            and not (moment.hosts and reading.workload.is_host)
        ]
        in_view = readings if self.show_all else self._in_view(readings, moment.frame.wall, states)
        is_filtered = self.only is not None or self.query is not None
        shown_readings = [reading for reading in in_view if self._passes(reading)] if is_filtered else in_view
        self.shown = len(shown_readings)
        self.hidden, self.filtered_out = len(readings) - len(shown_readings), len(in_view) - len(shown_readings)
        self.marks -= {mark for mark in self.marks if mark not in moment.readings and mark not in self.acted_on}
        self.host = fleet_line(moment) if moment.hosts else Line(moment.host.workload.name, moment.host)
        previous_lines = self.lines
        if not self._is_touched:
            self.cursor = None
        ordered = self._order(self._by_name(shown_readings), moment, history)
        self.lines = self._lines(ordered, moment, history)
        self._keep_cursor(previous_lines)
        return self.lines

    def _lines(self, ordered: list[Reading], moment: Moment, history: History | None) -> Sequence[Line]:
        if moment.hosts:
            hosts = self._order_hosts(moment, history)
            return lines_of_hosts(moment, ordered, hosts, self)
        if self.is_tree:
            return self._grouped(ordered, _sandboxes(moment))
        return PlainLines(ordered)

    def is_folded(self, line: Line) -> bool:
        """Return whether the members of a group are not shown."""
        return line.label not in self.opened if line.contact is not None else line.label in self.folded

    def fold(self, line: Line) -> None:
        """Hide the members of a group, or show them again."""
        (self.opened if line.contact is not None else self.folded).symmetric_difference_update({line.label})

    def index(self) -> int:
        """Return the line of the cursor's workload; 0 if it has none, `HOST_INDEX` on the host."""
        if self.is_on_host:
            return HOST_INDEX
        if self._index >= len(self.lines) or self.lines[self._index].id != self.cursor:
            self._index = next(
                (index for index, identity in enumerate(ids_of(self.lines)) if identity == self.cursor), 0
            )
        return self._index

    def current(self) -> Line | None:
        """Return the line under the cursor."""
        if self.is_on_host:
            return self.host
        return self.lines[self.index()] if self.lines else None

    def chosen(self, readings: Mapping[WorkloadId, Reading]) -> list[Workload]:
        """Return the marked workloads, else the one or the group under the cursor, as far as they have readings.

        A line of a host means none of its workloads: they are too many to be meant.
        """
        line = self.current()
        if line is None or line.is_of_hosts:
            return [reading.workload for identity, reading in readings.items() if identity in self.marks]
        under_cursor = {line.id, *(member.workload.id for member in line.members)}
        chosen = self.marks or under_cursor
        return [reading.workload for identity, reading in readings.items() if identity in chosen]

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

    def _with_vanished(self, moment: Moment) -> list[Reading]:
        """Return all workloads, with those that are gone while an action on them is in progress: they may come back."""
        vanished = self.acted_on - moment.readings.keys()
        return [
            *moment.readings.values(),
            *(
                Reading(msgspec.structs.replace(line.reading.workload, state=State.STOPPED), ())
                for line in (self.lines if vanished else ())
                if line.reading is not None and line.id in vanished
            ),
        ]

    def _passes(self, reading: Reading) -> bool:
        """Return whether a workload is of the chosen kind and matches the filter."""
        if self.only is not None and reading.workload.kind is not self.only:
            return False
        return self.query is None or self.query.matches(reading)

    def _in_view(self, readings: list[Reading], wall: float, states: StateLog | None) -> list[Reading]:
        """Return the workloads that are running, or are shown although they are not."""
        return [
            reading
            for reading in readings
            if reading.workload.state in ACTIVE or self._rests_here(reading, wall, states)
        ]

    def _rests_here(self, reading: Reading, wall: float, states: StateLog | None) -> bool:
        """Return whether a workload at rest is shown although those are hidden."""
        identity = reading.workload.id
        if identity in self.marks or identity in self.acted_on or (self._is_touched and identity == self.cursor):
            return True
        ended_at = None if states is None else states.changed_at(identity, wall)
        if ended_at is None:
            return False
        return stays(reading.workload, wall - ended_at, self.looked_at.get(identity, 0.0) >= ended_at)

    def _order(self, by_name: ByName, moment: Moment, history: History | None) -> list[Reading]:
        if self._has_new_choices():
            self.release_order()
        if self._calm.is_held:
            return self._calm.held(by_name)
        return self._ordered(self._calm, by_name, moment, history)

    def _order_hosts(self, moment: Moment, history: History | None) -> list[Reading]:
        """Return the hosts' own readings in their order, which is that of the workloads."""
        hosts = self._calm_hosts
        readings = [host.reading for _, host in sorted(moment.hosts.items()) if host.reading is not None]
        by_name = by_identity(readings)
        if hosts.is_held:
            return hosts.held(by_name)
        return self._ordered(hosts, by_name, moment, history) if self.metric() is not None else hosts.take(readings)

    def _has_new_choices(self) -> bool:
        """Return whether the user has chosen something since the last order that another one follows from."""
        choices = (
            *(self.sort, self.is_reversed, self.smoothing, self.scale, self.is_tree),
            *(self.query_text, self.only, self.show_all, self.alone),
        )
        is_new, self._arranged_by = choices != self._arranged_by, choices
        return is_new

    def _ordered(self, calm: CalmOrder, by_name: ByName, moment: Moment, history: History | None) -> list[Reading]:
        metric = self.metric()
        if metric is None:
            by_text = sorted(by_name.rows, key=_TEXT_ORDERS[self.sort], reverse=self.is_reversed)
            return calm.take(by_text)
        if self.smoothing is Smoothing.NOW:
            calm.release()
        step = STEPS[METRICS[metric].unit]
        return calm.by_value(by_name, self._values_of(metric, moment, history), step, self.is_reversed)

    def _values_of(
        self, metric: str, moment: Moment, history: History | None
    ) -> Callable[[Sequence[Reading]], list[float | None]]:
        """Return the function that gives the values by which workloads are ordered."""
        if history is None or self.smoothing is Smoothing.NOW:
            return lambda readings: [reading.value(metric) for reading in readings]
        interval_s = moment.frame.interval_s or 1.0
        count = max(1, round(self.smoothing.seconds / interval_s))
        newest = min(count, max(1, round(_LASTING_S / interval_s))) if self.smoothing is Smoothing.TEN_SECONDS else 0

        def value(reading: Reading, mean: float | None) -> float | None:
            if reading.workload.state in ACTIVE:
                return reading.value(metric) if mean is None else mean
            past = history.last_known(reading.workload.id, metric, count)  # it stays where it was
            return sum(past) / len(past) if past else None

        def values(readings: Sequence[Reading]) -> list[float | None]:
            means = history.lasting([reading.workload.id for reading in readings], metric, count, newest)
            return [
                mean if mean is not None and reading.workload.state in ACTIVE else value(reading, mean)
                for reading, mean in zip(readings, means, strict=True)
            ]

        return values

    def _by_name(self, readings: list[Reading]) -> ByName:
        """Order by name. The last order is reused while the workloads stay the same, as on most ticks."""
        workloads = [reading.workload for reading in readings]
        if len(workloads) != len(self._workloads) or not all(map(is_, workloads, self._workloads)):
            names = [(workload.name, workload.id) for workload in workloads]
            if names != self._names:
                keys = [(name.casefold(), identity) for name, identity in names]
                self._name_order = sorted(range(len(keys)), key=keys.__getitem__)
                self._names, self._ids_by_name = names, [names[index][1] for index in self._name_order]
        self._workloads = workloads
        return ByName([readings[index] for index in self._name_order], self._ids_by_name)

    def _grouped(self, ordered: list[Reading], sandboxes: Mapping[str, tuple[Reading, ...]]) -> list[Line]:
        groups: dict[str, list[Reading]] = {}
        for reading in ordered:
            groups.setdefault(group_of(reading), []).append(reading)
        lines: list[Line] = []
        for name, members in groups.items():
            lines.append(Line(name, None, tuple(members), sandboxes=sandboxes.get(name, ())))
            if name not in self.folded:
                lines.extend(Line(_name_within(member.workload.name, name), member, depth=1) for member in members)
        return lines

    def _keep_cursor(self, previous_lines: Sequence[Line]) -> None:
        """Leave the cursor on its workload; if that is gone, take the line that was nearest below, then above."""
        if not self.lines or self.is_on_host:
            return
        if self.cursor is None:
            self.cursor = self.lines[0].id
            return
        if self.lines[self.index()].id == self.cursor:
            return
        previous = ids_of(previous_lines)
        if self.cursor not in previous:
            self.cursor = self.lines[0].id
            return
        shown, index = set(ids_of(self.lines)), previous.index(self.cursor)
        neighbours = previous[index + 1 :] + previous[:index][::-1]
        self.cursor = next((identity for identity in neighbours if identity in shown), self.lines[0].id)


def _name_within(name: str, group: str) -> str:
    """Return a member's name in its group: that of a container in a pod need not name the pod again."""
    return name.removeprefix(f"{group.rpartition('/')[2]}/")


def _sandboxes(moment: Moment) -> dict[str, tuple[Reading, ...]]:
    """Return the running sandboxes by the group whose numbers they are part of."""
    found: dict[str, tuple[Reading, ...]] = {}
    for reading in moment.readings.values():
        if reading.is_folded and reading.workload.state in ACTIVE:
            found[group_of(reading)] = (*found.get(group_of(reading), ()), reading)
    return found


_TEXT_ORDERS: dict[str, Callable[[Reading], str | float]] = {
    "host": lambda reading: reading.workload.host_name.casefold(),
    "name": lambda reading: reading.workload.name.casefold(),
    "kind": lambda reading: reading.workload.kind,
    "state": lambda reading: reading.workload.state,
    "uptime": lambda reading: reading.workload.started_at or float("inf"),
    "project": lambda reading: (reading.workload.project or "\U0010ffff").casefold(),
    "image": lambda reading: (reading.workload.image or "\U0010ffff").casefold(),
    "engine": lambda reading: reading.workload.id.engine,
    "restarts": lambda reading: -(reading.workload.restarts or 0),
    "exit": lambda reading: -abs(reading.workload.exit_code or 0),
}
SORTS: tuple[str, ...] = (*METRICS, *_TEXT_ORDERS)
"""All that the table can be ordered by."""


def group_of(reading: Reading) -> str:
    """Return a workload's group in the tree: compose project, pod or slice, else its kind."""
    workload = reading.workload
    if workload.project:
        return workload.project
    names = {Kind.VM: "virtual machines", Kind.CONTAINER: "containers", Kind.SERVICE: "services", Kind.HOST: "hosts"}
    return names[workload.kind]
