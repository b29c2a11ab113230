"""What `vmtop check` and `vmtop wait` share: the condition, whom it is about, one judgement after another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from collectors.actions.targets import NoTarget, find_all
from collectors.alerts.trial import Finding, Trial, subjects_of
from collectors.analysis.rates import Moment, Reading
from collectors.engines.registry import engines_told_by
from collectors.model.workloads import WorkloadId
from collectors.query.filter import Query
from collectors.sampling.source import SourceSpec
from tui.cli.sampling import Wait, has_answered, moments
from tui.cli.targets import NotFound, asked_sources, why_not_found
from tui.presenters.reports.check_report import Checked


class Judgement(NamedTuple):
    """What is known after one moment."""

    moment: Moment
    checked: list[Checked]
    missing: list[NotFound]
    """Why each name that means no workload does so."""
    passed_s: float
    """Seconds since the first judgement."""


def judgements(
    query: Query, names: Sequence[str], chosen: Query | None, for_s: float, over_s: float, wait: Wait,
    specs: Sequence[SourceSpec],
) -> Iterator[Judgement]:  # fmt: skip
    """Yield a judgement at each moment, for ever.

    Args:
        query: The condition.
        names: The workloads that are meant; empty for all.
        chosen: Which of them are meant; `None` for all.
        for_s: Seconds for which the condition has to hold.
        over_s: Seconds between moments, over which rates are measured.
        wait: How long the sources are waited for.
        specs: The sources.
    """
    trial = Trial(query, for_s, engines_told_by)
    began: float | None = None
    for moment in moments(specs, over_s, wait, has_answered, over_s):
        began = time.monotonic() if began is None else began
        subjects, missing = _subjects(query, names, chosen, moment, specs, wait)
        findings = trial.take(moment, subjects)
        checked = [Checked(trial.seen[one][0], finding, trial.seen[one][1]) for one, finding in findings.items()]
        yield Judgement(moment, checked, missing, time.monotonic() - began)


def _subjects(
    query: Query, names: Sequence[str], chosen: Query | None, moment: Moment, specs: Sequence[SourceSpec], wait: Wait
) -> tuple[list[WorkloadId], list[NotFound]]:
    workloads = list(moment.frame.workloads.values())
    named: dict[WorkloadId, None] = {}
    missing: list[NotFound] = []
    for name in names:
        try:
            named |= dict.fromkeys(workload.id for workload in find_all(name, workloads))
        except NoTarget as error:
            missing.append(why_not_found(error, workloads, asked_sources(specs, moment), wait))
    subjects = list(named) if names else subjects_of(query, moment)
    if chosen is not None:
        subjects = [identity for identity in subjects if chosen.matches(_reading(moment, identity))]
    return subjects, missing


def _reading(moment: Moment, identity: WorkloadId) -> Reading:
    return moment.host if identity == moment.host.workload.id else moment.readings[identity]


def is_decided(checked: Sequence[Checked]) -> bool:
    """Return whether more time cannot change what was found of any workload."""
    return all(one.finding is not Finding.PENDING for one in checked)
