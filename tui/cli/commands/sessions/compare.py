"""`vmtop compare`: workloads side by side, as they are now and as they were in sessions."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Generator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from collectors.actions.targets import NoTarget, find
from collectors.analysis.rates import Deriver, Moment
from collectors.analysis.startup_times import StartupWatch
from collectors.comparison.side_by_side import MOST, Column, side_by_side
from collectors.comparison.window_statistics import WARM_UP_S, Window, fill
from collectors.comparison.workload_classes import Classes
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceSpec
from tui.cli.commands.sessions.budgets import BudgetOptions, judge_recordings, last_workloads
from tui.cli.commands.sessions.session_files import opened
from tui.cli.completion.session_path import SessionPath
from tui.cli.configuration import config_for_looking
from tui.cli.exit_codes import DONE, NO_SUCH
from tui.cli.missing import report
from tui.cli.options import names_argument, source_options, wait_option
from tui.cli.progress import progress
from tui.cli.sampling import Wait, moments
from tui.cli.targets import NotFound, asked_sources, gravest, why_not_found
from tui.cli.types import SpanType
from tui.cli.verdict_files import verdict_options
from tui.presenters.comparison.side_by_side import as_text, document

_STATS = ("mean", "p50", "p95", "max", "last")
_SHOWN_IN = 10
"""Steps of the progress bar per second."""
LIVE_S = 10.0
"""Seconds for which this host is watched without --window."""


class CompareOptions(NamedTuple):
    """What to compare."""

    names: tuple[str, ...]
    sessions: tuple[Path, ...] = ()
    window_s: float | None = None
    """Seconds; `None` is 10 s of this host and the whole of a session."""
    has_now: bool = True
    is_json: bool = False
    stat: str = "mean"


class _Side(NamedTuple):
    column: Column
    session: str | None


class _Live(NamedTuple):
    sides: list[tuple[str, _Side]]
    code: int
    """The exit code: not 0 if a source that was asked for, or could know a name, has not answered."""
    reported: Collection[str] = ()
    """Names whose workload could not be looked up; the reason has been printed."""


class _Unclear(Exception):
    """Names that stand for no workload, or for an unknown one; they have been reported."""

    def __init__(self, code: int) -> None:
        self.code = code


@click.command("compare")
@names_argument(is_required=False)
@click.option("--window", "window_s", type=SpanType(), metavar="SPAN", help="Over the last 1m, 5m ...; 10s of now.")
@click.option(
    "--session",
    "sessions",
    multiple=True,
    metavar="FILE",
    type=SessionPath(),
    help="Compare with a session too; repeatable.",
)
@click.option("--past", "is_past", is_flag=True, help="Only the sessions, not this host now.")
@click.option("--stat", type=click.Choice(_STATS), default="mean", show_default=True, help="What the table shows.")
@click.option("--json", "is_json", is_flag=True, help="Print a JSON document with all statistics.")
@click.option(
    "--fail-if",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Judge the last session: 'mem > +10%', 'mem.p95 > +50M', 'cpu > 80%'; repeatable.",
)
@verdict_options
@wait_option
@source_options
def command(
    names: tuple[str, ...],
    window_s: float | None,
    sessions: tuple[Path, ...],
    is_past: bool,
    stat: str,
    is_json: bool,
    conditions: tuple[str, ...],
    junit_path: Path | None,
    has_summary: bool,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Put workloads of any kind side by side: a row a metric, a column a workload, the difference to the first.

    Without a NAME: bare metal, virtual machines and containers as they are on this host, row by row; --json shows
    how each value was measured, or why it cannot be measured here.

    A NAME is a whole name, an id, its first digits (six or more), or kind:name such as vm:db; of several hosts,
    HOST/NAME. With --session each
    name is looked up there too, so that before and after stand next to each other.

    Waits until every source has answered, 30 s at most (--wait), before the time to compare begins. Exits with 3 when a
    name stands for no workload, or for several, with 4 when it may be among what this user may not read, and with 8
    when a source that was asked for, or could know a name, has not answered.

    With --fail-if, which needs --past, the second of two sessions is judged against the first. An allowance has a plus
    (+10% of the first, +50M), a bound has none; mean, p95 and max can be chosen (mem.max). Exits with 10 if more than
    chance is above what is allowed, and with 11 if that cannot be told. Two NAMEs are one for each side.
    """

    if conditions:
        if not is_past or stat != "mean":
            raise click.UsageError("--fail-if judges sessions: add --past, and give statistics as in 'mem.p95 > +10%'.")
        budget = BudgetOptions(names, sessions, conditions, window_s, is_json, junit_path, has_summary)
        return judge_recordings(budget)
    if junit_path is not None or has_summary:
        raise click.UsageError("--junit and --summary write verdicts: they need --fail-if.")
    if not names and stat != "mean":
        raise click.UsageError("--stat needs names of workloads.")
    if not names and sessions:
        return session_classes(sessions, window_s, is_json)
    if not names:
        may_write = not config_for_looking().read_only
        return compare_classes(specs, window_s, is_json, may_write, wait)
    if is_past and not sessions:
        raise click.UsageError("--past needs --session.")
    options = CompareOptions(names, sessions, window_s, not is_past, is_json, stat)
    return compare(specs, options, wait)


