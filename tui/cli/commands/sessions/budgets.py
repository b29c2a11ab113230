"""`vmtop compare --fail-if`: judges a recording, by itself or against an earlier one, for a pipeline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from collectors.actions.targets import NoTarget, find
from collectors.comparison.budget import judge
from collectors.comparison.budget_conditions import Allowance, Condition, ConditionError, parse_condition
from collectors.comparison.window_statistics import MOST_TICKS, WARM_UP_S, Past, fill
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.session.format import SessionError
from collectors.session.frame_sequence import FrameSequence
from collectors.session.kept import KeptWorkloads
from tui.cli.commands.sessions.session_files import opened
from tui.cli.exit_codes import DONE, NO_SUCH, NOT_MEASURABLE, OVER_BUDGET
from tui.cli.verdict_files import code_with, write_verdicts
from tui.presenters.comparison.budgets import Side, as_text, document, verdict_of
from tui.presenters.pipelines.verdict import Outcome, Verdict


class BudgetOptions(NamedTuple):
    """What to judge, and where the verdicts go."""

    names: tuple[str, ...]
    """One name for all recordings, or one for each side."""
    sessions: tuple[Path, ...]
    """The recording to compare with and the one to judge; a single one is both."""
    conditions: tuple[str, ...]
    window_s: float | None = None
    """Seconds: only the last ones of each recording; `None` is all of it."""
    is_json: bool = False
    junit_path: Path | None = None
    has_summary: bool = False


def judge_recordings(options: BudgetOptions) -> int:
    """Print the verdicts; return 0, 10 if a budget is exceeded, 11 if one cannot be judged, or 3 for a vague name.

    It is 1 if all is within budget and the verdicts cannot be written.

    Raises:
        click.UsageError: A condition or the number of recordings and names makes no sense.
        click.ClickException: A recording cannot be read.
    """
    conditions = [_condition(text) for text in options.conditions]
    typed_sides = _sides(options, conditions)
    try:
        pasts = [_past(path, name, options.window_s) for path, name in typed_sides]
    except NoTarget as error:
        click.echo(f"vmtop: {error}", err=True)
        return NO_SUCH
    sides = [
        Side(sanitize(str(path)), sanitize(name), past is not None)
        for (path, name), past in zip(typed_sides, pasts, strict=True)
    ]
    first, second = (pasts[0] if len(pasts) > 1 else None), pasts[-1]
    subject = second.workload.typed_name if second is not None else sides[-1].name
    judgements = [judge(condition, first, second) for condition in conditions]
    verdicts = [verdict_of(subject, judgement) for judgement in judgements]
    if options.is_json:
        click.echo(json.dumps(document(subject, sides, judgements), indent=2))
    else:
        click.echo(as_text(subject, judgements), nl=False)
    unwritten = write_verdicts(f"vmtop compare {subject}", verdicts, options.junit_path, options.has_summary)
    return code_with(_exit_code(verdicts), unwritten)


def _exit_code(verdicts: Sequence[Verdict]) -> int:
    outcomes = {verdict.outcome for verdict in verdicts}
    if Outcome.FAILED in outcomes:
        return OVER_BUDGET
    return NOT_MEASURABLE if Outcome.UNKNOWN in outcomes else DONE


def _condition(text: str) -> Condition:
    try:
        return parse_condition(text)
    except ConditionError as error:
        raise click.UsageError(f"--fail-if: {error}.") from error


def _sides(options: BudgetOptions, conditions: Sequence[Condition]) -> list[tuple[Path, str]]:
    """Return the recordings with the name that is looked for in each, the one to judge last."""
    names, sessions = options.names, options.sessions
    if not 1 <= len(names) <= 2 or not 1 <= len(sessions) <= 2:
        raise click.UsageError("--fail-if compares one NAME, or two, in one --session or two.")
    sides = max(len(names), len(sessions))
    if sides == 1 and any(condition.allowance is not Allowance.BOUND for condition in conditions):
        raise click.UsageError(
            "an allowance with + needs something to compare with: a second --session, or a second NAME."
        )
    return [(sessions[min(side, len(sessions) - 1)], names[min(side, len(names) - 1)]) for side in range(sides)]


def _past(path: Path, name: str, window_s: float | None) -> Past | None:
    """Return a workload's values in a recording; `None` if it is not in it.

    Raises:
        NoTarget: The name stands for several workloads.
    """
    with opened([path]) as session:
        try:
            workload = find(name, last_workloads(session))
        except NoTarget as error:
            if error.is_ambiguous:
                raise
            return None
        since = -1.0 if window_s is None else session.span()[1] - window_s
        frames = (frame for _, frame in session.frames(None if since < 0 else since - WARM_UP_S))
        return fill(frames, [workload.id], since, longest=MOST_TICKS).past(workload.id)


def last_workloads(session: FrameSequence) -> list[Workload]:
    """Return the workloads of a session, each as in its last frame.

    Raises:
        SessionError: There are too many.
    """
    workloads = KeptWorkloads()
    for _, frame in session.frames():
        for workload in frame.workloads.values():
            if not workloads.keep(workload):
                raise SessionError(f"the session has more than {len(workloads):,} workloads, too many to compare")
    return list(workloads.values())
