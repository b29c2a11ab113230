"""What a command used, as text and as a JSON document. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from collectors.model.metrics import Unit
from collectors.running.budget import Judged
from collectors.running.quantities import QUANTITIES, Measured, Quantity, Usage
from collectors.running.runner import FollowedUse, RunResult
from collectors.safety.redact import redact_words
from collectors.safety.sanitize import sanitize
from tui.presenters.formatting import text
from tui.presenters.pipelines.verdict import Outcome, Verdict

RUN_SCHEMA = "vmtop.run/1"
_LABEL_WIDTH, _VALUE_WIDTH = 18, 7
_LONGEST_COMMAND = 80
_LONGEST_WORD = 4096
_SIGNAL = 128


def command_text(words: Sequence[str]) -> str:
    """Return a command as a shell would be given it: its secrets masked, inert and on one line."""
    return sanitize(" ".join(shlex.join(redact_words(words)).split()), _LONGEST_COMMAND)


def value_text(value: float | None, quantity: Quantity) -> str:
    """Return a value with its unit; `-` for none. Seconds below ten minutes have two decimals."""
    if value is not None and quantity.unit is Unit.SECONDS and value < 600:
        return f"{value:.2f}s"
    shown = text(value, quantity.unit, _VALUE_WIDTH).strip()
    return f"{shown}%" if quantity.unit is Unit.PERCENT and value is not None else shown


def measured_text(measured: Measured, quantity: Quantity) -> str:
    """Return a value, with the words that make a lower bound of it."""
    shown = value_text(measured.value, quantity)
    return f"at least {shown}" if measured.is_lower_bound and measured.value is not None else shown


def lines(words: Sequence[str], result: RunResult) -> list[str]:
    """Return the report, a line each: how the command ended, what it used, what follows it."""
    shown = [f"vmtop: {command_text(words)} {_ending(result.exit_code)}", *_table(result.usage)]
    shown.append(f"  measured in {result.way}")
    for followed in result.workloads:
        state = "still runs: measured until the command ended" if followed.is_running else "has ended"
        begun = "" if followed.is_new else ", ran before: measured from the command's start on"
        shown += [f"vmtop: {followed.workload.kind} {followed.workload.typed_name} {state}{begun}"]
        shown += _table(followed.usage)
    if result.rest:
        what = "process" if result.rest == 1 else "processes"
        verb = "was ended" if result.rest == 1 else "were ended"
        still = "still runs" if result.rest == 1 else "still run"
        shown.append(f"vmtop: {result.rest} {what} {verb if result.killed else f'{still} in it'}")
    return [*shown, *(f"vmtop: {note}" for note in result.notes)]


def verdicts(subject: str, judged: Sequence[Judged], seconds: float) -> list[Verdict]:
    """Return a verdict for each limit.

    Args:
        subject: Whose use was judged; inert.
        judged: The limits.
        seconds: How long the command ran.
    """
    outcomes = {True: Outcome.PASSED, False: Outcome.FAILED, None: Outcome.UNKNOWN}
    return [
        Verdict(subject, f"{one.limit.key} <= {_most(one)}", outcomes[one.is_kept], sentence(one), seconds)
        for one in judged
    ]


def sentence(judged: Judged) -> str:
    """Return what was found of one limit."""
    quantity, measured = judged.limit.quantity, judged.measured
    if measured.value is None:
        return f"{quantity.label} is unknown: {measured.how}"
    shown, most = measured_text(measured, quantity), _most(judged)
    words = "within" if judged.is_kept else "more than"
    return f"{quantity.label} {shown} is {words} {most} ({measured.how})"


def document(words: Sequence[str], result: RunResult, found: Sequence[Verdict]) -> dict[str, Any]:
    """Return the JSON document: see docs/run.md."""
    return {
        "schema": RUN_SCHEMA,
        "command": [sanitize(word, _LONGEST_WORD) for word in redact_words(words)],
        "exit_code": result.exit_code,
        "way": result.way,
        "is_group": result.is_group,
        "usage": _usage(result.usage),
        "workloads": [_workload(followed) for followed in result.workloads],
        "rest": result.rest,
        "rest_ended": result.killed,
        "budget": [
            {"subject": one.subject, "check": one.check, "outcome": one.outcome.value, "sentence": one.sentence}
            for one in found
        ],
        "notes": result.notes,
    }


def _ending(code: int) -> str:
    if code > _SIGNAL:
        return f"was ended by signal {code - _SIGNAL} (exit code {code})"
    return f"ended with exit code {code}"


def _table(usage: Usage) -> list[str]:
    rows = []
    for key, measured in usage.items():
        quantity = QUANTITIES[key]
        how = f"  {measured.how}" if measured.how else ""
        rows.append(f"  {quantity.label:<{_LABEL_WIDTH}}{measured_text(measured, quantity):<17}{how}".rstrip())
    return rows


def _most(judged: Judged) -> str:
    return judged.limit.typed.partition("=")[2]


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        key: {"value": measured.value, "how": measured.how, "is_lower_bound": measured.is_lower_bound}
        for key, measured in usage.items()
    }


def _workload(followed: FollowedUse) -> dict[str, Any]:
    workload = followed.workload
    return {
        "engine": workload.id.engine,
        "id": workload.id.id,
        "host": workload.id.host or None,
        "kind": workload.kind.value,
        "name": workload.name,
        "is_new": followed.is_new,
        "is_running": followed.is_running,
        "usage": _usage(followed.usage),
    }
