"""Bare metal, virtual machines and containers next to each other: as plain text of 80 columns, and as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from collectors.comparison.findings import Finding
from collectors.comparison.workload_classes import CLASSES, Classes, rows_of
from collectors.json_document import digits_of
from collectors.model.facts import Fact, Row
from collectors.model.metrics import Unit
from collectors.model.workloads import Kind, Workload
from tui.presenters.compare import wrapped
from tui.presenters.formatting import fit, text

CLASSES_SCHEMA = "vmtop.classes/1"
_HEADINGS = {Kind.SERVICE: "bare metal", Kind.VM: "virtual machine", Kind.CONTAINER: "container"}
_MANY = {Kind.SERVICE: "services", Kind.VM: "virtual machines", Kind.CONTAINER: "containers"}
_LABEL, _WIDTH = 20, 80
_TOLD_OF_A_RULE = 3
_LINES = 5
"""Lines of one cell at most; the document has all."""

Values = list[tuple[Workload, Fact]]


class TableLine(NamedTuple):
    """One line of the table, and the row that it belongs to."""

    text: str
    row: Row | None = None


def table(classes: Classes, width: int = _WIDTH) -> list[TableLine]:
    """Return the table, then what is not measurable here and why, then the findings."""
    room = (width - _LABEL) // len(CLASSES)
    lines = [TableLine(" " * _LABEL + "".join(fit(_HEADINGS[kind], room) for kind in CLASSES))]
    reasons: dict[str, list[str]] = {}
    for row, values in rows_of(classes):
        cells = [_cell(row, values[kind], room - 1) for kind in CLASSES]
        lines += [TableLine(one, row) for one in _together(row.label, cells, room)]
        for kind in CLASSES:
            reasons.setdefault(_why(values[kind]), []).append(f"{row.label} of {_MANY[kind]}")
    density = [_density(classes, kind, room - 1) for kind in CLASSES]
    lines += [TableLine(one) for one in _together("density", density, room)]
    reasons.pop("", None)
    below = ["", "Not measurable here:"] if reasons else []
    for why, places in reasons.items():
        below += [f"  {line}" for line in wrapped(f"{', '.join(places)}: {why}", width - 4)]
    return lines + [TableLine(one) for one in (*below, *_findings(classes, width))]


def _findings(classes: Classes, width: int) -> list[str]:
    lines = ["", "Findings:" if classes.findings else "Findings: none over this window."]
    for found in _by_rule(classes.findings):
        for finding in found[:_TOLD_OF_A_RULE]:
            lines += [f"  {line}" for line in wrapped(f"{finding.sentence} ({finding.evidence}).", width - 4)]
        if len(found) > _TOLD_OF_A_RULE:
            lines.append(f"    and {len(found) - _TOLD_OF_A_RULE} more of this kind; --json has all")
    return lines


def as_text(classes: Classes, width: int = _WIDTH) -> str:
    """Return the table as text."""
    return "".join(f"{line.text.rstrip()}\n" for line in table(classes, width))


def how_told(classes: Classes, row: Row) -> list[str]:
    """Return for each class how a row's values were found, or why not; the ways that several share once."""
    values = next(values for one, values in rows_of(classes) if one is row)
    lines = [f"{row.label}: {row.help}"]
    for kind in CLASSES:
        ways = Counter(told.how if told.value is not None else f"not known: {told.how}" for _, told in values[kind])
        words = "; ".join(f"{way}" for way, _ in ways.most_common(2)) or "none here"
        more = f"; and {len(ways) - 2} other ways" if len(ways) > 2 else ""
        lines.append(f"{_HEADINGS[kind]}: {words}{more}")
    return lines


def _by_rule(findings: Sequence[Finding]) -> list[list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.rule, []).append(finding)
    return list(found.values())