def compare(specs: Sequence[SourceSpec], options: CompareOptions, wait: Wait) -> int:
    """Print the comparison; return 0, 3 when a name stands for no workload or for several, or as `report` does."""
    live = _Live([], DONE)
    try:
        session_sides = [side for name in options.sessions for side in _session_sides(name, options)]
        if options.has_now:
            live = _live_sides(specs, options, wait)
    except _Unclear as error:
        return error.code
    except NoTarget as error:
        click.echo(f"vmtop: {error}", err=True)
        return NO_SUCH
    live_sides = live.sides
    sides = _ordered(options.names, live_sides, session_sides)
    missing = [
        name for name in options.names if not any(name == typed_name for typed_name, _ in (*live_sides, *session_sides))
    ]
    for name in missing:
        if name not in live.reported:
            click.echo(f"vmtop: {NoTarget(name, [])}", err=True)
    if missing or not sides:
        return NO_SUCH if set(missing).difference(live.reported) else live.code
    if len(sides) > MOST:
        raise click.ClickException(f"{len(sides)} sides are too many to compare; {MOST} fit.")
    columns = [side.column for side in sides]
    rows = side_by_side(columns, options.stat)
    if options.is_json:
        click.echo(json.dumps(document(columns, rows, options.window_s, [side.session for side in sides]), indent=2))
    else:
        click.echo(as_text(columns, rows, options.stat), nl=False)
    return live.code


def _ordered(
    names: Sequence[str], live_sides: Sequence[tuple[str, _Side]], session_sides: Sequence[tuple[str, _Side]]
) -> list[_Side]:
    """Order the sides by name, the past before the present: differences are to the first side."""
    return [side for name in names for typed_name, side in (*session_sides, *live_sides) if typed_name == name]


def _session_sides(path: Path, options: CompareOptions) -> list[tuple[str, _Side]]:
    with opened([path]) as session:
        named_workloads = _find_named(
            options.names, last_workloads(session), options.has_now or len(options.sessions) > 1
        )
        last_wall = session.span()[1]
        since = -1.0 if options.window_s is None else last_wall - options.window_s
        frames = (frame for _, frame in session.frames(None if since < 0 else since - WARM_UP_S))
        window = fill(frames, [workload.id for _, workload in named_workloads], since)
    is_alone = len(options.sessions) == 1 and not options.has_now
    label = "" if is_alone else f" @{path.name.removesuffix('.gz').removesuffix('.vmtop')}"
    return [
        (typed_name, _Side(Column(f"{workload.typed_name}{label}", past), str(path)))
        for typed_name, workload in named_workloads
        if (past := window.past(workload.id)) is not None
    ]


def _find_named(
    names: Sequence[str], workloads: Sequence[Workload], may_be_missing: bool
) -> list[tuple[str, Workload]]:
    """Find the workloads that names stand for. With `may_be_missing`, a name that matches none is left out.

    Raises:
        NoTarget: A name stands for several workloads, or for none and must not be missing.
    """
    named_workloads = []
    for name in dict.fromkeys(names):
        try:
            named_workloads.append((name, find(name, workloads)))
        except NoTarget as error:
            if error.is_ambiguous or not may_be_missing:
                raise
    return named_workloads


