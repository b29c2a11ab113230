"""`vmtop compare`: workloads side by side, as they are now and as they were in sessions."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from collectors.actions.targets import NoTarget, find
from collectors.analysis.rates import Deriver, Moment
from collectors.analysis.startup_times import StartupWatch
from collectors.comparison.side_by_side import MOST, Column, side_by_side
from collectors.comparison.window_statistics import WARM_UP_S, Window, fill
from collectors.comparison.workload_classes import Classes
from collectors.model.workloads import Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceSpec
from collectors.session.reader import Session
from tui.cli.exit_codes import NO_SUCH
from tui.cli.options import read_config, source_options
from tui.cli.progress import progress
from tui.cli.sampling import moments
from tui.cli.session_files import opened
from tui.cli.types import SpanType
from tui.presenters.compare import as_text, document
from tui.presenters.doctor import troubles

_STATS = ("mean", "p50", "p95", "max", "last")
_SHOWN_IN = 10
"""Steps that a second of progress is shown in."""
LIVE_S = 10.0
"""How long the present is watched when no window is asked for."""


class Wish(NamedTuple):
    """What to compare."""

    names: tuple[str, ...]
    sessions: tuple[Path, ...] = ()
    window_s: float | None = None
    """`None`: ten seconds of now, the whole of a session."""
    has_now: bool = True
    is_json: bool = False
    stat: str = "mean"


class _Found(NamedTuple):
    side: Column
    session: str | None


@click.command("compare")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--window", "window_s", type=SpanType(), metavar="SPAN", help="Over the last 1m, 5m ...; 10s of now.")
@click.option(
    "--session",
    "sessions",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Compare with a session too; repeatable.",
)
@click.option("--past", "is_past", is_flag=True, help="Only the sessions, not this host now.")
@click.option("--stat", type=click.Choice(_STATS), default="mean", show_default=True, help="What the table shows.")
@click.option("--json", "is_json", is_flag=True, help="Print a JSON document with all statistics.")
@source_options
def command(
    names: tuple[str, ...],
    window_s: float | None,
    sessions: tuple[Path, ...],
    is_past: bool,
    stat: str,
    is_json: bool,
    specs: list[SourceSpec],
) -> int:
    """Put workloads of any kind side by side: a row a metric, a column a workload, the difference to the first.

    Without a NAME: bare metal, virtual machines and containers as they are on this host, row by row; --json tells of
    each value how it was measured, or why it is not measurable here.

    A NAME is a whole name, an id, its first digits (six or more), or kind:name such as vm:db. With --session each
    name is looked up there too, so that before and after stand next to each other.

    Exits with 3 when a name stands for no workload, or for several.
    """

    if not names and stat != "mean":
        raise click.UsageError("--stat needs names of workloads.")
    if not names and sessions:
        return session_classes(sessions, window_s, is_json)
    if not names:
        may_write = not read_config().read_only
        return compare_classes(specs, window_s, is_json, may_write)
    if is_past and not sessions:
        raise click.UsageError("--past needs --session.")
    wish = Wish(names, sessions, window_s, not is_past, is_json, stat)
    return compare(specs, wish)


def compare(specs: Sequence[SourceSpec], wish: Wish) -> int:
    """Print the comparison; return 0, or 3 when a name stands for no workload or for several."""
    try:
        found = [one for name in wish.sessions for one in _in_session(name, wish)]
        now = _now(specs, wish) if wish.has_now else []
    except NoTarget as error:
        click.echo(f"vmtop: {error}", err=True)
        return NO_SUCH
    columns = _ordered(wish.names, now, found)
    missing = [name for name in wish.names if not any(name == typed for typed, _ in (*now, *found))]
    for name in missing:
        click.echo(f"vmtop: {NoTarget(name, [])}", err=True)
    if missing or not columns:
        return NO_SUCH
    if len(columns) > MOST:
        raise click.ClickException(f"{len(columns)} sides are too many to compare; {MOST} fit.")
    sides = [one.side for one in columns]
    rows = side_by_side(sides, wish.stat)
    if wish.is_json:
        click.echo(json.dumps(document(sides, rows, wish.window_s, [one.session for one in columns]), indent=2))
    else:
        click.echo(as_text(sides, rows, wish.stat), nl=False)
    return 0


def _ordered(
    names: Sequence[str], now: Sequence[tuple[str, _Found]], then: Sequence[tuple[str, _Found]]
) -> list[_Found]:
    """Put what was before what is: differences are to the first. With one name each, its past and its present."""
    return [one for name in names for typed, one in (*then, *now) if typed == name]


def _in_session(path: Path, wish: Wish) -> list[tuple[str, _Found]]:
    with opened([path]) as session:
        chosen = _chosen(wish.names, _everyone(session), wish.has_now or len(wish.sessions) > 1)
        last = session.span()[1]
        since = -1.0 if wish.window_s is None else last - wish.window_s
        frames = (frame for _, frame in session.frames(None if since < 0 else since - WARM_UP_S))
        window = fill(frames, [one.id for _, one in chosen], since)
    is_alone = len(wish.sessions) == 1 and not wish.has_now
    label = "" if is_alone else f" @{path.name.removesuffix('.gz').removesuffix('.vmtop')}"
    return [
        (typed, _Found(Column(f"{one.name}{label}", past), str(path)))
        for typed, one in chosen
        if (past := window.past(one.id)) is not None
    ]


def _everyone(session: Session) -> list[Workload]:
    """Return the workloads of a session, as they were last."""
    known: dict[WorkloadId, Workload] = {}
    for _, frame in session.frames():
        known.update(frame.workloads)
    return list(known.values())


def _chosen(names: Sequence[str], workloads: Sequence[Workload], may_lack: bool) -> list[tuple[str, Workload]]:
    """Find the workloads that names stand for; one that is not here may be elsewhere.

    Raises:
        NoTarget: A name stands for several, or for none where it has to be here.
    """
    chosen = []
    for name in dict.fromkeys(names):
        try:
            chosen.append((name, find(name, workloads)))
        except NoTarget as error:
            if error.is_ambiguous or not may_lack:
                raise
    return chosen


def _now(specs: Sequence[SourceSpec], wish: Wish) -> list[tuple[str, _Found]]:
    """Watch the workloads for the window."""
    seconds = LIVE_S if wish.window_s is None else wish.window_s
    watched = _watched(specs, seconds)
    first = next(watched)
    try:
        chosen = _chosen(wish.names, list(first.frame.workloads.values()), bool(wish.sessions))
    except NoTarget:
        watched.close()
        _tell_troubles(first)  # one that could not be read may have it
        raise
    window = Window(one.id for _, one in chosen)
    window.feed(first)
    for moment in watched if chosen else ():
        window.feed(moment)
    watched.close()
    _tell_troubles(first)
    mark = " now" if wish.sessions else ""
    return [
        (typed, _Found(Column(f"{one.name}{mark}", past), None))
        for typed, one in chosen
        if (past := window.past(one.id)) is not None
    ]


def _tell_troubles(moment: Moment) -> None:
    for sentence in troubles(moment.sources):
        click.echo(f"vmtop: {sentence}", err=True)


def compare_classes(specs: Sequence[SourceSpec], window_s: float | None, is_json: bool, may_write: bool) -> int:
    """Print bare metal, virtual machines and containers next to each other, as they are on this host.

    Guest agents are asked where `may_write`: libvirt lets no read-only connection do so.
    """
    from collectors.comparison.facts import FactsReader
    from collectors.comparison.workload_classes import classify
    from collectors.engines.connections import EngineConnections

    seconds = LIVE_S if window_s is None else window_s
    reader, window, watch = FactsReader(EngineConnections(specs), may_write), Window(), StartupWatch()
    last = None
    for last in _watched(specs, seconds):
        if window.first_wall is None:
            reader.begin(last.frame.workloads.values())
        window.feed(last)
        watch.feed(last)
    if last is None:
        return 1
    active = [one for one in last.frame.workloads.values() if one.state.is_active]
    with progress(len(active)) as tell:
        facts = reader.read_all(active, tell)
    classes = classify(window.pasts(last.frame), facts, watch.all(), last.frame)
    _tell_troubles(last)
    _print_classes(classes, seconds, is_json)
    return 0


def session_classes(paths: Sequence[Path], window_s: float | None, is_json: bool) -> int:
    """Print the classes of a session, over all of it or the last of it: what was measured then."""
    from collectors.comparison.workload_classes import classify_recorded

    watch, deriver = StartupWatch(), Deriver()
    with opened(paths) as session:
        since = -1.0 if window_s is None else session.span()[1] - window_s
        window, last = Window(), None
        for _, frame in session.frames():
            last = deriver.feed(frame)
            watch.feed(last)
            if frame.wall > since:
                window.feed(last)
    if last is None:
        raise click.ClickException(f"{sanitize(str(paths[0]))} holds no readable frame; 'vmtop info' shows why.")
    classes = classify_recorded(window.pasts(last.frame), watch.all(), last.frame)
    _print_classes(classes, window_s or window.last_wall - (window.first_wall or 0.0), is_json)
    return 0


def _print_classes(classes: Classes, seconds: float, is_json: bool) -> None:
    from tui.presenters import workload_classes as class_table

    if is_json:
        click.echo(json.dumps(class_table.document(classes, seconds), indent=2))
    else:
        click.echo(class_table.as_text(classes), nl=False)


def _watched(specs: Sequence[SourceSpec], seconds: float) -> Generator[Moment]:
    """Yield the moments of N seconds, with progress on the terminal."""
    stream = moments(specs, max(0.2, min(1.0, seconds / 10)))
    began = None
    with progress(seconds, _SHOWN_IN) as tell:
        for moment in stream:
            began = time.monotonic() if began is None else began
            yield moment
            tell(time.monotonic() - began)
            if time.monotonic() - began >= seconds:
                break
    stream.close()  # type: ignore[attr-defined]  # it is a generator; the annotation promises less
