"""Judged budgets as verdicts, lines of text and a JSON document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from collectors.comparison.bootstrap import CONFIDENCE
from collectors.comparison.budget import Judgement
from collectors.comparison.budget_conditions import Allowance
from collectors.json_document import number
from collectors.model.metrics import Metric, Unit
from tui.presenters.formatting import duration
from tui.presenters.pages.metric_groups import value_text
from tui.presenters.pipelines.verdict import Outcome, Verdict

BUDGET_SCHEMA = "vmtop.budget/1"
_OUTCOMES = {True: Outcome.FAILED, False: Outcome.PASSED, None: Outcome.UNKNOWN}
_WORDS = {Outcome.FAILED: "over budget", Outcome.PASSED: "within budget", Outcome.UNKNOWN: "not measurable"}


class Side(NamedTuple):
    """One recording of a comparison."""

    session: str
    """The path of the recording, inert."""
    name: str
    """The name as it was typed, inert."""
    is_there: bool
    """Whether the recording has such a workload."""


def verdict_of(subject: str, judgement: Judgement) -> Verdict:
    """Return the verdict on a workload, by its name."""
    measured_s = sum(judgement.windows) * judgement.window_s
    return Verdict(
        subject, judgement.condition.text, _OUTCOMES[judgement.is_over], sentence_of(judgement), round(measured_s, 3)
    )


def as_text(subject: str, judgements: Sequence[Judgement]) -> str:
    """Return two lines for each condition: what was asked for and how it ended, and what was found."""
    lines = []
    for judgement in judgements:
        verdict = verdict_of(subject, judgement)
        lines.append(f"{_WORDS[verdict.outcome]}: {subject}: {verdict.check}")
        lines.append(f"  {verdict.sentence}")
    return "".join(f"{line}\n" for line in lines)


def sentence_of(judgement: Judgement) -> str:
    """Return what was found, or why nothing is known, as one sentence without a full stop."""
    if judgement.is_over is None:
        return judgement.reason
    condition = judgement.condition
    metric, second = condition.metric, _value(condition.metric, judgement.second)
    if judgement.change is None:
        return f"the highest {metric.label} is {second}"
    basis = (
        f"{CONFIDENCE * 100:.0f} % certain, from {' and '.join(map(str, judgement.windows))} windows of "
        f"{duration(judgement.window_s, 6).strip()}"
    )
    low, high = (_change(judgement, edge) for edge in judgement.change)
    if judgement.first is None:
        return f"{condition.stat} of {metric.label} is {second}, between {low} and {high} ({basis})"
    first = _value(metric, judgement.first)
    return f"{condition.stat} of {metric.label} was {first} and is {second}: {low} to {high} ({basis})"


def _value(metric: Metric, value: float | None) -> str:
    written = value_text(metric, value)
    return f"{written} %" if metric.unit is Unit.PERCENT and not written.endswith("%") else written


def _change(judgement: Judgement, edge: float) -> str:
    """Return an end of the interval: a change has a sign, a value of its own has none."""
    condition = judgement.condition
    if condition.allowance is Allowance.BOUND:
        return _value(condition.metric, edge)
    if math.isinf(edge):
        return "any multiple"
    sign = "-" if edge < 0 else "+"
    if condition.allowance is Allowance.SHARE:
        return f"{sign}{abs(edge):.1f} %"
    return f"{sign}{_value(condition.metric, abs(edge))}"


def document(subject: str, sides: Sequence[Side], judgements: Sequence[Judgement]) -> dict[str, object]:
    """Return judgements as plain values. What is not known is null."""
    return {
        "schema": BUDGET_SCHEMA,
        "workload": subject,
        "confidence": CONFIDENCE,
        "sides": [{"session": side.session, "name": side.name, "is_there": side.is_there} for side in sides],
        "conditions": [_condition(judgement) for judgement in judgements],
    }


def _condition(judgement: Judgement) -> dict[str, object]:
    condition, change = judgement.condition, judgement.change
    is_share = condition.allowance is Allowance.SHARE
    edges = [None, None] if change is None else [edge if math.isfinite(edge) else None for edge in change]
    low, high = (None if edge is None else round(edge, 3) for edge in edges)
    return {
        "condition": condition.text,
        "metric": condition.metric.key,
        "stat": condition.stat,
        "allowance": condition.allowance.value,
        "amount": condition.amount,
        "unit": "percent of first" if is_share else str(condition.metric.unit),
        "outcome": _OUTCOMES[judgement.is_over].value,
        "sentence": sentence_of(judgement),
        "first": number(condition.metric, judgement.first),
        "second": number(condition.metric, judgement.second),
        "low": low,
        "high": high,
        "windows": list(judgement.windows),
        "window_seconds": round(judgement.window_s, 3),
    }
