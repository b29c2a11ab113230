"""From the names in a command to their workloads, once every source that could know them has answered."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import NamedTuple

import click

from collectors.actions.silent_sources import Asked, denied, host_of, is_late, silence, silent
from collectors.actions.targets import NoTarget, find
from collectors.analysis.rates import Moment
from collectors.engines.registry import unlisted
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceSpec
from tui.cli.exit_codes import DONE, NO_ANSWER, NO_SUCH, NOT_ALLOWED
from tui.cli.missing import nameless
from tui.cli.sampling import Wait, gather
from tui.presenters.load import load_words, longer_words

_RETURN_S = 10.0
"""Seconds that a source that is down is given to come back, if the wait is not shorter."""
_GRAVEST_FIRST = (NO_ANSWER, NOT_ALLOWED, NO_SUCH)


class Chosen(NamedTuple):
    """The workloads that some names stand for."""

    workloads: list[Workload]
    """The chosen ones, in the order of the names."""
    all_workloads: list[Workload]
    code: int
    """An exit code that is not 0 when a name matches no workload, or it is unknown which one."""
    moment: Moment
    """What the sources had read by then, in which a workload may be missing."""


def choose(names: Sequence[str], specs: Sequence[SourceSpec], wait: Wait, is_action: bool = True) -> Chosen:
    """Wait for the sources that could know a name, find the workloads, and report each name that is not clear.

    With `is_action`, the report adds that nothing was done.
    """
    moment = gather(specs, wait, lambda moment: _is_enough(names, specs, moment, wait))
    workloads, sources = list(moment.frame.workloads.values()), asked_sources(specs, moment)
    chosen: dict[Workload, None] = {}
    codes = []
    hint = nameless(moment, specs)
    for name in names:
        try:
            chosen.setdefault(_find(name, workloads, sources, wait, is_action))
        except _Unclear as error:
            click.echo(f"vmtop: {error}", err=True)
            codes.append(error.code)
            if hint and error.code == NO_SUCH:
                click.echo(f"vmtop: {hint}", err=True)
                hint = ""
    return Chosen(list(chosen), workloads, gravest(codes), moment)


class NotFound(NamedTuple):
    """Why a name stands for no workload, or for an unknown one."""

    code: int
    """3 none, or several; 4 it may be among what this user may not read; 8 a source that could know it is silent."""
    sentence: str


def gravest(codes: Collection[int]) -> int:
    """Return the exit code for several names; 0 if all were found."""
    return next((code for code in _GRAVEST_FIRST if code in codes), DONE)


def why_not_found(
    error: NoTarget, workloads: Sequence[Workload], sources: Sequence[Asked], wait: Wait, is_action: bool = False
) -> NotFound:
    """Return why a name was not found: it is called absent only if every source that could know it has answered.

    With `is_action`, the sentence adds that nothing was done.
    """
    name = error.typed
    if not error.is_ambiguous:
        if silent_sources := silent(name, workloads, sources):
            return NotFound(NO_ANSWER, _unanswered(name, silent_sources, wait, is_action))
        if denied_sources := denied(name, sources):
            return NotFound(NOT_ALLOWED, _denied_sentence(name, denied_sources, is_action))
    done = (" Nothing was done." if error.suggestions else "; nothing was done") if is_action else ""
    return NotFound(NO_SUCH, f"{error}{done}")


class _Unclear(Exception):
    """A name that matches no workload, or it is unknown which one."""

    def __init__(self, reason: NotFound) -> None:
        super().__init__(reason.sentence)
        self.code = reason.code


def _is_enough(names: Sequence[str], specs: Sequence[SourceSpec], moment: Moment, wait: Wait) -> bool:
    workloads, sources = list(moment.frame.workloads.values()), asked_sources(specs, moment)
    missing = [source for name in names for source in silent(name, workloads, sources)]
    may_return = wait.passed_s < _RETURN_S
    return not any(may_return or is_late(source) for source in missing)


def asked_sources(specs: Sequence[SourceSpec], moment: Moment) -> list[Asked]:
    """Return the sources with their states at a moment, those of other hosts included."""
    own = [Asked(spec, state) for spec, state in zip(specs, moment.own_sources, strict=True)]
    others = (state for state in moment.sources if state.host)
    return [*own, *(Asked(SourceSpec(state.name.partition("@")[0], label=state.name), state) for state in others)]


def _find(name: str, workloads: Sequence[Workload], sources: Sequence[Asked], wait: Wait, is_action: bool) -> Workload:
    """Find a workload; a service that is in no list may still be a unit that systemd can load.

    Raises:
        _Unclear: It stands for none, or for several, or a source that could know it has not answered.
    """
    try:
        workload = find(name, workloads)
    except NoTarget as error:
        reason = why_not_found(error, workloads, sources, wait, is_action)
        is_clear = error.is_ambiguous or reason.code == NO_ANSWER or all(map(host_of, sources))
        unit = None if is_clear else unlisted(name)
        if unit is None:
            raise _Unclear(reason) from error
        return unit
    if silent_sources := silent(name, workloads, sources):
        raise _Unclear(NotFound(NO_ANSWER, _unanswered(name, silent_sources, wait, is_action)))
    return workload


def _unanswered(name: str, silent_sources: Sequence[Asked], wait: Wait, is_action: bool) -> str:
    """Return the error message for a name that a source could know which has not answered."""
    longer = f", or {longer_words(wait.most_s)}{load_words()}" if any(map(is_late, silent_sources)) else ""
    return f"{silence(name, silent_sources, wait.passed_s, os.environ, is_action)}{longer}"


def _denied_sentence(name: str, denied_sources: Sequence[Asked], is_action: bool) -> str:
    reasons = "; ".join(f"{source.state.name} may not be read: {source.state.reason}" for source in denied_sources)
    remedies = "".join(f"\n  fix: {source.state.remedy}" for source in denied_sources if source.state.remedy)
    done = "; nothing was done" if is_action else ""
    return f"{sanitize(name)}: not among what may be read, and {reasons}{done}{remedies}"
