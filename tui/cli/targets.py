"""From the names in a command to their workloads, once every source that could know them has answered."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import click

from collectors.actions.silent_sources import Asked, denied, is_late, silence, silent
from collectors.actions.targets import NoTarget, find
from collectors.analysis.rates import Moment
from collectors.engines.registry import unlisted
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceSpec
from tui.cli.exit_codes import NO_ANSWER, NO_SUCH, NOT_ALLOWED
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
    return Chosen(list(chosen), workloads, next((code for code in _GRAVEST_FIRST if code in codes), 0))


class _Unclear(Exception):
    """A name that matches no workload, or it is unknown which one."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def _is_enough(names: Sequence[str], specs: Sequence[SourceSpec], moment: Moment, wait: Wait) -> bool:
    workloads, sources = list(moment.frame.workloads.values()), asked_sources(specs, moment)
    missing = [source for name in names for source in silent(name, workloads, sources)]
    may_return = wait.passed_s < _RETURN_S
    return not any(may_return or is_late(source) for source in missing)


def asked_sources(specs: Sequence[SourceSpec], moment: Moment) -> list[Asked]:
    """Return the sources with their states at a moment."""
    return [Asked(spec, state) for spec, state in zip(specs, moment.sources, strict=True)]


def _find(name: str, workloads: Sequence[Workload], sources: Sequence[Asked], wait: Wait, is_action: bool) -> Workload:
    """Find a workload; a service that is in no list may still be a unit that systemd can load.

    Raises:
        _Unclear: It stands for none, or for several, or a source that could know it has not answered.
    """
    workload: Workload | None = None
    message = ""
    try:
        workload = find(name, workloads)
    except NoTarget as error:
        done = (" Nothing was done." if error.suggestions else "; nothing was done") if is_action else ""
        message = f"{error}{done}"
        if error.is_ambiguous:
            raise _Unclear(NO_SUCH, message) from error
    if silent_sources := silent(name, workloads, sources):
        raise _Unclear(NO_ANSWER, unanswered(name, silent_sources, wait))
    workload = workload or unlisted(name)
    if workload is not None:
        return workload
    if denied_sources := denied(name, sources):
        raise _Unclear(NOT_ALLOWED, _denied_sentence(name, denied_sources))
    raise _Unclear(NO_SUCH, message)


def unanswered(name: str, silent_sources: Sequence[Asked], wait: Wait) -> str:
    """Return the error message for a name that a source could know which has not answered."""
    longer = f", or {longer_words(wait.most_s)}{load_words()}" if any(map(is_late, silent_sources)) else ""
    return f"{silence(name, silent_sources, wait.passed_s, os.environ)}{longer}"


def _denied_sentence(name: str, denied_sources: Sequence[Asked]) -> str:
    reasons = "; ".join(f"{source.state.name} may not be read: {source.state.reason}" for source in denied_sources)
    remedies = "".join(f"\n  fix: {source.state.remedy}" for source in denied_sources if source.state.remedy)
    return f"{sanitize(name)}: not among what may be read, and {reasons}; nothing was done{remedies}"
