"""`vmtop wait`: until a condition holds."""

from __future__ import annotations

from pathlib import Path

import click

from collectors.alerts.trial import Finding
from collectors.query.filter import Query
from collectors.sampling.source import SourceSpec
from tui.cli.conditions import Judgement, judgements
from tui.cli.exit_codes import DONE, NOT_MEASURABLE, TIMED_OUT
from tui.cli.options import over_option, source_options, wait_option
from tui.cli.progress import WaitingLine
from tui.cli.sampling import Wait
from tui.cli.targets import gravest
from tui.cli.types import ConditionType, SpanType, StrictFilterType
from tui.cli.verdict_files import code_with, verdict_options, write_verdicts
from tui.presenters.reports.check_report import Report, as_json, verdicts


@click.command("wait")
@click.argument("condition", type=ConditionType(), metavar="CONDITION")
@click.option("--name", "names", multiple=True, metavar="NAME", help="A workload, or a pattern. May be repeated.")
@click.option("--filter", "chosen", type=StrictFilterType(), metavar="EXPR", help="Wait only for what matches.")
@click.option("--for", "for_s", type=SpanType(), default=0.0, metavar="SPAN", help="It has to hold for 5s, 1m ...")
@click.option(
    "--timeout",
    "timeout_s",
    type=SpanType(0.1),
    default="5m",
    show_default=True,
    metavar="SPAN",
    help="Wait no longer.",
)
@click.option("--json", "is_json", is_flag=True, help="Print a JSON document at the end.")
@click.option("--quiet", "-q", "is_quiet", is_flag=True, help="Print nothing if it holds in time.")
@verdict_options
@over_option
@wait_option
@source_options
def command(
    condition: Query,
    names: tuple[str, ...],
    chosen: Query | None,
    for_s: float,
    timeout_s: float,
    is_json: bool,
    is_quiet: bool,
    junit_path: Path | None,
    has_summary: bool,
    over_s: float,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Wait until CONDITION holds for each workload that is named, or without a name for any.

    A NAME that means nothing yet is waited for, too.

    \b
      vmtop wait 'health = healthy' --name db --timeout 60s
      vmtop wait 'state = stopped' --name backup --timeout 2h
      vmtop wait 'cpu < 5' --name web --for 30s

    Exits with 0 once it holds, 6 if it does not in time, 3 if a NAME then still means nothing, 4 if it may be among
    what this user may not read, 8 if a source that could know it has not answered, 11 if what the condition asks for
    was not measured.
    """
    last: Judgement | None = None
    with WaitingLine() as line:
        for last in judgements(condition, names, chosen, for_s, over_s, wait, specs):
            if _holds(last, names) or last.passed_s >= timeout_s:
                break
            line.show([condition.text], last.passed_s, timeout_s)
    assert last is not None  # noqa: S101  # moments go on for ever
    report = Report(condition.text, for_s, over_s, last.passed_s + over_s, last.checked)
    code, words = _outcome(report, last, names)
    unwritten = write_verdicts("vmtop wait", verdicts(report, is_wanted=True), junit_path, has_summary)
    if is_json:
        click.echo(as_json(report, condition.metrics), nl=False)
    elif code == DONE and not is_quiet:
        click.echo(words)
    if code != DONE:
        click.echo(f"vmtop: {words}", err=True)
    return code_with(code, unwritten)


def _holds(last: Judgement, names: tuple[str, ...]) -> bool:
    findings = [one.finding for one in last.checked]
    if not names:
        return Finding.HOLDS in findings
    return not last.missing and bool(findings) and all(finding is Finding.HOLDS for finding in findings)


def _outcome(report: Report, last: Judgement, names: tuple[str, ...]) -> tuple[int, str]:
    """Return the exit code and a sentence."""
    if _holds(last, names):
        holding = ", ".join(f"{one.name} ({one.words})" for one in report.of(Finding.HOLDS)[:5])
        return DONE, f"{report.condition} holds after {last.passed_s:.0f} s: {holding}"
    if last.missing:
        return gravest([reason.code for reason in last.missing]), "; ".join(reason.sentence for reason in last.missing)
    waiting = [one for one in report.checked if one.finding is not Finding.HOLDS]
    listed = ", ".join(f"{one.name} ({one.sentence})" for one in waiting[:5])
    if waiting and all(one.finding is Finding.UNKNOWN for one in waiting):
        return NOT_MEASURABLE, f"{report.condition} could not be measured within {last.passed_s:.0f} s: {listed}"
    found = listed or "no workload is meant"
    return TIMED_OUT, f"{report.condition} does not hold after {last.passed_s:.0f} s: {found}"
