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
_FINDINGS_PER_RULE = 3
_LINES = 5
"""Lines per cell, at most; the document has all values."""

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
        lines += [TableLine(line_text, row) for line_text in _side_by_side(row.label, cells, room)]
        for kind in CLASSES:
            reasons.setdefault(_missing_reason(values[kind]), []).append(f"{row.label} of {_MANY[kind]}")
    density = [_density(classes, kind, room - 1) for kind in CLASSES]
    lines += [TableLine(line_text) for line_text in _side_by_side("density", density, room)]
    reasons.pop("", None)
    text_lines = ["", "Not measurable here:"] if reasons else []
    for reason, row_names in reasons.items():
        text_lines += [f"  {line}" for line in wrapped(f"{', '.join(row_names)}: {reason}", width - 4)]
    return lines + [TableLine(line_text) for line_text in (*text_lines, *_findings(classes, width))]


def _findings(classes: Classes, width: int) -> list[str]:
    lines = ["", "Findings:" if classes.findings else "Findings: none over this window."]
    for rule_findings in _by_rule(classes.findings):
        for finding in rule_findings[:_FINDINGS_PER_RULE]:
            lines += [f"  {line}" for line in wrapped(f"{finding.sentence} ({finding.evidence}).", width - 4)]
        if len(rule_findings) > _FINDINGS_PER_RULE:
            lines.append(f"    and {len(rule_findings) - _FINDINGS_PER_RULE} more of this kind; --json has all")
    return lines


def as_text(classes: Classes, width: int = _WIDTH) -> str:
    """Return the table as text."""
    return "".join(f"{line.text.rstrip()}\n" for line in table(classes, width))


def measurement_lines(classes: Classes, row: Row) -> list[str]:
    """Return how a row's values were measured in each class, or why not; each method once."""
    values = next(values for candidate, values in rows_of(classes) if candidate is row)
    lines = [f"{row.label}: {row.help}"]
    for kind in CLASSES:
        methods = Counter(fact.how if fact.value is not None else f"not known: {fact.how}" for _, fact in values[kind])
        methods_text = "; ".join(f"{method}" for method, _ in methods.most_common(2)) or "none here"
        rest = f"; and {len(methods) - 2} other ways" if len(methods) > 2 else ""
        lines.append(f"{_HEADINGS[kind]}: {methods_text}{rest}")
    return lines


def _by_rule(findings: Sequence[Finding]) -> list[list[Finding]]:
    findings_by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        findings_by_rule.setdefault(finding.rule, []).append(finding)
    return list(findings_by_rule.values())


def _side_by_side(label: str, cells: Sequence[list[str]], room: int) -> Iterator[str]:
    """Put cells of several lines next to each other."""
    for index in range(max(map(len, cells))):
        parts = (fit(cell[index] if index < len(cell) else "", room - 1) + " " for cell in cells)
        yield fit(label if not index else "", _LABEL) + "".join(parts)


def _cell(row: Row, values: Values, room: int) -> list[str]:
    present_values = [shown_kinds.value for _, shown_kinds in values if shown_kinds.value is not None]
    if not present_values:
        return ["none here" if not values else "-"]
    numbers = [value for value in present_values if not isinstance(value, str)]
    if row.unit is not None and numbers:
        return _numbers(row.unit, numbers, len(values), room)
    counts = Counter(str(value) for value in present_values).most_common()
    lines: list[str] = []
    shown_kinds = 0
    for value, count in counts:
        extra_lines = wrapped(value if count == len(values) else f"{count}x {value}", room)
        if lines and len(lines) + len(extra_lines) > _LINES:
            break
        lines, shown_kinds = lines + extra_lines, shown_kinds + 1
    return lines[:_LINES] + ([f"  and {len(counts) - shown_kinds} more"] if shown_kinds < len(counts) else [])


def _numbers(unit: Unit, values: Sequence[float], total: int, room: int) -> list[str]:
    """Return the median, the range, and how many of `total` have a value."""

    def formatted(value: float) -> str:
        ending = {Unit.PERCENT: "%", Unit.BYTES_PER_SECOND: "/s"}.get(unit, "")
        return text(value, unit, 6).strip() + ending

    if len(values) == 1:
        return [formatted(values[0])] + ([f"  1 of {total}"] if total > 1 else [])
    least, most = formatted(min(values)), formatted(max(values))
    lines = [f"{formatted(median(values))} median", f"  {least} to {most}"] if least != most else [least]
    if len(values) < total:
        lines.append(f"  {len(values)} of {total}")
    return [fit(line, room).rstrip() for line in lines]


def _missing_reason(values: Values) -> str:
    """Return why a class has no value; empty if it has one."""
    if not values or any(fact.value is not None for _, fact in values):
        return ""
    return Counter(fact.how for _, fact in values).most_common(1)[0][0]


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
    """Return the table as plain values: every workload's value and how it was measured, or why not."""
    return {
        "schema": CLASSES_SCHEMA,
        "window_seconds": window_s,
        "host": {"cpus": classes.cpus, "memory_bytes": classes.memory_bytes},
        "rows": [
            {
                "key": row.key,
                "label": row.label,
                "help": row.help,
                "classes": {
                    str(kind): [_value_document(row, *finding) for finding in values[kind]] for kind in CLASSES
                },
            }
            for row, values in rows_of(classes)
        ],
        "findings": [
            {"rule": finding.rule, "names": finding.names, "sentence": finding.sentence, "evidence": finding.evidence}
            for finding in classes.findings
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


def _value_document(row: Row, workload: Workload, fact: Fact) -> dict[str, object]:
    value = fact.value
    if isinstance(value, float):
        value = round(value, digits_of(row.unit))
    explanation = {"how": fact.how} if fact.value is not None else {"why_not": fact.how}
    return {"name": workload.name, "engine": workload.id.engine, "id": workload.id.id, "value": value, **explanation}
