"""What a command was asked for and cannot show: a sentence for each source, and the exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from collectors.analysis.empty_cells import has_failed
from collectors.analysis.rates import Moment, Reading
from collectors.engines.registry import could_know, engine_of_source, owner
from collectors.model.metrics import METRICS
from collectors.model.workloads import Availability, Kind, SourceState
from collectors.query.filter import find_metric
from collectors.sampling.source import REMOTE, SourceSpec
from tui.cli.exit_codes import DONE, FAILED, NO_ANSWER
from tui.cli.sampling import Wait, without_rates
from tui.presenters.load import late_words
from tui.presenters.pages.empty_reason import why_empty
from tui.presenters.reports.list_table import Choice
from tui.presenters.reports.troubles import troubles

_KERNEL = frozenset({"host", "cgroup"})
"""Sources without which there are no numbers."""
_LATE = frozenset({Availability.WAITING, Availability.STALE})


def report(moment: Moment, specs: Sequence[SourceSpec], wait: Wait, choice: Choice | None = None) -> int:
    """Print on stderr what could not be read; return the exit code.

    It is not 0 where something is missing that was asked for: the kernel's numbers, an engine whose address was given,
    or a workload that the choice may mean and whose engine has not answered.
    """
    missing, hint = _missing(moment, specs, choice), nameless(moment, specs)
    for state in moment.sources:
        if state.availability is Availability.WAITING:
            _print(f"{state.title} has not answered{late_words(wait.passed_s, wait.most_s)}")
        else:
            for sentence in troubles([state], includes_absent=state in missing):
                if not hint.startswith(f"{sentence}:"):
                    _print(sentence)
    if hint:
        _print(hint)
    for name in _read_once(moment):
        _print(f"{name} has not been read twice, as rates need,{late_words(wait.passed_s, wait.most_s)}")
    return exit_code(moment, specs, choice)


def nameless(moment: Moment, specs: Sequence[SourceSpec]) -> str:
    """Return a sentence with the remedy where containers have no names because there is no engine; else empty."""
    workloads = moment.frame.workloads.values()
    count = sum(workload.kind is Kind.CONTAINER and not workload.name_is_known for workload in workloads)
    for spec, state in zip(specs, moment.own_sources, strict=True) if count else ():
        engine = engine_of_source(spec.name)
        if engine.address is not None and "container" in engine.kinds and state.availability is Availability.ABSENT:
            names = f"the names of {count} containers are" if count > 1 else "the name of 1 container is"
            return f"{state.name}: {state.reason}: {names} unknown; give {engine.address.flag}, or see vmtop doctor"
    return ""


def report_empty(moment: Moment, readings: Sequence[Reading], choice: Choice) -> int:
    """Print on stderr which of what was asked for could not be measured for any workload; return the exit code.

    Asked for are the metric to sort by and the columns, where they were given. A metric that no workload has, such as
    the share of a limit where there are no limits, is not missing.
    """
    running = [reading for reading in readings if reading.workload.state.is_active]
    asked = [metric.key] if choice.is_sort_asked and (metric := find_metric(choice.sort.lower())) else []
    asked += [column.key for column in choice.columns if column.is_metric]
    code = DONE
    for key in dict.fromkeys(asked):
        if not running or any(reading.value(key) is not None for reading in running):
            continue
        reasons = [
            why_empty(key, reading, moment)
            for reading in running
            if has_failed(key, reading, moment, owner(reading.workload).name)
        ]
        if reasons:
            _print(
                f"{METRICS[key].label} could not be measured for any workload: {Counter(reasons).most_common(1)[0][0]}"
            )
            is_late = any(state.availability in _LATE for state in moment.sources)
            code = code or (NO_ANSWER if is_late else FAILED)
    return code


def exit_code(moment: Moment, specs: Sequence[SourceSpec], choice: Choice | None = None) -> int:
    """Return 8 if something that was asked for came too late, 1 if it cannot be read, else 0."""
    missing = _missing(moment, specs, choice)
    if _read_once(moment) or any(state.availability is Availability.WAITING for state in missing):
        return NO_ANSWER
    return FAILED if missing or not (moment.host.pairs or moment.readings) else DONE


def _print(sentence: str) -> None:
    click.echo(f"vmtop: {sentence}", err=True)


def _read_once(moment: Moment) -> list[str]:
    """Return the sources of the kernel that have been read, but not twice."""
    return [name for name in without_rates(moment) if name in _KERNEL]


def _missing(moment: Moment, specs: Sequence[SourceSpec], choice: Choice | None) -> list[SourceState]:
    """Return the states of the sources that have not given what was asked of them."""
    states = zip(specs, moment.own_sources, strict=True)
    return [state for spec, state in states if _is_missing(spec, state, choice or Choice())]


def _is_missing(spec: SourceSpec, state: SourceState, choice: Choice) -> bool:
    """Return whether a source has not given what was asked of it."""
    if state.read_at_ns is not None:
        return False
    if spec.name == REMOTE:
        return True
    if spec.name in _KERNEL:
        return state.availability is not Availability.ABSENT
    address = engine_of_source(spec.name).address
    if address is not None and spec.options.get(address.key):
        return True
    return state.availability is Availability.WAITING and _may_list(spec, choice)


def _may_list(spec: SourceSpec, choice: Choice) -> bool:
    """Return whether a source could list what was chosen by kind or by a text that its engine knows."""
    kinds = choice.kinds
    if kinds is None:
        return choice.asks_text
    return any(could_know(spec, Kind(kind)) for kind in kinds)
