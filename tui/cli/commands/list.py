"""`vmtop list`: what the screen shows, once."""

from __future__ import annotations

import os
import sys

import click

from collectors.json_document import LIST_SCHEMA
from collectors.query.filter import Query
from collectors.sampling.source import SourceSpec
from tui.cli.missing import report
from tui.cli.options import choice_options, source_options, wait_option
from tui.cli.sampling import Wait, gather
from tui.cli.types import SortType
from tui.presenters import list_table


@click.command("list")
@click.option("--json", "form", flag_value="json", help="Print a JSON document (docs/list.schema.json).")
@click.option("--csv", "form", flag_value="csv", help="Print CSV with every metric.")
@click.option("--all", "include_stopped", is_flag=True, help="Include stopped workloads.")
@click.option("--sort", type=SortType(), default="cpu", show_default=True, help="Metric or field to sort by.")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="Print at most N workloads.")
@choice_options
@wait_option
@source_options
def command(
    form: str | None,
    include_stopped: bool,
    sort: str,
    limit: int | None,
    query: Query | None,
    only: str | None,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Print what the screen shows, once.

    Waits until every source has answered and there are rates: normally a third of a second, 30 s at most (--wait).
    What has come by then is printed, and stderr names the rest.

    Exits with 8 if something that was asked for came too late: the kernel's numbers, an engine given by --docker or
    --libvirt, or a workload that --filter or --only may mean and whose engine has not answered; with 1 if it cannot be
    read.
    """

    choice = list_table.Choice(query, only, include_stopped, sort, limit)
    moment = gather(specs, wait)
    readings, hidden = list_table.choose(moment, choice)
    if form == "json":
        click.echo(list_table.as_json(moment, readings, LIST_SCHEMA, 2), nl=False)
    elif form == "csv":
        click.echo(list_table.as_csv(moment, readings), nl=False)
    else:
        width = os.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(list_table.table(readings, width), nl=False)
        if hidden and not readings:
            click.echo(f"vmtop: {hidden} stopped; --all shows them", err=True)
    return report(moment, specs, wait, choice)
