"""`vmtop stream`: a JSON document per line."""

from __future__ import annotations

from itertools import islice

import click

from collectors.json_document import STREAM_SCHEMA
from collectors.query.filter import Query
from collectors.sampling.source import SourceSpec
from tui.cli.configuration import config_for_looking
from tui.cli.exit_codes import DONE
from tui.cli.missing import exit_code, report
from tui.cli.options import choice_options, interval_option, source_options, wait_option
from tui.cli.sampling import FIRST_OVER_S, Wait, has_answered, moments
from tui.configuration.alerts import rules_of
from tui.presenters.reports import list_table


@click.command("stream")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N lines.")
@interval_option
@choice_options
@wait_option
@source_options
def command(
    count: int | None,
    interval_s: float,
    query: Query | None,
    only: str | None,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Print one JSON document per line at each interval, until stopped.

    The first line is printed when every source has answered, for which 30 s are given (--wait), and rates have been
    measured over the interval, at most a second; stderr then names what is missing.

    Exits as `vmtop list` does, according to the last line.
    """

    choice = list_table.Choice(query, only)
    code = DONE
    rules = rules_of(config_for_looking().alerts)
    stream = moments(specs, interval_s, wait, has_answered, min(interval_s, FIRST_OVER_S), rules)
    for number, moment in enumerate(islice(stream, count)):
        readings, _ = list_table.choose(moment, choice)
        click.echo(list_table.as_json(moment, readings, STREAM_SCHEMA, None), nl=False)
        code = exit_code(moment, specs, choice) if number else report(moment, specs, wait, choice)
    return code
