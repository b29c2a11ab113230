"""`vmtop export`: a session as rows, in CSV, JSON lines, OpenMetrics or Parquet."""

from __future__ import annotations

import dataclasses
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import click

from collectors.model.metrics import METRICS
from collectors.query.filter import Query
from collectors.session.export import write_csv, write_jsonl, write_openmetrics, write_parquet
from collectors.session.format import SessionError
from collectors.session.rows import Row, Selection, rows
from tui.cli.options import FILES, FORCE, FROM, TO, choice_options
from tui.cli.progress import progress
from tui.cli.session_files import not_onto_itself, opened, output, span_of
from tui.cli.types import MetricType, SpanType

_ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".om": "openmetrics", ".parquet": "parquet"}


@click.command("export")
@FILES
@click.option("-o", "--output", "target", type=click.Path(path_type=Path), help="Write here instead of to stdout.")
@click.option("--format", "form", type=click.Choice(("csv", "jsonl", "openmetrics", "parquet")), help="By default csv.")
@click.option("--workload", "names", multiple=True, metavar="NAME", help="A name, id, kind:name, pattern; repeatable.")
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="A host's name, or a pattern; repeatable.")
@click.option("--metric", "metrics", multiple=True, type=MetricType(), help="A metric's name; repeatable.")
@click.option("--step", "step_s", type=SpanType(), default=0.0, metavar="SPAN", help="A row each 10s, 1m ...")
@FROM
@TO
@FORCE
@choice_options
def command(
    files: tuple[Path, ...],
    target: Path | None,
    form: str | None,
    names: tuple[str, ...],
    hosts: tuple[str, ...],
    metrics: tuple[str, ...],
    step_s: float,
    start: str | None,
    stop: str | None,
    is_forced: bool,
    query: Query | None,
    only: str | None,
) -> int:
    """Write a session as rows: one for each workload and frame, the host's too (kind `host`)."""

    metric_keys = metrics or tuple(METRICS)
    selection = Selection(None, None, step_s, names, query, only, tuple(dict.fromkeys(metric_keys)), hosts)
    return _export(files, form, target, selection, (start, stop), is_forced)


def _export(
    paths: Sequence[Path],
    form: str | None,
    target: Path | None,
    selection: Selection,
    span: tuple[str | None, str | None],
    is_forced: bool,
) -> int:
    not_onto_itself(paths, target)
    format_name = form or (_ENDINGS.get(target.suffix, "csv") if target is not None else "csv")
    if format_name == "parquet" and target is None and sys.stdout.isatty():
        raise click.ClickException("Parquet is binary: write it to a file with -o.")
    with opened(paths) as session:
        start, stop = span_of(session, *span)
        span_selection = dataclasses.replace(selection, start=start, stop=stop)
        first, last = session.span()
        begin, end = (first if start is None else start), (last if stop is None else stop)
        with output(target, is_forced) as stream, progress(int(end - begin) + 1) as advance:
            counted = _Counted(rows(session, span_selection, lambda wall: advance(wall - begin)))
            _write(format_name, counted, selection.metrics, stream)
            if not counted.count:
                raise SessionError("nothing matches: 'vmtop info' lists the workloads of the session and their times")
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
    text_stream = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        {"csv": write_csv, "jsonl": write_jsonl, "openmetrics": write_openmetrics}[form](source, metrics, text_stream)
        text_stream.flush()
    finally:
        text_stream.detach()
