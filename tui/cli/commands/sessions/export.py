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
from collectors.session.exporting.rows import Row, Selection, rows
from collectors.session.exporting.writers import write_csv, write_jsonl, write_openmetrics, write_parquet
from collectors.session.format import SessionError
from tui.cli.commands.sessions.session_files import not_onto_itself, opened, output, span_of
from tui.cli.options import FILES, FORCE, FROM, TO, choice_options
from tui.cli.progress import progress
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
@click.option(
    "--into",
    metavar="URL|NAME|FOLDER",
    help="Send raw counters into VictoriaMetrics (URL, or a name of the configuration), or make blocks for Prometheus.",
)
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="With --into: a label more; repeatable.")
@click.option("--insecure", is_flag=True, help="With --into: allow plain HTTP to another host.")
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
    into: str | None,
    labels: tuple[str, ...],
    insecure: bool,
    start: str | None,
    stop: str | None,
    is_forced: bool,
    query: Query | None,
    only: str | None,
) -> int:
    """Write a session as rows: one for each workload and frame, the host's too (kind `host`).

    With --into, the series are those that 'vmtop serve' exposes on each host, with the hostname as `instance`:

    
      vmtop export night.vmtop.gz --into http://127.0.0.1:8428
      vmtop export night.vmtop.gz --step 15s --into ./blocks
      vmtop export hv*.vmtop.gz --into vm --label instance={host}:9922
    """

    if into is None and (labels or insecure):
        raise click.UsageError("--label and --insecure need --into.")
    if into is not None:
        if target is not None or form is not None or metrics:
            raise click.UsageError("--into takes all metrics as they are: not with -o, --format or --metric.")
        part = Selection(None, None, step_s, names, query, only, (), hosts)
        return _export_into(files, into, part, (start, stop), labels, insecure)
    metric_keys = metrics or tuple(METRICS)
    selection = Selection(None, None, step_s, names, query, only, tuple(dict.fromkeys(metric_keys)), hosts)
    return _export(files, form, target, selection, (start, stop), is_forced)


def _export_into(
    paths: Sequence[Path],
    into: str,
    selection: Selection,
    span: tuple[str | None, str | None],
    labels: Sequence[str],
    insecure: bool,
) -> int:
    from tui.cli.export_into import checked_labels, destination, make_blocks, send

    added, where = checked_labels(labels), destination(into, insecure)
    with opened(paths) as session:
        start, stop = span_of(session, *span)
        chosen = dataclasses.replace(selection, start=start, stop=stop)
        first, last = session.span()
        begin, end = (first if start is None else start), (last if stop is None else stop)
        with progress(int(end - begin) + 1) as advance:
            report = lambda wall: advance(wall - begin)  # noqa: E731
            if isinstance(where, Path):
                said = make_blocks(session, chosen, where, added, report)
            else:
                said = send(session, chosen, where, added, report)
    click.echo(f"vmtop: {said}", err=True)
    return 0


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
