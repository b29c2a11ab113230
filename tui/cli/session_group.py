"""The commands on sessions: record, replay, info, export, cut, report. Their work is imported when they run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import (
    FILES,
    FORCE,
    FROM,
    LEAST_ROTATION,
    TO,
    choice_options,
    interval_option,
    log_option,
    look_options,
    require_terminal,
    screen_choice,
    source_options,
)
from tui.cli.types import MetricType, SizeType, SpanType

if TYPE_CHECKING:
    from collectors.query.filter import Query
    from collectors.sampling.source import SourceSpec


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--duration", "duration_s", type=SpanType(), default=0.0, metavar="SPAN", help="End after 10m, 2h ...")
@click.option("--rotate-size", type=SizeType(), default=0, metavar="SIZE", help="Begin the next file at 100M, 1G ...")
@click.option("--rotate-age", type=SpanType(), default=0.0, metavar="SPAN", help="Begin the next file after 1h, 1d ...")
@click.option("--keep", type=click.IntRange(1), default=None, help="With rotation: keep so many files.")
@FORCE
@interval_option
@source_options
def record(
    file: Path,
    duration_s: float,
    rotate_size: int,
    rotate_age: float,
    keep: int | None,
    is_forced: bool,
    interval_s: float,
    specs: list[SourceSpec],
) -> int:
    """Record what the screen would show into FILE, without a screen; `-` is standard output.

    With rotation FILE is a name to which the time is added: web.vmtop.gz becomes web-20261124-031200.vmtop.gz.

    Exits with 0 when it was asked to end, 1 when frames were lost, 129 when its terminal went away.
    """
    from collectors.session.format import SessionError
    from collectors.session.sinks import Rotation
    from tui.cli.commands.record import Plan
    from tui.cli.commands.record import record as run

    rotation = Rotation(rotate_size, rotate_age, keep or 0)
    if keep and not rotation.is_wanted:
        raise click.UsageError("--keep goes with --rotate-size or --rotate-age.")
    if 0 < rotate_size < LEAST_ROTATION:
        raise click.UsageError("--rotate-size is at least 64K.")
    if rotation.is_wanted and str(file) == "-":
        raise click.UsageError("standard output cannot be rotated.")
    try:
        return run(specs, Plan(file, interval_s, duration_s, rotation, is_forced))
    except SessionError as error:
        raise click.ClickException(str(error)) from error


@click.command()
@FILES
@click.option("--json", "is_json", is_flag=True, help="Print a JSON document.")
def info(files: tuple[Path, ...], is_json: bool) -> int:
    """Tell what is in a session: span, gaps, workloads with their peaks, events, damage.

    Exits with 1 if something of it is damaged.
    """
    from tui.cli.commands.sessions import show_info

    return show_info(files, is_json)


@click.command()
@FILES
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
@click.option("--format", "form", type=click.Choice(("csv", "jsonl", "openmetrics", "parquet")), help="By default csv.")
@click.option("--workload", "names", multiple=True, metavar="NAME", help="A name, id, kind:name, pattern; repeatable.")
@click.option("--metric", "metrics", multiple=True, type=MetricType(), help="A metric's name; repeatable.")
@click.option("--step", "step_s", type=SpanType(), default=0.0, metavar="SPAN", help="A row each 10s, 1m ...")
@FROM
@TO
@FORCE
@choice_options
def export(
    files: tuple[Path, ...],
    target: Path | None,
    form: str | None,
    names: tuple[str, ...],
    metrics: tuple[str, ...],
    step_s: float,
    start: str | None,
    stop: str | None,
    is_forced: bool,
    query: Query | None,
    only: str | None,
) -> int:
    """Write a session as rows: one for each workload and frame, the host's too (kind `host`)."""
    from collectors.model.metrics import METRICS
    from collectors.session.rows import Selection
    from tui.cli.commands.sessions import export as run

    chosen = metrics or tuple(METRICS)
    selection = Selection(None, None, step_s, names, query, only, tuple(dict.fromkeys(chosen)))
    return run(files, form, target, selection, (start, stop), is_forced)


@click.command()
@FILES
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), required=True, help="The new file.")
@FROM
@TO
@FORCE
def cut(files: tuple[Path, ...], target: Path, start: str | None, stop: str | None, is_forced: bool) -> int:
    """Copy a part of a session into a new file, with all that it holds."""
    from tui.cli.commands.sessions import cut_out

    return cut_out(files, start, stop, target, is_forced)


@click.command()
@FILES
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), required=True, help="The new page.")
@FORCE
def report(files: tuple[Path, ...], target: Path, is_forced: bool) -> int:
    """Write a session as one HTML page: the host, the workloads, the events."""
    from tui.cli.commands.sessions import report as run

    return run(files, target, is_forced)


@click.command()
@FILES
@click.option("--at", metavar="TIME", help="Where to begin: 03:12, 10m ago, end.")
@click.option("--speed", type=click.FloatRange(0.25, 64), default=1.0, show_default=True, help="Times real time.")
@choice_options
@look_options
@log_option
def replay(
    files: tuple[Path, ...], at: str | None, speed: float, query: Query | None, only: str | None, **looks: Any
) -> int:
    """Show a session on the same screen as it was lived; one that is being written is followed."""
    from tui.app.replay import replay as run

    require_terminal("'vmtop info' tells what is in a session, 'vmtop export' writes it as rows.")
    return run(files, at, speed, screen_choice(query, only, **looks))


COMMANDS = (record, replay, info, export, cut, report)
