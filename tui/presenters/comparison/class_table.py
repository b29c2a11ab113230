"""Bare metal, machines and containers as a table: one short value a cell, and who does best. Plain, no Textual."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from statistics import median
from typing import NamedTuple

from rich.cells import cell_len

from collectors.comparison.findings import Finding
from collectors.comparison.workload_classes import CLASSES, Classes, Density
from collectors.model.facts import ROWS, Fact, unknown
from collectors.model.metrics import Unit
from collectors.model.workloads import Kind, Workload
from tui.presenters.formatting import fit, text
from tui.presenters.styled_lines import Line, Run

NAMES = {Kind.SERVICE: "bare metal", Kind.VM: "machines", Kind.CONTAINER: "containers"}
TONES = {kind: f"kind-{kind}" for kind in CLASSES}
_SHORT = {Kind.SERVICE: "bare", Kind.VM: "vm", Kind.CONTAINER: "ct"}
CELL = 15
"""Most cells of a value."""
LABEL_WIDTH = 20
_BEST_WIDTH = 12
_WIDEST = 26
_EQUAL = 0.01
"""Medians that differ by less than this share do equally well."""
_MEDIAN_FROM = 3
"""A class of fewer workloads shows its values, and no median."""

Values = list[tuple[Workload, Fact]]


class RowType(NamedTuple):
    """One row of the page."""

    name: str
    group: str
    key: str
    """Of the fact that it shows; several rows may show one."""
    definition: str
    unit: Unit | None = None
    """`None` for text."""
    is_less_better: bool = False
    short: Callable[[str, Kind], str] | None = None
    """Makes a text short; of a number, nothing does."""


class Cell(NamedTuple):
    """What a class has in a row."""

    text: str
    number: float | None
    """What classes are compared by: a median; `None` for text, and where nothing is known."""


class ClassRow(NamedTuple):
    """A row with its values."""

    type: RowType
    values: dict[Kind, Values]
    cells: dict[Kind, Cell]
    best: str
    """Who does best; empty where that makes no sense, or where fewer than two classes are known."""

    @property
    def is_different(self) -> bool:
        """Whether the classes differ in it, as far as they are known."""
        return len({cell.text for cell in self.cells.values() if cell.text != "-"}) > 1


def _boundary(value: str, kind: Kind) -> str:
    virtual = re.match(r"(hardware|emulated) \((\w+)", value)
    if virtual is not None:
        return f"{virtual[1]} ({virtual[2].upper()})"
    if value.startswith("no virtualisation"):
        return "none (LXC)"
    own = re.search(r"(?:^|, )own ([a-z ]+)", value)
    if own is not None or "no namespace of its own" in value:
        return f"namespaces: {len(own[1].split()) if own is not None else 0}"
    return value


def _system(value: str, kind: Kind) -> str:
    if value.startswith("files of its image"):
        return "its image's"
    return re.sub(r"GNU/Linux | \(.*", "", value.partition(",")[0])


def _kernel(value: str, kind: Kind) -> str:
    return "its own" if kind is Kind.VM else "the host's"


_HELP = {row.key: row.help for row in ROWS}
_ISOLATION, _SPEED, _COST, _DENSITY = "ISOLATION", "SPEED", "COST", "DENSITY"
_RATE, _BYTES, _S, _SHARE = Unit.BYTES_PER_SECOND, Unit.BYTES, Unit.SECONDS, Unit.PERCENT
ROW_TYPES: tuple[RowType, ...] = (
    RowType("boundary", _ISOLATION, "isolation", _HELP["isolation"], short=_boundary),
    RowType("kernel", _ISOLATION, "system", "whose kernel its programs call", short=_kernel),
    RowType("privileged", _ISOLATION, "is_privileged", "how many may do on the host what root may"),
    RowType("system", _ISOLATION, "system", _HELP["system"], short=_system),
    RowType("start to running", _SPEED, "startup_running_seconds", _HELP["startup_running_seconds"], _S, True),
    RowType("start to ready", _SPEED, "startup_ready_seconds", _HELP["startup_ready_seconds"], _S, True),
    RowType("CPU overhead", _SPEED, "cpu_overhead_percent", _HELP["cpu_overhead_percent"], _SHARE, True),
    RowType("waiting for CPU", _SPEED, "waiting_percent", _HELP["waiting_percent"], _SHARE, True),
    RowType("disk, guest side", _SPEED, "disk_guest_bytes_per_second", _HELP["disk_guest_bytes_per_second"], _RATE),
    RowType("disk, host side", _SPEED, "disk_host_bytes_per_second", _HELP["disk_host_bytes_per_second"], _RATE),
    RowType("memory, host pays", _COST, "memory_host_bytes", _HELP["memory_host_bytes"], _BYTES, True),
    RowType("memory, inside", _COST, "memory_inside_bytes", _HELP["memory_inside_bytes"], _BYTES, True),
    RowType("memory overhead", _COST, "memory_overhead_bytes", _HELP["memory_overhead_bytes"], _BYTES, True),
    RowType("size on disk", _COST, "size_bytes", _HELP["size_bytes"], _BYTES, True),
    RowType("running", _DENSITY, "running", "workloads that run now"),
    RowType(
        "memory assigned", _DENSITY, "memory", "limits, or what is assigned, added up; and the share of the host's"
    ),
    RowType("cores assigned", _DENSITY, "cores", "CPU limits added up; above 100 % of the host is overcommitted"),
)
"""In their order; headings are the groups."""
_NOT_APPLICABLE = {
    Kind.SERVICE: "a service is not a container",
    Kind.VM: "a machine's boundary is its virtual hardware",
    Kind.CONTAINER: "its engine did not say so",
}


def rows_of(classes: Classes) -> list[ClassRow]:
    """Return every row with its values."""
    return [_row(row_type, classes) for row_type in ROW_TYPES]


def _row(row_type: RowType, classes: Classes) -> ClassRow:
    if row_type.group == _DENSITY:
        cells = {kind: _density(row_type.key, classes.density[kind], classes) for kind in CLASSES}
        return ClassRow(row_type, {kind: [] for kind in CLASSES}, cells, "")
    values = {kind: _values(row_type.key, classes, kind) for kind in CLASSES}
    cells = {kind: _cell(row_type, values[kind], kind) for kind in CLASSES}
    return ClassRow(row_type, values, cells, _best(cells, row_type.unit) if row_type.is_less_better else "")


def _values(key: str, classes: Classes, kind: Kind) -> Values:
    missing = unknown(_NOT_APPLICABLE[kind] if key == "is_privileged" else "no source provides it")
    return [(member.workload, member.facts.get(key, missing)) for member in classes.members[kind]]


def numbers_of(values: Values) -> list[float]:
    """Return the values that are numbers."""
    return [fact.value for _, fact in values if fact.value is not None and not isinstance(fact.value, str)]


def number_text(value: float, unit: Unit | None) -> str:
    """Return a number with what its unit adds: `3.8%`, `212M`, `501K/s`."""
    return text(value, unit or Unit.COUNT, 7).strip() + {Unit.PERCENT: "%", Unit.BYTES_PER_SECOND: "/s"}.get(unit, "")  # type: ignore[arg-type]


def _cell(row_type: RowType, values: Values, kind: Kind) -> Cell:
    numbers = numbers_of(values)
    if row_type.key == "is_privileged":
        return Cell(f"{sum(map(bool, numbers))} of {len(values)}" if numbers else "-", None)
    if row_type.unit is not None:
        if not numbers:
            return Cell("-", None)
        middle = median(numbers)
        both = ", ".join(number_text(value, row_type.unit) for value in sorted(numbers))
        is_few = 1 < len(numbers) < _MEDIAN_FROM and len(both) <= CELL
        return Cell(both if is_few else number_text(middle, row_type.unit), middle)
    texts = Counter(shortened(row_type, fact, kind) for _, fact in values if fact.value is not None)
    return Cell(fit(texts.most_common(1)[0][0], CELL).rstrip() if texts else "-", None)


def shortened(row_type: RowType, fact: Fact, kind: Kind) -> str:
    """Return the short form of a text."""
    value = str(fact.value)
    return row_type.short(value, kind) if row_type.short is not None else value


def _density(key: str, density: Density, classes: Classes) -> Cell:
    if key == "running":
        return Cell(str(density.total), None)
    amount, limits, host = (
        (density.memory_bytes, density.memory_of, classes.memory_bytes)
        if key == "memory"
        else (density.cores, density.cores_of, classes.cpus)
    )
    if not limits:
        return Cell("-", None)
    share = f"{amount / host * 100:>5.0f}%" if host else ""
    return Cell(f"{text(amount, Unit.BYTES if key == 'memory' else Unit.CORES, 7).strip()}{share}", None)


def _best(cells: dict[Kind, Cell], unit: Unit | None) -> str:
    """Return who does best; medians that look the same do equally well."""
    medians = {kind: cell.number for kind, cell in cells.items() if cell.number is not None}
    if len(medians) < 2:
        return ""
    least = min(medians.values())
    shown = number_text(least, unit)
    best = [
        kind
        for kind, number in medians.items()
        if number - least <= abs(least) * _EQUAL or number_text(number, unit) == shown
    ]
    if len(best) == len(medians):
        return "equal"
    return NAMES[best[0]] if len(best) == 1 else ", ".join(_SHORT[kind] for kind in best)


def _cell_width(width: int) -> int:
    return max(8, min(_WIDEST, (width - LABEL_WIDTH - _BEST_WIDTH - 1) // len(CLASSES)))


def heading(width: int) -> Line:
    """Return the line of the classes' names."""
    cell = _cell_width(width)
    runs: list[Run] = [(f"{' PER WORKLOAD':<{LABEL_WIDTH}}", "muted bold")]
    runs += [(f"{NAMES[kind].upper():>{cell}}", f"{TONES[kind]} bold") for kind in CLASSES]
    return [*runs, ("  BEST", "muted bold")]


