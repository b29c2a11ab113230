"""The comparison of bare metal, machines and containers: as plain text of 80 columns, and as a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from collectors.comparison import workload_classes
from collectors.comparison.findings import Finding
from collectors.comparison.workload_classes import CLASSES, Classes
from collectors.json_document import digits_of
from collectors.model.facts import Fact, Row
from collectors.model.workloads import Workload
from tui.presenters.comparison.class_details import plain_reason
from tui.presenters.comparison.class_table import NAMES, ClassRow, Values, heading, rows_of, table_lines
from tui.presenters.comparison.side_by_side import wrapped
from tui.presenters.styled_lines import plain_text

CLASSES_SCHEMA = "vmtop.classes/1"
_WIDTH = 80
_FINDINGS_PER_RULE = 3


def as_text(classes: Classes, width: int = _WIDTH) -> str:
    """Return the table with medians, then what is not measured here and why, then the findings."""
    rows = rows_of(classes)
    lines = [plain_text(line) for line in (heading(width), *table_lines(rows, width)[0])]
    reasons = _reasons(rows)
    lines += ["", "Not measured here:"] if reasons else []
    for reason, row_names in reasons.items():
        lines += [f"  {line}" for line in wrapped(f"{', '.join(row_names)}: {reason}", width - 4)]
    return "".join(f"{line.rstrip()}\n" for line in [*lines, *_findings(classes, width)])


def _reasons(rows: Sequence[ClassRow]) -> dict[str, list[str]]:
    """Return what is unknown of whole classes, by the reason."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        for kind in CLASSES:
            if reason := _missing_reason(row.values[kind]):
                reasons.setdefault(reason, []).append(f"{row.type.name} of {NAMES[kind]}")
    return reasons


def _findings(classes: Classes, width: int) -> list[str]:
    lines = ["", "Findings:" if classes.findings else "Findings: none over this window."]
    for rule_findings in _by_rule(classes.findings):
        for finding in rule_findings[:_FINDINGS_PER_RULE]:
            lines += [f"  {line}" for line in wrapped(f"{finding.sentence} ({finding.evidence}).", width - 4)]
        if len(rule_findings) > _FINDINGS_PER_RULE:
            lines.append(f"    and {len(rule_findings) - _FINDINGS_PER_RULE} more of this kind; --json has all")
    return lines


def _by_rule(findings: Sequence[Finding]) -> list[list[Finding]]:
    findings_by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        findings_by_rule.setdefault(finding.rule, []).append(finding)
    return list(findings_by_rule.values())


def _missing_reason(values: Values) -> str:
    """Return why a class has no value; empty if it has one."""
    if not values or any(fact.value is not None for _, fact in values):
        return ""
    return Counter(plain_reason(fact.how) for _, fact in values).most_common(1)[0][0]


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
            for row, values in workload_classes.rows_of(classes)
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
