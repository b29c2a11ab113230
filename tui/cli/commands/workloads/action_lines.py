"""What the commands that act print: sentences for people, or a JSON document per line for programs.

With JSON, everything goes to standard output, in the order in which it happens; a line is complete when it is read.
"""

from __future__ import annotations

import json
from typing import Any

import click

from collectors.actions.runner import Action
from collectors.model.actions import Outcome, Request, Result

SCHEMA = "vmtop.action/1"


class ActionLines:
    """Prints the phases and the outcomes of actions.

    Args:
        is_json: Whether programs read it.
    """

    def __init__(self, is_json: bool) -> None:
        self._is_json = is_json

    def refused(self, request: Request, sentence: str) -> None:
        """Say that vmtop does not do it."""
        if self._is_json:
            self._write(request, outcome_fields(Outcome(Result.REFUSED, sentence)))
        else:
            click.echo(f"vmtop: {sentence}", err=True)

    def changed(self, action: Action) -> None:
        """Say in which phase an action is; called on its thread."""
        if self._is_json and action.phase:
            self._write(action.request, {"phase": action.phase})
        elif action.phase == "outcome unknown":
            click.echo(f"vmtop: {action.name}: lost the engine during the action; checking the outcome", err=True)

    def ended(self, request: Request, outcome: Outcome, is_failure: bool) -> None:
        """Say how an action ended."""
        if self._is_json:
            self._write(request, outcome_fields(outcome))
            return
        click.echo(f"{outcome.sentence} ({outcome.seconds:.1f} s)", err=is_failure)
        if outcome.remedy:
            click.echo(f"  fix: {outcome.remedy}", err=True)

    def _write(self, request: Request, fields: dict[str, Any]) -> None:
        workload = request.workload
        identity = {"host": workload.id.host, "engine": workload.id.engine, "id": workload.id.id, "name": workload.name}
        start = request.seen.start if request.seen is not None else None
        line = {"schema": SCHEMA, **identity, "verb": request.verb.value, "epoch": start, **fields}
        click.echo(json.dumps(line))


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as members of a JSON object."""
    return {**outcome._asdict(), "result": outcome.result.value, "seconds": round(outcome.seconds, 3)}


SENTENCES = ActionLines(is_json=False)
