"""What `vmtop list` prints: rows chosen and sorted, as an aligned table, CSV or JSON text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from collectors.analysis.rates import Moment, Reading
from collectors.json_document import describe, document, number, timestamp
from collectors.model.metrics import METRICS
from collectors.model.workloads import Workload
from collectors.query.filter import Query, sort_key
from tui.presenters.formatting import fit, state_text, text

_FACTS: dict[str, Callable[[Reading], str]] = {
    "NAME": lambda reading: reading.workload.name,
    "KIND": lambda reading: reading.workload.kind,
    "ENGINE": lambda reading: reading.workload.id.engine,
    "STATE": lambda reading: _state(reading.workload),
}
_SHOWN = tuple(key for key, metric in METRICS.items() if metric.is_default)
_RANKS = {"ENGINE": 0, "STATE": 45, "KIND": 90} | {METRICS[key].label: METRICS[key].keep for key in _SHOWN}
_STAYS = 95
"""Columns of at least this rank never give way."""
_GIVES_WAY = tuple(sorted((label for label, rank in _RANKS.items() if rank < _STAYS), key=_RANKS.__getitem__))
"""Columns that go first when the terminal is narrow."""
_NAME_LEAST, _NAME_MOST = 12, 60
_NUMBER_WIDTH = 5
_CSV_FACTS = ("id", "name", "kind", "engine", "state", "image", "project", "health", "ports", "cgroup", "started_at")


def _state(workload: Workload) -> str:
    """Return the state, with the reason where a user has to act in another way because of it."""
    return state_text(workload) if workload.is_faulted or workload.state_reason == "saved" else workload.state.value


@dataclass(frozen=True, slots=True)
class Choice:
    """Which workloads to list, and in which order."""

    query: Query | None = None
    only: str | None = None
    """A kind; `None` lists every kind."""
    include_stopped: bool = True
    sort: str = "cpu"
    limit: int | None = None

    @property
    def kinds(self) -> frozenset[str] | None:
        """The kinds that it lists; `None` if it leaves out no kind."""
        asked = None if self.query is None else self.query.kinds
        if self.only is None:
            return asked
        return frozenset({self.only}) if asked is None else asked & {self.only}


def choose(moment: Moment, choice: Choice) -> tuple[list[Reading], int]:
    """Return the chosen workloads in order, and how many were left out only because they are stopped."""
    matching = [
        reading
        for reading in moment.readings.values()
        if choice.only in (None, reading.workload.kind) and (choice.query is None or choice.query.matches(reading))
    ]
    active = [reading for reading in matching if choice.include_stopped or reading.workload.state.is_active]
    return sorted(active, key=sort_key(choice.sort))[: choice.limit], len(matching) - len(active)


def table(readings: Sequence[Reading], width: int | None = None) -> str:
    """Return an aligned table. Where a terminal's width is given, columns give way and the name is cut to fit it."""
    columns = {label: [label, *(fact(reading) for reading in readings)] for label, fact in _FACTS.items()} | {
        METRICS[key].label: _numbers(key, readings) for key in _SHOWN
    }
    widths = {label: max(cell_len(cell) for cell in cells) for label, cells in columns.items()}
    widths["NAME"] = min(widths["NAME"], _NAME_MOST)
    if width is not None:
        _narrow(columns, widths, width)
    lines = zip(*(_pad(cells, label, widths[label]) for label, cells in columns.items()), strict=True)
    return "".join(" ".join(line).rstrip() + "\n" for line in lines)


def _numbers(key: str, readings: Sequence[Reading]) -> list[str]:
    metric = METRICS[key]
    return [metric.label, *(text(reading.value(key), metric.unit, _NUMBER_WIDTH).strip() for reading in readings)]


def _pad(cells: Sequence[str], label: str, width: int) -> list[str]:
    if label in _FACTS:
        return [fit(cell, width) for cell in cells]
    return [cell.rjust(width) for cell in cells]


def _narrow(columns: dict[str, list[str]], widths: dict[str, int], width: int) -> None:
    """Drop columns until the name has some room, then give it what is left."""
    least_name_width = min(widths["NAME"], _NAME_LEAST)
    for label in _GIVES_WAY:
        if _taken(columns, widths) + least_name_width <= width:
            break
        del columns[label]
    widths["NAME"] = max(1, min(widths["NAME"], width - _taken(columns, widths)))


def _taken(columns: dict[str, list[str]], widths: dict[str, int]) -> int:
    return sum(widths[label] + 1 for label in columns if label != "NAME")


def as_csv(moment: Moment, readings: Sequence[Reading]) -> str:
    """Return a header and a line for each workload: its facts, then every metric; absent values are empty."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(["time", *_CSV_FACTS, *METRICS])
    for reading in readings:
        facts = describe(reading)
        values = [number(metric, reading.value(key)) for key, metric in METRICS.items()]
        writer.writerow([timestamp(moment.frame.wall), *(facts[fact] for fact in _CSV_FACTS), *values])
    return output.getvalue()


def as_json(moment: Moment, readings: Sequence[Reading], schema: str, indent: int | None) -> str:
    """Return a moment as the text of a JSON document."""
    return json.dumps(document(moment, readings, schema), indent=indent, allow_nan=False) + "\n"
