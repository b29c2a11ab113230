"""`vmtop stream`: a JSON document per line."""

from __future__ import annotations

from itertools import islice

import click

from collectors.json_document import STREAM_SCHEMA
from collectors.query.filter import Query
from collectors.sampling.source import SourceSpec
from tui.cli.options import choice_options, interval_option, source_options
from tui.cli.sampling import moments
from tui.presenters import list_table


@click.command("stream")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N lines.")
@interval_option
@choice_options
@source_options
def command(
    count: int | None,
    interval_s: float,
    query: Query | None,
    only: str | None,
    specs: list[SourceSpec],
) -> int:
    """Print one JSON document per line at each interval, until stopped."""

    choice = list_table.Choice(query, only)
    for moment in islice(moments(specs, interval_s), count):
        readings, _ = list_table.choose(moment, choice)
        click.echo(list_table.as_json(moment, readings, STREAM_SCHEMA, None), nl=False)
    return 0
