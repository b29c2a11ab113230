"""`vmtop compare`. Its work is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.cli.options import read_config, source_options
from tui.cli.types import SpanType

if TYPE_CHECKING:
    from collectors.sampling.source import SourceSpec

_STATS = ("mean", "p50", "p95", "max", "last")


@click.command()
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
def compare(
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
    name is looked for there too, so that before and after stand beside each other.

    Exits with 3 when a name stands for no workload, or for several.
    """
    from tui.cli.commands.compare import Wish, compare_classes, session_classes
    from tui.cli.commands.compare import compare as run

    if not names and stat != "mean":
        raise click.UsageError("--stat goes with the names of workloads.")
    if not names and sessions:
        return session_classes(sessions, window_s, is_json)
    if not names:
        may_write = not read_config().read_only
        return compare_classes(specs, window_s, is_json, may_write)
    if is_past and not sessions:
        raise click.UsageError("--past goes with --session.")
    wish = Wish(names, sessions, window_s, not is_past, is_json, stat)
    return run(specs, wish)