def _live_sides(specs: Sequence[SourceSpec], options: CompareOptions, wait: Wait) -> _Live:
    """Watch the workloads for the window."""
    seconds = LIVE_S if options.window_s is None else options.window_s
    window_moments = _watched(specs, seconds, wait)
    first = next(window_moments)
    workloads = list(first.frame.workloads.values())
    named_workloads: list[tuple[str, Workload]] = []
    unclear: dict[str, NotFound] = {}
    for name in dict.fromkeys(options.names):
        try:
            named_workloads.append((name, find(name, workloads)))
        except NoTarget as error:
            reason = why_not_found(error, workloads, asked_sources(specs, first), wait)
            if reason.code != NO_SUCH or error.is_ambiguous or not options.sessions:
                unclear[name] = reason
                click.echo(f"vmtop: {reason.sentence}", err=True)
    unclear_code = gravest([reason.code for reason in unclear.values()])
    if unclear and (unclear_code == NO_SUCH or not options.sessions):
        window_moments.close()
        if unclear_code == NO_SUCH:
            report(first, specs, wait)
        raise _Unclear(unclear_code)
    window = Window(workload.id for _, workload in named_workloads)
    window.feed(first)
    for moment in window_moments if named_workloads else ():
        window.feed(moment)
    window_moments.close()
    code = unclear_code or report(first, specs, wait)
    label = " now" if options.sessions else ""
    sides = [
        (typed_name, _Side(Column(f"{workload.typed_name}{label}", past), None))
        for typed_name, workload in named_workloads
        if (past := window.past(workload.id)) is not None
    ]
    return _Live(sides, code, unclear)


def compare_classes(
    specs: Sequence[SourceSpec], window_s: float | None, is_json: bool, may_write: bool, wait: Wait
) -> int:
    """Print bare metal, virtual machines and containers next to each other, as they are on this host.

    Guest agents are asked only if `may_write`: a read-only connection to libvirt cannot do so.
    """
    from collectors.comparison.facts import FactsReader
    from collectors.comparison.workload_classes import classify
    from collectors.engines.connections import EngineConnections

    seconds = LIVE_S if window_s is None else window_s
    reader, window, watch = FactsReader(EngineConnections(specs), may_write), Window(), StartupWatch()
    moment = None
    for moment in _watched(specs, seconds, wait):
        if window.first_wall is None:
            reader.begin(moment.frame.workloads.values())
        window.feed(moment)
        watch.feed(moment)
    if moment is None:
        return 1
    active = [workload for workload in moment.frame.workloads.values() if workload.state.is_active]
    with progress(len(active)) as advance:
        facts = reader.read_all(active, advance)
    classes = classify(window.pasts(moment.frame), facts, watch.all(), moment.frame)
    code = report(moment, specs, wait)
    _print_classes(classes, seconds, is_json)
    return code


def session_classes(paths: Sequence[Path], window_s: float | None, is_json: bool) -> int:
    """Print the classes of a session, over its last `window_s` seconds or all of it: only what was recorded."""
    from collectors.comparison.workload_classes import classify_recorded

    watch, deriver = StartupWatch(), Deriver()
    with opened(paths) as session:
        since = -1.0 if window_s is None else session.span()[1] - window_s
        window, moment = Window(), None
        for _, frame in session.frames():
            moment = deriver.feed(frame)
            watch.feed(moment)
            if frame.wall > since:
                window.feed(moment)
    if moment is None:
        raise click.ClickException(f"{sanitize(str(paths[0]))} holds no readable frame; 'vmtop info' shows why.")
    classes = classify_recorded(window.pasts(moment.frame), watch.all(), moment.frame)
    _print_classes(classes, window_s or window.last_wall - (window.first_wall or 0.0), is_json)
    return 0


def _print_classes(classes: Classes, seconds: float, is_json: bool) -> None:
    from tui.presenters.comparison import classes as class_table

    if is_json:
        click.echo(json.dumps(class_table.document(classes, seconds), indent=2))
    else:
        click.echo(class_table.as_text(classes), nl=False)


def _watched(specs: Sequence[SourceSpec], seconds: float, wait: Wait) -> Generator[Moment]:
    """Yield the moments of N seconds, with progress on the terminal."""
    interval_s = max(0.2, min(1.0, seconds / 10))
    stream = moments(specs, interval_s, wait, over_s=interval_s)
    start = None
    with progress(seconds, _SHOWN_IN) as advance:
        for moment in stream:
            start = time.monotonic() if start is None else start
            yield moment
            advance(time.monotonic() - start)
            if time.monotonic() - start >= seconds:
                break
    stream.close()  # type: ignore[attr-defined]  # it is a generator; the annotation promises less
