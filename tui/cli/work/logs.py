"""Printing the logs of workloads, and following them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

import click

from collectors.inspection.logs import open_logs
from collectors.inspection.merged_log import MergedLog
from collectors.model.logs import Log, LogLine
from collectors.sampling.source import SourceSpec
from tui.cli.one_workload import find_workloads, reading
from tui.cli.sampling import Wait
from tui.presenters.logs.line import stamp


def run(
    names: Sequence[str],
    is_followed: bool,
    since: float | None,
    tail: int | None,
    has_times: bool,
    wait: Wait,
    specs: Sequence[SourceSpec],
) -> int:
    """Print the logs of the named workloads, as the options of `vmtop logs` say; return the exit code."""
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
