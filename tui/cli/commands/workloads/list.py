"""`vmtop list`: what the screen shows, once or again and again."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

import click

from collectors.actions.targets import NoTarget, find_all
from collectors.analysis.rates import Moment, Reading
from collectors.json_document import LIST_SCHEMA
from collectors.model.workloads import Availability, WorkloadId
from collectors.query.filter import Query
from collectors.sampling.source import SourceSpec
from tui.cli.exit_codes import DONE
from tui.cli.missing import report, report_empty
from tui.cli.options import (
    choice_options,
    names_argument,
    over_option,
    refuse_together,
    source_options,
    wait_option,
    watch_option,
)
from tui.cli.repeat import Repeated, WatchCommand
from tui.cli.sampling import FIRST_OVER_S, Wait, gather, has_answered, moments
from tui.cli.targets import NotFound, asked_sources, gravest, why_not_found
from tui.cli.types import ColumnsType, SortType
from tui.presenters.pages.empty_reason import why_empty
from tui.presenters.reports import list_table
from tui.presenters.reports.list_columns import ListColumn


class Form(NamedTuple):
    """How a list is printed."""

    is_json: bool = False
    is_csv: bool = False
    is_names: bool = False
    has_header: bool = True
    is_repeated: bool = False

    @property
    def is_document(self) -> bool:
        """Whether a program reads it, for which a list of nothing is one, too."""
        return self.is_json or self.is_csv


class Listing(NamedTuple):
    """The chosen rows."""

    readings: list[Reading]
    hidden: int
    """Number of workloads that are left out only because they are stopped."""
    unknown: list[NotFound]
    """Why each name that matches nothing does so."""

    @property
    def code(self) -> int:
        """3 if a name matches nothing, 4 or 8 if a source that could know it is denied or silent, otherwise 0."""
        return gravest([reason.code for reason in self.unknown])

    def report_names(self) -> None:
        """Print on stderr which names match nothing."""
        for reason in self.unknown:
            click.echo(f"vmtop: {reason.sentence}", err=True)


@click.command("list", cls=WatchCommand)
@names_argument(is_required=False)
@click.option("--json", "is_json", is_flag=True, help="Print a JSON document (docs/list.schema.json).")
@click.option("--csv", "is_csv", is_flag=True, help="Print CSV with every metric, or with --columns.")
@click.option(
    "--quiet",
    "-q",
    "is_names",
    is_flag=True,
    help="Print only names, one a line; an id where the name is not unique or not plain.",
)
@click.option("--columns", type=ColumnsType(), default=(), metavar="A,B,...", help="Columns, e.g. name,cpu,mem,image.")
@click.option("--no-header", is_flag=True, help="Leave out the line with the names of the columns.")
@click.option("--all", "include_stopped", is_flag=True, help="Include stopped workloads.")
@click.option("--sort", type=SortType(), default="cpu", show_default=True, help="Metric or field to sort by.")
@click.option("--reverse", "is_reversed", is_flag=True, help="Sort the other way round.")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="Print at most N workloads.")
@over_option
@watch_option
@choice_options
@wait_option
@source_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    names: tuple[str, ...],
    is_json: bool,
    is_csv: bool,
    is_names: bool,
    columns: tuple[ListColumn, ...],
    no_header: bool,
    include_stopped: bool,
    sort: str,
    is_reversed: bool,
    limit: int | None,
    over_s: float,
    watch_s: float | None,
    query: Query | None,
    only: str | None,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Print what the screen shows, once.

    A NAME is a whole name, an id, its first digits (six or more), kind:name such as vm:db, or a pattern such as 'db-*'.
    Workloads that are named are shown if they are stopped, too. Without a NAME, all that run are.

    Rates are measured over one second (--over) after every source has answered, for which 30 s are given at most
    (--wait). What has come by then is printed, and stderr names the rest.

    \b
      vmtop list web 'db-*'                     these workloads
      vmtop list --sort mem --limit 5           which use most memory
      vmtop list --columns name,cpu,image       these columns
      vmtop list --watch 5                      again every 5 seconds
      vmtop list -q --filter state=paused | xargs -r vmtop resume --yes

    Exits with 3 if a NAME matches nothing, with 4 if it may be among what this user may not read; with 8 if something
    that was asked for came too late: the kernel's numbers, an engine given by --docker or --libvirt, or a workload that
    a NAME, --filter or --only may mean and whose engine has not answered; with 1 if it cannot be read, or if what is
    given by --sort or --columns could not be measured for any workload.
    """
    refuse_together(
        ctx,
        ("--json", "--csv", "--quiet"),
        ("--quiet", "--columns"),
        ("--quiet", "--no-header"),
        ("--json", "--columns"),
        ("--json", "--no-header"),
        ("--over", "--watch"),
    )
    is_sort_asked = ctx.get_parameter_source("sort") is click.core.ParameterSource.COMMANDLINE
    choice = list_table.Choice(
        query, only, include_stopped, sort, is_sort_asked, limit, is_reversed, names, is_json, columns
    )
    form = Form(is_json, is_csv, is_names, not no_header, watch_s is not None)
    if watch_s is not None:
        return _watch(specs, choice, form, wait, watch_s)
    moment = gather(specs, wait, has_answered, over_s)
    listing = _listing(moment, specs, choice, wait)
    listing.report_names()
    if listing.readings or form.is_document or _is_any_read(moment):
        click.echo(_text(moment, listing.readings, choice, form), nl=False)
    if listing.hidden and not listing.readings and not form.is_document:
        click.echo(f"vmtop: {listing.hidden} stopped; --all shows them", err=True)
    codes = (report(moment, specs, wait, choice), report_empty(moment, listing.readings, choice))
    return listing.code or next(filter(None, codes), DONE)


