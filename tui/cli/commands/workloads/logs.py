"""`vmtop logs`: what workloads wrote, as the log page shows it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

import click

from collectors.inspection.logs import open_logs
from collectors.inspection.merged_log import MergedLog
from collectors.model.logs import Log, LogLine
from collectors.sampling.source import SourceSpec
from tui.cli.one_workload import find_workloads, reading
from tui.cli.options import names_argument, source_options, wait_option
from tui.cli.sampling import Wait
from tui.cli.types import SinceType
from tui.presenters.logs.line import stamp

_CHUNK = 1000
"""Lines read at once."""


@click.command("logs")
@names_argument()
@click.option("--follow", "-f", "is_followed", is_flag=True, help="Go on with what is written from now on.")
@click.option("--since", type=SinceType(), metavar="TIME", help="Only from then on: 10m, 03:10, 2026-11-24 03:12.")
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines.")
@click.option("--timestamps", "-t", "has_times", is_flag=True, help="Put its time (UTC) before each line.")
@wait_option
@source_options
def command(
    names: tuple[str, ...],
    is_followed: bool,
    since: float | None,
    tail: int | None,
    has_times: bool,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Print the log of workloads: a container's from its engine, a virtual machine's console, a service's journal.

    The logs of several are merged by time, with the name before each line. Colours and other control sequences are
    left out.

    \b
      vmtop logs web --since 10m
      vmtop logs web db -f
      vmtop logs -t service:nginx | grep error

    Exits with 3 if a NAME stands for no workload or for several, 4 if the log may not be read, 8 if a source that could
    know a NAME has not answered, and 1 if there is no log.
    """
    if since is not None and tail is not None:
        raise click.UsageError("--since and --tail exclude each other; give one of them.")
    workloads = find_workloads(names, specs, wait)
    labels = [workload.name for workload in workloads] if len(workloads) > 1 else []
    with reading(workloads[0] if not labels else None, specs) as connections:
        log = open_logs(workloads, connections)
        try:
            last = _print(_written(log, since, tail), labels, has_times, is_flushed=False)
            if isinstance(log, MergedLog):
                for index, problem in log.problems.items():
                    click.echo(f"vmtop: {workloads[index].name}: {problem}", err=True)
            if is_followed:
                _print(log.follow(last), labels, has_times, is_flushed=True)
        finally:
            log.close()
    return 0


def _written(log: Log, since: float | None, tail: int | None) -> Iterator[LogLine]:
    """Yield what has been written, oldest first."""
    if tail is not None:
        yield from _last(log, tail) if tail else ()
        return
    before = log.until(since, 1) if since is not None else []
    yield from log.written(before[-1] if before else None)


def _last(log: Log, count: int) -> list[LogLine]:
    """Return the last lines; a log returns fewer at once where they are long."""
    lines = log.last(count)
    while lines and len(lines) < count and (older := log.before(lines[0], count - len(lines))):
        lines = older + lines
    return lines


def _print(lines: Iterable[LogLine], labels: Sequence[str], has_times: bool, is_flushed: bool) -> LogLine | None:
    """Print lines, with `is_flushed` each as it comes; return the last one."""
    width = max(map(len, labels), default=0)
    last = None
    for last in lines:
        name = f"{labels[last.workload]:<{width}} | " if labels else ""
        sys.stdout.write(f"{stamp(last.at, 'utc') + ' ' if has_times else ''}{name}{last.text}\n")
        if is_flushed:
            sys.stdout.flush()
    sys.stdout.flush()
    return last
