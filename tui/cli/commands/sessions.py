"""What the commands on session files do: tell what is in one, cut, export, report. Progress goes to stderr."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import BinaryIO

import click

from collectors.json_document import timestamp
from collectors.query.time_parser import TimeError, parse_time
from collectors.safety.sanitize import sanitize
from collectors.session.cut import cut
from collectors.session.downsample import Buckets
from collectors.session.export import write_csv, write_jsonl, write_openmetrics, write_parquet
from collectors.session.format import SessionError
from collectors.session.reader import Session
from collectors.session.rows import Row, Selection, rows
from collectors.session.storage import finished_file
from collectors.session.summary import Step, Summary, survey
from tui.cli.progress import progress
from tui.presenters.formatting import stamp
from tui.presenters.html_report import page
from tui.presenters.session_summary import as_text

_STEPS = 480
"""Of a report's charts."""
INFO_SCHEMA = "vmtop.info/1"
_ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".om": "openmetrics", ".parquet": "parquet"}


@contextmanager
def opened(paths: Sequence[Path]) -> Iterator[Session]:
    """Open a session; what cannot be read is an error of one sentence, and so is all that goes wrong inside."""
    try:
        session = Session(paths)
        try:
            yield session
        finally:
            session.close()
    except (SessionError, TimeError) as error:
        raise click.ClickException(str(error)) from error


def not_onto_itself(paths: Sequence[Path], target: Path | None) -> None:
    """Refuse to write over what is read.

    Raises:
        ClickException: The target is one of the files.
    """
    if target is not None and target.exists() and any(path.exists() and path.samefile(target) for path in paths):
        raise click.ClickException(f"{sanitize(str(target))} is what is read: write to another file.")


def span_of(session: Session, start: str | None, stop: str | None) -> tuple[float | None, float | None]:
    """Return the wall times of a span.

    Raises:
        TimeError: One of them is no time, or they are in the wrong order.
    """
    first, last = session.span()
    since = None if start is None else parse_time(start, first, last)
    until = None if stop is None else parse_time(stop, first, last, since)
    if since is not None and until is not None and since > until:
        raise TimeError(f"--from {start!r} is after --to {stop!r}.")
    if (since is not None and since > last) or (until is not None and until < first):
        raise TimeError(f"no frame lies in this span: the session is {stamp(first)} to {stamp(last)}.")
    if since is not None and since < first - 1:
        click.echo(f"vmtop: --from {start} is {stamp(since)}; the session begins at {stamp(first)}", err=True)
    return since, until


def show_info(paths: Sequence[Path], is_json: bool) -> int:
    """Print what is in a session; return 1 if something of it is damaged."""
    with opened(paths) as session:
        summary = _surveyed(session)
        told = json.dumps(_document(summary), indent=2) if is_json else as_text(summary).rstrip()
        click.echo(told)
        return 1 if summary.damage else 0


def cut_out(paths: Sequence[Path], start: str | None, stop: str | None, target: Path, is_forced: bool) -> int:
    """Write a part of a session into a new file."""
    not_onto_itself(paths, target)
    with opened(paths) as session:
        since, until = span_of(session, start, stop)
        with finished_file(target, is_forced) as descriptor:
            steps = cut(session, -inf if since is None else since, inf if until is None else until, descriptor)
            _run(steps, len(session.members))
    click.echo(
        f"vmtop: {sanitize(str(target))} is written; replay it with: vmtop replay {sanitize(str(target))}", err=True
    )
    return 0


def export(
    paths: Sequence[Path],
    form: str | None,
    target: Path | None,
    selection: Selection,
    span: tuple[str | None, str | None],
    is_forced: bool,
) -> int:
    """Write the rows of a session to a file or to stdout."""
    not_onto_itself(paths, target)
    chosen = form or (_ENDINGS.get(target.suffix, "csv") if target is not None else "csv")
    if chosen == "parquet" and target is None and sys.stdout.isatty():
        raise click.ClickException("Parquet is no text for a terminal: give a file with -o.")
    with opened(paths) as session:
        start, stop = span_of(session, *span)
        wanted = dataclasses.replace(selection, start=start, stop=stop)
        first, last = session.span()
        begin, end = (first if start is None else start), (last if stop is None else stop)
        with _target(target, is_forced) as stream, progress(int(end - begin) + 1) as advance:
            counted = _Counted(rows(session, wanted, lambda wall: advance(wall - begin)))
            _write(chosen, counted, selection.metrics, stream)
            if not counted.count:
                raise SessionError("nothing matches: 'vmtop info' tells who is in the session, and when")
    return 0


class _Counted:
    """Counts rows as they pass."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            yield row


def _write(form: str, source: Iterable[Row], metrics: tuple[str, ...], stream: BinaryIO) -> None:
    if form == "parquet":
        write_parquet(source, metrics, stream)
        return
    words = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        {"csv": write_csv, "jsonl": write_jsonl, "openmetrics": write_openmetrics}[form](source, metrics, words)
        words.flush()
    finally:
        words.detach()


@contextmanager
def _target(path: Path | None, is_forced: bool) -> Iterator[BinaryIO]:
    """Open what is written: a file that is there only when it is finished, or stdout."""
    if path is None:
        yield sys.stdout.buffer
        return
    with finished_file(path, is_forced) as descriptor, open(descriptor, "wb", closefd=False) as stream:
        yield stream


def report(paths: Sequence[Path], target: Path, is_forced: bool) -> int:
    """Write a session as an HTML page."""
    not_onto_itself(paths, target)
    with opened(paths) as session:
        buckets = Buckets(*session.span(), count=max(2, min(_STEPS, session.total())))
        summary = _last(survey(session, buckets.take), len(session.members))
        with _target(target, is_forced) as stream:
            stream.write(page(summary, buckets).encode("utf-8", "replace"))
    if summary.damage:
        click.echo("vmtop: parts of the session are damaged; the page tells which", err=True)
    click.echo(f"vmtop: {sanitize(str(target))} is written; any browser shows it", err=True)
    return 0


def _surveyed(session: Session) -> Summary:
    return _last(survey(session), len(session.members))


def _last(steps: Iterator[Step], count: int) -> Summary:
    summary = Summary([], 0)
    with progress(count) as advance:
        for step in steps:
            advance(step.done)
            summary = step.summary
    return summary


def _run(steps: Iterator[int], count: int) -> None:
    with progress(count) as advance:
        for done in steps:
            advance(done)


def _document(summary: Summary) -> dict[str, object]:
    return {
        "schema": INFO_SCHEMA,
        "files": summary.files,
        "size_bytes": summary.size,
        "members": summary.members,
        "runs": summary.runs,
        "hosts": summary.hosts,
        "first": timestamp(summary.first),
        "last": timestamp(summary.last),
        "frames": summary.frames,
        "interval_seconds": summary.interval_s,
        "workload_samples": summary.samples,
        "bytes_per_workload_sample": summary.bytes_per_sample,
        "gaps": [
            {"from": timestamp(gap.since), "to": timestamp(gap.until), "frames": gap.frames, "why": gap.why}
            for gap in summary.gaps
        ],
        "damage": [damage._asdict() for damage in summary.damage],
        "events": summary.event_counts,
        "workloads": [
            {
                "engine": life.id.engine,
                "id": life.id.id,
                "kind": life.kind,
                "name": life.name,
                "first": timestamp(life.first),
                "last": timestamp(life.last),
                "frames": life.frames,
                "cpu_seconds": life.cpu_seconds,
                "peaks": life.peaks,
            }
            for life in summary.lives.values()
        ],
    }