def _is_any_read(moment: Moment) -> bool:
    """Return whether any source was read: else the heads of a table would look like a host without workloads."""
    return any(state.availability is Availability.OK for state in moment.sources)


def _watch(specs: Sequence[SourceSpec], choice: list_table.Choice, form: Form, wait: Wait, interval_s: float) -> int:
    """Print a list at each interval, until stopped."""
    repeated = Repeated(is_in_place=not (form.is_json or form.is_csv))
    for moment in moments(specs, interval_s, wait, has_answered, min(interval_s, FIRST_OVER_S)):
        is_first = not repeated.count
        listing = _listing(moment, specs, choice, wait)
        has_header = form.has_header and (is_first or not form.is_csv)
        repeated.show(_text(moment, listing.readings, choice, form._replace(has_header=has_header)))
        if is_first or repeated.is_terminal:  # which the next list clears
            listing.report_names()
            report(moment, specs, wait, choice)
    return DONE


def _listing(moment: Moment, specs: Sequence[SourceSpec], choice: list_table.Choice, wait: Wait) -> Listing:
    """Choose the rows."""
    workloads, asked = list(moment.frame.workloads.values()), asked_sources(specs, moment)
    named: set[WorkloadId] = set()
    unknown: list[NotFound] = []
    for name in choice.names:
        try:
            named |= {workload.id for workload in find_all(name, workloads)}
        except NoTarget as error:
            unknown.append(why_not_found(error, workloads, asked, wait))
    readings, hidden = list_table.choose(moment, choice, named if choice.names else None)
    return Listing(readings, hidden, unknown)


def _text(moment: Moment, readings: Sequence[Reading], choice: list_table.Choice, form: Form) -> str:
    if form.is_json:
        indent = None if form.is_repeated else 2
        return list_table.as_json(
            moment, readings, LIST_SCHEMA, indent, lambda key, reading: why_empty(key, reading, moment)
        )
    if form.is_csv:
        return list_table.as_csv(moment, readings, choice.columns, form.has_header)
    if form.is_names:
        return list_table.as_names(moment, readings)
    width = os.get_terminal_size().columns if sys.stdout.isatty() else None
    return list_table.table(readings, width, choice.columns, form.has_header, bool(moment.frame.hosts))
