"""What `vmtop set` prints: sentences and a table for people, or a JSON document per line for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from collectors.model.actions import Result
from collectors.model.limit_changes.outcomes import Applied, ChangeOutcome
from collectors.model.limit_changes.plans import Plan, PlannedChange, shown
from collectors.model.limits import LIMITS, Amount, Limit, LimitKey
from collectors.model.workloads import Workload

SCHEMA = "vmtop.limits/1"


class LimitLines:
    """Prints limits, plans and outcomes.

    Args:
        is_json: Whether programs read it: everything goes to standard output then.
    """

    def __init__(self, is_json: bool) -> None:
        self._is_json = is_json

    def limits(self, workload: Workload, found: Mapping[LimitKey, Limit]) -> None:
        """Print the limits as they are now; one that cannot be changed says why."""
        if not self._is_json:
            click.echo(_title(workload))
        for key, limit in found.items():
            if self._is_json:
                fields = {"now": limit.value, "is_measured": limit.is_measured, "objection": limit.objection}
                self._write(workload, key, fields)
            else:
                why = f"  ({limit.objection})" if limit.objection else ""
                click.echo(f"  {key:<16} {shown(limit):<12} {LIMITS[key].bounds}{why}")

    def plan(self, plan: Plan, is_dry: bool) -> None:
        """Print what would be done, as it is asked about; with `is_dry` it is all that is done."""
        if self._is_json:
            for change in plan.changes if is_dry else ():
                self._write(plan.workload, change.key, {**_planned(change), "objection": plan.refusal_of(change)})
            return
        click.echo(f"set: {_title(plan.workload)}", err=not is_dry)
        for change in plan.changes:
            objection = plan.refusal_of(change)
            what = f"{change.key} not done: {objection}" if objection else f"{change.words}, {change.lasts}"
            click.echo(f"  {what}", err=not is_dry)
            for warning in change.warnings:
                click.echo(f"    {warning}", err=not is_dry)
            for command in change.commands:
                click.echo(f"    the same by hand: {command}", err=not is_dry)
        if plan.remedy:
            click.echo(f"  fix: {plan.remedy}", err=not is_dry)

    def warnings(self, plan: Plan) -> None:
        """Print what a change may lead to, where nobody is asked about it."""
        for change in plan.changes if not plan.refusal else ():
            for warning in change.warnings:
                click.echo(f"vmtop: {plan.workload.name}: {change.key}: {warning}", err=True)

    def ended(self, applied: Applied) -> None:
        """Print how each change ended, and how it is taken back."""
        for outcome in applied.outcomes:
            if self._is_json:
                self._write(applied.plan.workload, outcome.change.key, _ended(outcome))
                continue
            is_failure = outcome.result not in (Result.DONE, Result.ALREADY)
            click.echo(f"{'vmtop: ' * is_failure}{outcome.sentence} ({outcome.seconds:.1f} s)", err=is_failure)
            if outcome.remedy:
                click.echo(f"  fix: {outcome.remedy}", err=True)

    def _write(self, workload: Workload, key: LimitKey, fields: Mapping[str, Any]) -> None:
        identity = {"host": workload.id.host, "engine": workload.id.engine, "id": workload.id.id, "name": workload.name}
        click.echo(json.dumps({"schema": SCHEMA, **identity, "limit": key.value, **fields}))


def _title(workload: Workload) -> str:
    place = f" on {workload.id.host}" if workload.id.host else ""
    return f"{workload.kind} {workload.name}{place}, by {workload.id.engine}"


def _planned(change: PlannedChange) -> dict[str, Any]:
    """Return a planned change as members of a JSON object; amounts are in the unit of the limit, `null` is none."""
    new: Amount | None = change.setting.amount if change.setting is not None else change.new
    return {
        "now": change.now.value,
        "is_measured": change.now.is_measured,
        "new": new,
        "warnings": list(change.warnings),
        "commands": list(change.commands),
        "lasts": change.lasts.value,
    }


def _ended(outcome: ChangeOutcome) -> dict[str, Any]:
    """Return an outcome as members of a JSON object; `after` is missing when nothing could be read back."""
    after = {} if outcome.after is None else {"after": outcome.after.value}
    ending = {"result": outcome.result.value, "sentence": outcome.sentence, "remedy": outcome.remedy}
    return {**_planned(outcome.change), "old": outcome.old, **after, **ending, "seconds": round(outcome.seconds, 3)}