def _together(label: str, cells: Sequence[list[str]], room: int) -> Iterator[str]:
    """Put cells of several lines next to each other."""
    for place in range(max(map(len, cells))):
        parts = (fit(cell[place] if place < len(cell) else "", room - 1) + " " for cell in cells)
        yield fit(label if not place else "", _LABEL) + "".join(parts)


def _cell(row: Row, values: Values, room: int) -> list[str]:
    known = [told.value for _, told in values if told.value is not None]
    if not known:
        return ["none here" if not values else "-"]
    numbers = [value for value in known if not isinstance(value, str)]
    if row.unit is not None and numbers:
        return _numbers(row.unit, numbers, len(values), room)
    counts = Counter(str(value) for value in known).most_common()
    lines: list[str] = []
    told = 0
    for value, count in counts:
        more = wrapped(value if count == len(values) else f"{count}x {value}", room)
        if lines and len(lines) + len(more) > _LINES:
            break
        lines, told = lines + more, told + 1
    return lines[:_LINES] + ([f"  and {len(counts) - told} other kinds"] if told < len(counts) else [])


def _numbers(unit: Unit, values: Sequence[float], total: int, room: int) -> list[str]:
    """Return the median, and from where to where, of how many."""

    def shown(value: float) -> str:
        ending = {Unit.PERCENT: "%", Unit.BYTES_PER_SECOND: "/s"}.get(unit, "")
        return text(value, unit, 6).strip() + ending

    if len(values) == 1:
        return [shown(values[0])] + ([f"  1 of {total}"] if total > 1 else [])
    least, most = shown(min(values)), shown(max(values))
    lines = [f"{shown(median(values))} median", f"  {least} to {most}"] if least != most else [least]
    if len(values) < total:
        lines.append(f"  {len(values)} of {total}")
    return [fit(line, room).rstrip() for line in lines]


def _why(values: Values) -> str:
    """Return why no value of a class is known; empty if one is."""
    if not values or any(told.value is not None for _, told in values):
        return ""
    return Counter(told.how for _, told in values).most_common(1)[0][0]


def _density(classes: Classes, kind: Kind, room: int) -> list[str]:
    density = classes.density[kind]
    lines = [f"{density.total} running"]
    if density.memory_of:
        share = density.memory_bytes / classes.memory_bytes * 100 if classes.memory_bytes else 0.0
        memory = text(density.memory_bytes, Unit.BYTES, 6).strip()
        lines.append(f"  {memory} assigned, {share:.0f}%")
    if density.cores_of:
        share = density.cores / classes.cpus * 100 if classes.cpus else 0.0
        lines.append(f"  {density.cores:g} cores, {share:.0f}%")
    return [fit(line, room).rstrip() for line in lines]


def document(classes: Classes, window_s: float) -> dict[str, object]:
    """Return the table as plain values: every workload's value with how it was found, or why not."""
    return {
        "schema": CLASSES_SCHEMA,
        "window_seconds": window_s,
        "host": {"cpus": classes.cpus, "memory_bytes": classes.memory_bytes},
        "rows": [
            {
                "key": row.key,
                "label": row.label,
                "help": row.help,
                "classes": {str(kind): [_told(row, *one) for one in values[kind]] for kind in CLASSES},
            }
            for row, values in rows_of(classes)
        ],
        "findings": [
            {"rule": one.rule, "names": one.names, "sentence": one.sentence, "evidence": one.evidence}
            for one in classes.findings
        ],
        "density": {
            str(kind): {
                "running": density.total,
                "memory_bytes": round(density.memory_bytes),
                "memory_of": density.memory_of,
                "cores": round(density.cores, 3),
                "cores_of": density.cores_of,
            }
            for kind, density in classes.density.items()
        },
    }


def _told(row: Row, workload: Workload, told: Fact) -> dict[str, object]:
    value = told.value
    if isinstance(value, float):
        value = round(value, digits_of(row.unit))
    why = {"how": told.how} if told.value is not None else {"why_not": told.how}
    return {"name": workload.name, "engine": workload.id.engine, "id": workload.id.id, "value": value, **why}
