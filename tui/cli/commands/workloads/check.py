"""`vmtop check`: whether a condition holds for any workload, for scripts, cron, Nagios and pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from collectors.alerts.trial import Finding
from collectors.query.filter import Query
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceSpec
from tui.cli.conditions import Judgement, is_decided, judgements
from tui.cli.exit_codes import DONE, FAILED, MATCHED, NOT_MEASURABLE
from tui.cli.missing import exit_code
from tui.cli.options import over_option, refuse_together, source_options, wait_option
from tui.cli.sampling import Wait
from tui.cli.targets import gravest
from tui.cli.types import ConditionType, SpanType, StrictFilterType
from tui.cli.verdict_files import verdict_options, write_verdicts
from tui.presenters.pipelines.nagios import Status, nagios
from tui.presenters.reports.check_report import Report, as_json, sentence, values, verdicts

_LONGEST_REASON = 1000


class _Check(click.Command):
    """A check whose errors are a plugin's, too: to Nagios an exit code of 2 is critical, and 1 a warning."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the arguments; a mistake in them leaves a plugin at UNKNOWN."""
        is_plugin = "--nagios" in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as error:
            raise (_unknown(error) if is_plugin else error) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Check; what cannot be read or written leaves a plugin at UNKNOWN."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            raise (_unknown(error) if ctx.params["is_nagios"] else error) from None


def _unknown(error: click.ClickException) -> click.exceptions.Exit:
    click.echo(nagios(Status.UNKNOWN, sanitize(error.format_message(), _LONGEST_REASON), ()))
    return click.exceptions.Exit(int(Status.UNKNOWN))


@click.command("check", cls=_Check)
@click.argument("condition", type=ConditionType(), metavar="CONDITION")
@click.option("--name", "names", multiple=True, metavar="NAME", help="A workload, or a pattern. May be repeated.")
@click.option("--filter", "chosen", type=StrictFilterType(), metavar="EXPR", help="Check only what matches.")
@click.option("--for", "for_s", type=SpanType(), default=0.0, metavar="SPAN", help="It has to hold for 30s, 2m ...")
@click.option("--json", "is_json", is_flag=True, help="Print a JSON document.")
@click.option("--nagios", "is_nagios", is_flag=True, help="Print and exit as a Nagios plugin.")
@click.option("--warn", "is_warning", is_flag=True, help="With --nagios: what matches is a warning, not critical.")
@verdict_options
@over_option
@wait_option
@source_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    condition: Query,
    names: tuple[str, ...],
    chosen: Query | None,
    for_s: float,
    is_json: bool,
    is_nagios: bool,
    is_warning: bool,
    junit_path: Path | None,
    has_summary: bool,
    over_s: float,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Tell whether CONDITION, which says what is wrong, holds for any workload.

    CONDITION is a filter: 'cpu > 80 or state != running', 'mem > 90% of limit', 'kind=host limit > 95%'. Rates are
    measured over one second (--over). What is not measured of a workload decides nothing.

    \b
      vmtop check 'cpu > 80 or state != running' --name web --over 5s --for 30s
      vmtop check 'health = unhealthy' --nagios
      vmtop check 'mem > 90% of limit' --filter project=shop --junit out.xml

    Exits with 0 if no workload matches, 9 if some do, 3 if a NAME matches nothing, 4 if it may be among what this user
    may not read, 8 if something that could know came too late, 11 if it cannot be measured: for a workload that is
    named, or for none that runs. With --nagios 0, 2 (1 with --warn) and 3.
    """
    refuse_together(ctx, ("--json", "--nagios"))
    if is_warning and not is_nagios:
        raise click.UsageError("--warn needs --nagios.")
    last: Judgement | None = None
    for last in judgements(condition, names, chosen, for_s, over_s, wait, specs):
        if is_decided(last.checked) or last.missing:
            break
    assert last is not None  # noqa: S101  # moments go on for ever
    checked = [one for one in last.checked if names or one.is_of_interest]
    report = Report(condition.text, for_s, over_s, last.passed_s + over_s, checked)
    code, problem = _outcome(report, last, names, specs)
    unwritten = write_verdicts("vmtop check", verdicts(report, is_wanted=False), junit_path, has_summary)
    code, problem = code or (FAILED if unwritten else DONE), [*problem, *unwritten]
    if is_nagios:
        return _as_plugin(report, condition.metrics, code, problem, is_warning)
    if is_json:
        click.echo(as_json(report, condition.metrics), nl=False)
    else:
        click.echo(sentence(report))
    for line in problem:
        click.echo(f"vmtop: {line}", err=True)
    return code


def _outcome(
    report: Report, last: Judgement, names: Sequence[str], specs: Sequence[SourceSpec]
) -> tuple[int, list[str]]:
    """Return the exit code, and what is to be said on stderr."""
    problem = [reason.sentence for reason in last.missing]
    if last.missing:
        return gravest([reason.code for reason in last.missing]), problem
    if report.of(Finding.HOLDS):
        return MATCHED, problem
    if late := exit_code(last.moment, specs):
        sources = "a source could not be read; vmtop doctor says which, and why"
        return late, [sources]
    unknown = report.of(Finding.UNKNOWN)
    if unknown and (names or len(unknown) == len(report.checked)):
        return NOT_MEASURABLE, ["what the condition asks for is not measured here; vmtop list --json says why"]
    return DONE, problem


def _as_plugin(report: Report, keys: Sequence[str], code: int, problem: Sequence[str], is_warning: bool) -> int:
    status = Status.UNKNOWN
    if code == MATCHED:
        status = Status.WARNING if is_warning else Status.CRITICAL
    elif code == DONE:
        status = Status.OK
    words = "; ".join(problem) if status is Status.UNKNOWN and problem else sentence(report)
    click.echo(nagios(status, words, values(report, keys)))
    return int(status)
