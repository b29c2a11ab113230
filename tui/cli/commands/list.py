"""`vmtop list`: what the screen shows, once."""

from __future__ import annotations

import os
import sys

import click

from collectors.analysis.rates import Moment
from collectors.json_document import LIST_SCHEMA
from collectors.query.filter import Query
from collectors.sampling.source import SourceSpec
from tui.cli.exit_codes import DONE, FAILED
from tui.cli.options import choice_options, source_options
from tui.cli.sampling import gather
from tui.cli.types import SortType
from tui.presenters import list_table
from tui.presenters.doctor import troubles


@click.command("list")
@click.option("--json", "form", flag_value="json", help="Print a JSON document (docs/list.schema.json).")
@click.option("--csv", "form", flag_value="csv", help="Print CSV with every metric.")
@click.option("--all", "include_stopped", is_flag=True, help="Include stopped workloads.")
@click.option("--sort", type=SortType(), default="cpu", show_default=True, help="Metric or field to sort by.")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="Print at most N workloads.")
@choice_options
@source_options
def command(
    form: str | None,
    include_stopped: bool,
    sort: str,
    limit: int | None,
    query: Query | None,
    only: str | None,
    specs: list[SourceSpec],
) -> int:
    """Print what the screen shows, once."""

    moment = gather(specs)
    readings, hidden = list_table.choose(moment, list_table.Choice(query, only, include_stopped, sort, limit))
    if form == "json":
        click.echo(list_table.as_json(moment, readings, LIST_SCHEMA, 2), nl=False)
    elif form == "csv":
        click.echo(list_table.as_csv(moment, readings), nl=False)
    else:
        width = os.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(list_table.table(readings, width), nl=False)
        if hidden and not readings:
            click.echo(f"vmtop: {hidden} stopped; --all shows them", err=True)
    return _report_missing(moment)


def _report_missing(moment: Moment) -> int:
    """Report on stderr which sources could not be read; fail only when none could."""

    for sentence in troubles(moment.sources):
        click.echo(f"vmtop: {sentence}", err=True)
    return DONE if moment.host.pairs or moment.readings else FAILED
