"""What `vmtop list` prints: rows chosen and sorted, as an aligned table, CSV, JSON text or names."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from collectors.actions.targets import names_of
from collectors.analysis.rates import Moment, Reading
from collectors.json_document import describe, document, is_other_host, number, timestamp
from collectors.model.metrics import METRICS
from collectors.model.workloads import Workload, WorkloadId
from collectors.query.filter import Query
from collectors.query.order import SortKey, sort_key
from tui.presenters.formatting import fit
from tui.presenters.reports.list_columns import DEFAULT, FACTS, HOST, ListColumn

_RANKS = {"engine": 0, "state": 45, "kind": 90}
_STAYS = 95
"""Columns of at least this rank never give way."""


def _rank(column: ListColumn) -> int:
    return METRICS[column.key].keep if column.is_metric else _RANKS.get(column.key, _STAYS)


_GIVES_WAY = tuple(
    sorted(
        (column for column in DEFAULT if _rank(column) < _STAYS),
        key=lambda column: _rank(column),
    )
)
"""Columns that go first when the terminal is narrow."""
_PLAIN = re.compile(r"[A-Za-z0-9_.@][A-Za-z0-9_.@+-]*")
"""Names that neither a shell, xargs nor a command reads as something else."""
_NAME_LEAST, _NAME_MOST = 12, 60
_CSV_FACTS = ("id", "name", "kind", "engine", "state", "image", "project", "health", "ports", "cgroup", "started_at")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which workloads to list, and in which order."""

    query: Query | None = None
    only: str | None = None
    """A kind; `None` lists every kind."""
    include_stopped: bool = True
    sort: str = "cpu"
    is_sort_asked: bool = False
    """Whether somebody chose the order, rather than the default."""
    limit: int | None = None
    is_reversed: bool = False
    names: tuple[str, ...] = ()
    """Names and patterns as they were typed; the workloads that they mean are in `choose`'s `named`."""
    includes_sandboxes: bool = False
    """Whether to list the sandboxes of pods, which have no row on the screen."""
    columns: tuple[ListColumn, ...] = ()
    """The columns that were asked for; empty are those that are shown by default."""

    @property
    def kinds(self) -> frozenset[str] | None:
        """The kinds that it lists; `None` if it leaves out no kind."""
        asked = None if self.query is None else self.query.kinds
        if self.only is None:
            return asked
        return frozenset({self.only}) if asked is None else asked & {self.only}

    @property
    def asks_text(self) -> bool:
        """Whether it asks for a text that only an engine may know, such as a name."""
        return bool(self.names) or (self.query is not None and self.query.asks_text)


def choose(moment: Moment, choice: Choice, named: Collection[WorkloadId] | None = None) -> tuple[list[Reading], int]:
    """Return the chosen workloads in order, and how many were left out only because they are stopped.

    Args:
        moment: What to choose from.
        choice: Which ones.
        named: The workloads that were named, of which stopped ones are listed too; `None` if none was.
    """
    matching = [
        reading
        for identity, reading in moment.readings.items()
        if not is_other_host(reading, moment)
        and choice.only in (None, reading.workload.kind)
        and (choice.includes_sandboxes or named is not None or not reading.is_folded)
        and (choice.query is None or choice.query.matches(reading))
        and (named is None or identity in named)
    ]
    includes_stopped = choice.include_stopped or named is not None
    active = [reading for reading in matching if includes_stopped or reading.workload.state.is_active]
    return _ordered(active, sort_key(choice.sort), choice.is_reversed)[: choice.limit], len(matching) - len(active)


def _ordered(readings: Sequence[Reading], key: Callable[[Reading], SortKey], is_reversed: bool) -> list[Reading]:
    """Sort; rows without a value stay last in either direction."""
    ordered = sorted(readings, key=key)
    if not is_reversed:
        return ordered
    present = [reading for reading in ordered if not key(reading).is_missing]
    return [*reversed(present), *(reading for reading in ordered if key(reading).is_missing)]


