"""`vmtop doctor`: check every source; `--report` collects what a bug report needs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from collectors.sampling.source import SourceSpec
from collectors.session.format import SessionError
from tui.cli.configuration import configuration_summary
from tui.cli.options import source_options, wait_option
from tui.cli.sampling import Wait, gather
from tui.presenters.reports import bug_report
from tui.presenters.reports import doctor as checkup


@click.command("doctor")
@click.option("--json", "is_json", is_flag=True, help="Print a JSON document.")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    is_flag=False,
    flag_value=Path("-"),
    metavar="[FILE]",
    help="Write what a bug report needs, with secrets masked; without FILE, to standard output.",
)
@click.option("--with-names", "has_names", is_flag=True, help="With --report: include the names of workloads.")
@click.option("--force", "is_forced", is_flag=True, help="With --report: overwrite an existing file.")
@wait_option
@source_options
def command(
    is_json: bool,
    report: Path | None,
    has_names: bool,
    is_forced: bool,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Check every data source and show how to fix the ones that can't be read.

    Waits until every source has answered, 30 s at most (--wait): a slow one is called slow, not down. Exits with 0 only
    if every source that is present can be read.
    """

    if report is None and (has_names or is_forced):
        raise click.UsageError("--with-names and --force need --report.")
    moment = gather(specs, wait)
    checked = checkup.Checkup(moment, wait.answered_s, wait.passed_s, wait.most_s)
    if report is not None:
        return _report(checked, report, has_names, is_forced)
    click.echo(json.dumps(checkup.as_document(checked), indent=2) if is_json else checkup.as_text(checked).rstrip())
    return 0 if checkup.is_healthy(moment) else 1


def _report(checked: checkup.Checkup, target: Path, has_names: bool, is_forced: bool) -> int:

    configuration = configuration_summary(has_names)
    if str(target) == "-":
        click.echo(bug_report.as_text(checked, configuration, has_names), nl=False)
        return 0
    try:
        bug_report.write(checked, configuration, has_names, target, is_forced)
    except SessionError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"vmtop: {target} is written, for your eyes only; read it before you pass it on", err=True)
    return 0
