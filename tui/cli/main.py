"""The `vmtop` command. Every other module is imported by the command that needs it, so that help is quick.

Exit codes: 0 it worked; 1 something that is present cannot be read, or an error; 2 bad arguments or no terminal;
130 interrupted; actions have more (see `action_commands`). Data goes to stdout, words to stderr.
"""

from __future__ import annotations

import gc
import os
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui import __version__
from tui.cli.compare_command import compare
from tui.cli.errors import Program
from tui.cli.options import (
    choice_options,
    interval_option,
    live_options,
    log_option,
    read_config,
    refuse_before,
    require_terminal,
    screen_choice,
    source_options,
    timeout_options,
)
from tui.cli.session_group import COMMANDS
from tui.cli.types import SortType

if TYPE_CHECKING:
    from collectors.analysis.rates import Moment
    from collectors.query.filter import Query
    from collectors.sampling.source import SourceSpec
    from tui.settings.screen_options import ScreenOptions

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Program, invoke_without_command=True, context_settings=_CONTEXT)
@live_options
@choice_options
@source_options
@click.version_option(__version__, prog_name="vmtop", message="%(prog)s %(version)s")
@click.pass_context
def main(
    ctx: click.Context,
    /,
    query: Query | None,
    only: str | None,
    specs: list[SourceSpec],
    **wishes: Any,
) -> int | None:
    """Show what every virtual machine, container and service on this host costs right now.

    Without a command, the live screen starts.
    """
    if ctx.invoked_subcommand is not None:
        refuse_before(ctx)
        return None
    return _start_screen(specs, screen_choice(query, only, **wishes))


def _start_screen(specs: list[SourceSpec], options: ScreenOptions) -> int:
    require_terminal("'vmtop list' prints the same once, 'vmtop stream' as JSON, 'vmtop record' into a file.")
    gc.disable()  # what is loaded stays; the first screen switches the search for garbage on again
    from collectors.session.format import SessionError
    from tui.app.live import run_live

    try:
        return run_live(specs, options, read_config())
    except SessionError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--workloads", type=click.IntRange(0, 10_000), default=50, show_default=True, help="How many.")
@click.option("--seed", type=int, default=7, show_default=True, help="Equal seeds give equal fleets.")
@choice_options
@live_options
@log_option
def demo(workloads: int, seed: int, query: Query | None, only: str | None, **wishes: Any) -> int:
    """Start the screen on a fleet that does not exist."""
    from tui.cli.sources import demo as demo_specs

    return _start_screen(demo_specs(workloads, seed), screen_choice(query, only, is_demo=True, **wishes))


@main.command("list")
@click.option("--json", "form", flag_value="json", help="Print a JSON document (docs/list.schema.json).")
@click.option("--csv", "form", flag_value="csv", help="Print CSV with every metric.")
@click.option("--all", "include_stopped", is_flag=True, help="Include stopped workloads.")
@click.option("--sort", type=SortType(), default="cpu", show_default=True, help="Metric or field to sort by.")
@click.option("--limit", type=click.IntRange(0), help="Print at most so many workloads.")
@choice_options
@source_options
def list_(
    form: str | None,
    include_stopped: bool,
    sort: str,
    limit: int | None,
    query: Query | None,
    only: str | None,
    specs: list[SourceSpec],
) -> int:
    """Print what the screen shows, once."""
    from collectors.json_document import LIST_SCHEMA
    from tui.cli.sampling import gather
    from tui.presenters import list_table

    moment = gather(specs)
    chosen, hidden = list_table.choose(moment, list_table.Choice(query, only, include_stopped, sort, limit))
    if form == "json":
        click.echo(list_table.as_json(moment, chosen, LIST_SCHEMA, 2), nl=False)
    elif form == "csv":
        click.echo(list_table.as_csv(moment, chosen), nl=False)
    else:
        width = os.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo(list_table.table(chosen, width), nl=False)
        if hidden and not chosen:
            click.echo(f"vmtop: {hidden} stopped; --all shows them", err=True)
    return _say_what_is_missing(moment)


def _say_what_is_missing(moment: Moment) -> int:
    """Say on stderr which sources could not be read; fail only when nothing could."""
    from tui.presenters.doctor import troubles

    for sentence in troubles(moment.sources):
        click.echo(f"vmtop: {sentence}", err=True)
    return 0 if moment.host.pairs or moment.readings else 1