def row_line(row: ClassRow, width: int) -> Line:
    """Return the line of a row."""
    cell = _cell_width(width)
    runs: list[Run] = [(f"  {fit(row.type.name, LABEL_WIDTH - 2)}", "text")]
    for kind in CLASSES:
        value = row.cells[kind].text
        shown = value if cell_len(value) < cell else fit(value, cell - 1).rstrip()
        runs.append((" " * (cell - cell_len(shown)) + shown, "muted" if value in ("-", "0") else "text"))
    return [*runs, (f"  {row.best}", "accent")]


def table_lines(rows: Sequence[ClassRow], width: int) -> tuple[list[Line], list[ClassRow | None]]:
    """Return the lines under the headings of their groups, and the row of each; `None` for a heading."""
    lines: list[Line] = []
    row_of_line: list[ClassRow | None] = []
    for group, members in groupby(rows, lambda row: row.type.group):
        lines.append([(f" {group}", "muted bold")])
        row_of_line.append(None)
        for row in members:
            lines.append(row_line(row, width))
            row_of_line.append(row)
    return lines, row_of_line


def finding_rows(findings: Sequence[Finding], width: int) -> tuple[list[Line], list[Finding | None]]:
    """Return a line for each finding under a heading, and the finding of each line."""
    if not findings:
        return [], []
    lines: list[Line] = [[(" FINDINGS", "muted bold")]]
    lines += [[(fit(f"  {finding.sentence}", max(1, width - 1)).rstrip(), "text")] for finding in findings]
    return lines, [None, *findings]