def table(
    readings: Sequence[Reading],
    width: int | None = None,
    columns: Sequence[ListColumn] = (),
    has_header: bool = True,
    has_hosts: bool = False,
) -> str:
    """Return an aligned table.

    Args:
        readings: The rows.
        width: Columns of the terminal: columns of the table give way and the name is cut to fit it. `None` is no limit.
        columns: What to show, of which nothing gives way; empty is what is shown by default.
        has_header: Whether the first line has the names of the columns.
        has_hosts: Whether the default columns begin with the host.
    """
    cells = {
        column: [*([column.label] if has_header else []), *(column.cell(reading) for reading in readings)]
        for column in columns or ((HOST, *DEFAULT) if has_hosts else DEFAULT)
    }
    widths = {column: max(map(cell_len, texts), default=0) for column, texts in cells.items()}
    name = ListColumn("name")
    if name in widths and not columns:
        widths[name] = min(widths[name], _NAME_MOST)
        if width is not None:
            _narrow(cells, widths, width)
    lines = zip(*(_pad(texts, column, widths[column]) for column, texts in cells.items()), strict=True)
    return "".join(" ".join(line).rstrip() + "\n" for line in lines)


def _pad(texts: Sequence[str], column: ListColumn, width: int) -> list[str]:
    return [text.rjust(width) if column.is_metric else fit(text, width) for text in texts]


def _narrow(cells: dict[ListColumn, list[str]], widths: dict[ListColumn, int], width: int) -> None:
    """Drop columns until the name has some room, then give it what is left."""
    name = ListColumn("name")
    least_name_width = min(widths[name], _NAME_LEAST)
    for column in _GIVES_WAY:
        if _taken(cells, widths) + least_name_width <= width:
            break
        del cells[column]
    widths[name] = max(1, min(widths[name], width - _taken(cells, widths)))


def _taken(cells: dict[ListColumn, list[str]], widths: dict[ListColumn, int]) -> int:
    return sum(widths[column] + 1 for column in cells if column.key != "name")


def as_names(moment: Moment, readings: Sequence[Reading]) -> str:
    """Return on each line what commands take as the workload's name, without anything that xargs would interpret.

    That is the id where the name is not known, not unique, or not plain.
    """
    counts = Counter(name for reading in moment.readings.values() for name in names_of(reading.workload))
    return "".join(f"{plain_target(reading.workload, counts)}\n" for reading in readings)


def plain_target(workload: Workload, counts: Mapping[str, int]) -> str:
    """Return what commands take as a workload's name: the id where the name is not known, not unique, or not plain.

    Args:
        workload: The workload.
        counts: How many workloads have each name.
    """
    name = workload.name
    is_plain = workload.name_is_known and _PLAIN.fullmatch(name) and counts[name] == 1
    return name if is_plain else workload.id.id


def as_csv(
    moment: Moment, readings: Sequence[Reading], columns: Sequence[ListColumn] = (), has_header: bool = True
) -> str:
    """Return a header and a line for each workload; absent values are empty.

    Without `columns`: its facts, then every metric.
    """
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    names = [column.key for column in columns] or [*_CSV_FACTS, *METRICS]
    if moment.frame.hosts and not columns:
        names.insert(0, HOST.key)
    if has_header:
        writer.writerow(["time", *names])
    for reading in readings:
        facts = describe(reading)
        values = [
            number(METRICS[name], reading.value(name))
            if name in METRICS
            else facts[name]
            if name in _CSV_FACTS
            else FACTS[name](reading.workload)
            for name in names
        ]
        writer.writerow([timestamp(moment.frame.wall), *values])
    return output.getvalue()


def as_json(
    moment: Moment,
    readings: Sequence[Reading],
    schema: str,
    indent: int | None,
    explain: Callable[[str, Reading], str] | None = None,
) -> str:
    """Return a moment as the text of a JSON document; `explain` says why a metric of a workload is null."""
    return json.dumps(document(moment, readings, schema, explain), indent=indent, allow_nan=False) + "\n"