@main.command()
@click.option("--count", type=click.IntRange(1), help="Stop after so many lines.")
@interval_option
@choice_options
@source_options
def stream(
    count: int | None,
    interval_s: float,
    query: Query | None,
    only: str | None,
    specs: list[SourceSpec],
) -> int:
    """Print a JSON document a line, each interval, until stopped."""
    from collectors.json_document import STREAM_SCHEMA
    from tui.cli.sampling import moments
    from tui.presenters import list_table

    choice = list_table.Choice(query, only)
    for moment in islice(moments(specs, interval_s), count):
        chosen, _ = list_table.choose(moment, choice)
        click.echo(list_table.as_json(moment, chosen, STREAM_SCHEMA, None), nl=False)
    return 0


@main.command()
@click.option("--json", "is_json", is_flag=True, help="Print a JSON document.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    is_flag=False,
    flag_value=Path("-"),
    metavar="[FILE]",
    help="Write all that a report of a fault needs, secrets masked; without FILE to standard output.",
)
@click.option("--with-names", "has_names", is_flag=True, help="With --report: name the workloads too.")
@click.option("--force", "is_forced", is_flag=True, help="With --report: replace a file that is there.")
@source_options
def doctor(
    is_json: bool,
    report: Path | None,
    has_names: bool,
    is_forced: bool,
    specs: list[SourceSpec],
) -> int:
    """Say of each source whether it can be read, why not, and what mends it.

    Exits with 0 only if all that is present can be read.
    """
    import json

    from tui.cli.sampling import gather
    from tui.presenters import doctor as checkup

    if report is None and (has_names or is_forced):
        raise click.UsageError("--with-names and --force go with --report.")
    moment = gather(specs)
    if report is not None:
        return _report(moment, report, has_names, is_forced)
    click.echo(json.dumps(checkup.as_document(moment), indent=2) if is_json else checkup.as_text(moment).rstrip())
    return 0 if checkup.is_healthy(moment) else 1


def _report(moment: Moment, target: Path, has_names: bool, is_forced: bool) -> int:
    from collectors.session.format import SessionError
    from tui.presenters import bug_report

    if str(target) == "-":
        click.echo(bug_report.as_text(moment, has_names), nl=False)
        return 0
    try:
        bug_report.write(moment, has_names, target, is_forced)
    except SessionError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"vmtop: {target} is written, for your eyes only; read it before you pass it on", err=True)
    return 0


def _add_action(verb: str, does: str, can_wait: bool) -> None:
    """Add the command of one action."""

    @source_options
    @click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
    @click.argument("names", nargs=-1, required=True, metavar="NAME...")
    def act(
        names: tuple[str, ...],
        is_sure: bool,
        specs: list[SourceSpec],
        timeout_s: float | None = None,
        after: str = "force",
    ) -> int:
        from collectors.model.actions import AfterTimeout, Verb
        from tui.cli.commands.actions import run

        return run(Verb(verb), names, specs, read_config(), is_sure, timeout_s, AfterTimeout(after))

    if can_wait:
        act = timeout_options(act)
    act.__doc__ = f"""{does}

    A NAME is a whole name, an id, its first digits (six or more), or kind:name such as vm:db.

    Exits with 0 when all is done, 1 failed, 3 no such workload or several, 4 not allowed, 5 refused by vmtop,
    6 not in time, 7 outcome unknown, 8 one that could know a NAME has not answered, and nothing was done.
    """
    main.command(verb)(act)


for _verb, _does, _can_wait in (
    ("start", "Start workloads.", False),
    ("stop", "Ask workloads to end.", True),
    ("restart", "Restart containers and services, reboot virtual machines.", True),
    ("pause", "Freeze workloads.", False),
    ("resume", "Let paused workloads run on.", False),
    ("kill", "End workloads at once, without asking them.", False),
):
    _add_action(_verb, _does, _can_wait)


for _command in (*COMMANDS, compare):
    main.add_command(_command)


@main.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print a script that completes vmtop's commands and options, for a shell's start file."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click has no completion for {shell}.")
    click.echo(kind(main, {}, "vmtop", "_VMTOP_COMPLETE").source())
