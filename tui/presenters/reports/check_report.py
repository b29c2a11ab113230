"""What a check has found, as a sentence, as JSON, and as verdicts for pipelines. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from collectors.alerts.trial import Finding
from collectors.analysis.rates import Reading
from collectors.model.metrics import METRICS
from collectors.model.wording import counted
from tui.presenters.pipelines.nagios import Value
from tui.presenters.pipelines.verdict import Outcome, Verdict

SCHEMA = "vmtop.check/1"
_NAMED = 5


class Checked(NamedTuple):
    """One workload that was checked."""

    reading: Reading
    finding: Finding
    words: str
    """The values that decided, or what is not known: `no health`."""

    @property
    def name(self) -> str:
        return self.reading.workload.typed_name

    @property
    def is_of_interest(self) -> bool:
        """Whether something is known of it, or should be: of one at rest, little is measured."""
        return self.finding is not Finding.UNKNOWN or self.reading.workload.state.is_active

    @property
    def sentence(self) -> str:
        """What was found, without the name."""
        if self.finding is Finding.UNKNOWN:
            return f"not measurable, {self.words}"
        return self.words


class Report(NamedTuple):
    """A check that is over."""

    condition: str
    for_s: float
    over_s: float
    seconds: float
    """How long it lasted."""
    checked: Sequence[Checked]

    def of(self, finding: Finding) -> list[Checked]:
        """Return the workloads of which that was found."""
        return [one for one in self.checked if one.finding is finding]


def sentence(report: Report) -> str:
    """Return the line for people: how many match, and which."""
    matching, unknown = report.of(Finding.HOLDS), report.of(Finding.UNKNOWN)
    lasting = f" for {report.for_s:g} s" if report.for_s else ""
    total = counted(len(report.checked), "workload")
    if matching:
        head = f"{len(matching)} of {total} match{'es' if len(matching) == 1 else ''} {report.condition}{lasting}: "
        head += _listed(matching)
    else:
        head = f"none of {total} matches {report.condition}{lasting}"
    return head + (f"; not measurable: {_listed(unknown)}" if unknown else "")


def _listed(checked: Sequence[Checked]) -> str:
    named = ", ".join(f"{one.name} ({one.words})" for one in checked[:_NAMED])
    return named + (f" and {len(checked) - _NAMED} more" if len(checked) > _NAMED else "")


def as_json(report: Report, keys: Sequence[str]) -> str:
    """Return the document of a check: `vmtop.check/1`."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "condition": report.condition,
        "for_seconds": report.for_s,
        "over_seconds": report.over_s,
        "matching": len(report.of(Finding.HOLDS)),
        "unknown": len(report.of(Finding.UNKNOWN)),
        "workloads": [_described(one, keys) for one in report.checked],
    }
    return json.dumps(document, indent=2) + "\n"


def _described(one: Checked, keys: Sequence[str]) -> Mapping[str, Any]:
    workload = one.reading.workload
    return {
        "name": workload.name,
        "kind": workload.kind,
        "engine": workload.id.engine,
        "id": workload.id.id,
        "host": workload.id.host or None,
        "state": workload.state,
        "finding": {Finding.HOLDS: "matches", Finding.UNKNOWN: "unknown"}.get(one.finding, "does not match"),
        "metrics": {key: one.reading.value(key) for key in keys},
    }


def verdicts(report: Report, is_wanted: bool) -> list[Verdict]:
    """Return a verdict for each workload.

    Args:
        report: What was found.
        is_wanted: Whether the condition is what is wanted, as `vmtop wait` does, not what is wrong.
    """
    good = Finding.HOLDS if is_wanted else Finding.FAILS
    check = report.condition if is_wanted else f"not {report.condition}"
    return [
        Verdict(one.name, check, _outcome(one.finding, good), one.sentence, report.seconds) for one in report.checked
    ]


def _outcome(finding: Finding, good: Finding) -> Outcome:
    if finding is Finding.UNKNOWN:
        return Outcome.UNKNOWN
    return Outcome.PASSED if finding is good else Outcome.FAILED


def values(report: Report, keys: Sequence[str]) -> list[Value]:
    """Return the values of the metrics that a condition asks for, for the performance data."""
    return [
        Value(f"{one.name} {METRICS[key].alias}", value, METRICS[key].unit)
        for one in report.checked
        for key in keys
        if (value := one.reading.value(key)) is not None
    ]
