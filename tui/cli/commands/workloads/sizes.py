"""`vmtop sizes`: what workloads have, what they used, and what would fit."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from collectors.actions.targets import NoTarget, find_all
from collectors.analysis.rates import Deriver, Moment
from collectors.comparison.other_kind import as_other_kind, kinds_of, overheads, recorded_overheads
from collectors.comparison.sizing import freed, sizings
from collectors.comparison.sizing_evidence import Survey
from collectors.model.facts import Fact
from collectors.model.workloads import WorkloadId
from collectors.sampling.source import SourceSpec
from tui.cli.commands.sessions.session_files import opened, span_of
from tui.cli.completion.session_path import SessionPath
from tui.cli.exit_codes import DONE, NO_SUCH
from tui.cli.missing import report
from tui.cli.options import FROM, TO, names_argument, refuse_together, source_options, wait_option
from tui.cli.progress import progress
from tui.cli.sampling import Wait, moments
from tui.cli.targets import asked_sources, gravest, why_not_found
from tui.cli.types import ShareType, SpanType
from tui.presenters.comparison.sizes import Sizes, as_csv, as_text, command_lines, document

LIVE_S = 60.0
"""Seconds for which this host is watched without --over."""
_LONGEST_INTERVAL_S = 5.0
_SHOWN_IN = 4
"""Steps of the progress bar per second."""


class Seen(NamedTuple):
    """What was seen of the workloads, wherever from."""

    survey: Survey
    overhead_facts: dict[WorkloadId, Fact]
    """By workload, what it weighs beyond what runs inside."""
    last: Moment | None = None
    """Where this host was watched: the newest moment."""


@click.command("sizes")
@names_argument(is_required=False)
@click.option(
    "--session",
    "paths",
    multiple=True,
    metavar="FILE",
    type=SessionPath(),
    help="From a session, not from this host now; several files are parts, or hosts.",
)
@click.option("--over", "over_s", type=SpanType(2.0), metavar="SPAN", help="Watch for 10m, 1h ...  [default: 1m]")
@click.option(
    "--headroom", type=ShareType(), default="30%", show_default=True, metavar="PERCENT", help="Added to what is used."
)
@click.option("--json", "is_json", is_flag=True, help="Print a JSON document.")
@click.option("--csv", "is_csv", is_flag=True, help="Print CSV, a line for each resource.")
@click.option("--commands", "is_commands", is_flag=True, help="Print the 'vmtop set' that makes each change.")
@click.option("--prometheus", "where", metavar="URL|NAME", help="From what a Prometheus or VictoriaMetrics scraped.")
@click.option("--match", metavar="MATCHERS", help="With --prometheus: only series with these labels.")
@FROM
@TO
@wait_option
@source_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    names: tuple[str, ...],
    paths: tuple[Path, ...],
    over_s: float | None,
    headroom: float,
    is_json: bool,
    is_csv: bool,
    is_commands: bool,
    where: str | None,
    match: str | None,
    start: str | None,
    stop: str | None,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Show what workloads have, what they used, and what would fit with some headroom.

    CPU is sized by the 95th percentile, memory by the highest value. What was throttled, killed or slowed down is never
    given less. Ten minutes are needed at least, and a day or a week says more: take a session, or a Prometheus.

    \b
      vmtop sizes --over 1h                          what runs now
      vmtop sizes --session day.vmtop.gz web db      these two, over a recording
      vmtop sizes --prometheus prod --from '2 weeks ago'
      vmtop sizes --session day.vmtop.gz --commands  the changes, as commands to look through

    Exits with 3 when a NAME stands for no workload, with 4 when it may be among what this user may not read, and with 8
    when a source that was asked for, or could know a name, has not answered.
    """
    refuse_together(ctx, ("--json", "--csv", "--commands"), ("--session", "--prometheus"), ("--over", "--from"))
    refuse_together(ctx, ("--prometheus", "--over"))
    is_match_typed = ctx.get_parameter_source("match") is click.core.ParameterSource.COMMANDLINE
    if is_match_typed and where is None:
        raise click.UsageError("--match belongs to --prometheus.")
    if paths:
        seen = _recorded(paths, over_s, start, stop)
    elif where is not None:
        from tui.cli.commands.hosts.fleet_sizes import scraped

        is_insecure = bool(ctx.params["insecure"])  # of source_options: it allows what is read without TLS
        seen = scraped(where, match, is_insecure, (start, stop), names)
    elif start is not None or stop is not None:
        raise click.UsageError("--from and --to need --session or --prometheus.")
    else:
        seen = _live(specs, LIVE_S if over_s is None else over_s, wait)
    sizes, code = _chosen(seen, names, headroom, specs, wait)
    if is_json:
        click.echo(json.dumps(document(sizes), indent=2))
    else:
        click.echo((as_csv if is_csv else command_lines if is_commands else as_text)(sizes), nl=False)
    if not sizes.sizings and not names:
        click.echo("vmtop: nothing ran in this time", err=True)
    if seen.survey.is_full:
        click.echo(
            f"vmtop: there are more workloads than {len(seen.survey.evidence):,}; the others are left out", err=True
        )
    return code


def _chosen(
    seen: Seen, names: Sequence[str], headroom: float, specs: Sequence[SourceSpec], wait: Wait
) -> tuple[Sizes, int]:
    """Return the sizes of the named workloads, or of all, and the exit code."""
    survey = seen.survey
    known = [evidence.workload for evidence in survey.evidence.values()]
    codes, chosen = list[int](), set[WorkloadId]()
    for name in names:
        try:
            chosen |= {workload.id for workload in find_all(name, known)}
        except NoTarget as error:
            if seen.last is None:
                sentence, code = str(error), NO_SUCH
            else:
                workloads = list(seen.last.frame.workloads.values())
                code, sentence = why_not_found(error, workloads, asked_sources(specs, seen.last), wait)
            codes.append(code)
            click.echo(f"vmtop: {sentence}", err=True)
    all_sizings = sizings(survey, headroom)
    found = [sizing for sizing in all_sizings if not names or sizing.workload.id in chosen]
    measured = overheads(seen.overhead_facts, kinds_of(all_sizings))
    sizes = Sizes(
        found,
        freed(found, survey.hosts),
        {sizing.workload.id: as_other_kind(sizing, measured) for sizing in found},
        headroom,
        (survey.first_wall or 0.0, survey.last_wall),
        known,
    )
    code = gravest(codes)
    if seen.last is not None:
        code = code or report(seen.last, specs, wait)
    return sizes, code or DONE


def _recorded(paths: Sequence[Path], over_s: float | None, start: str | None, stop: str | None) -> Seen:
    """Read the evidence of a session."""
    survey, deriver = Survey(), Deriver()
    with opened(paths) as session:
        first, last = session.span()
        since, until = span_of(session, start, stop)
        if start is None and stop is None and over_s is not None:
            since = last - over_s
        begin, end = first if since is None else since, last if until is None else until
        with progress(end - begin) as advance:
            for _, frame in session.frames(since, until):
                survey.feed(deriver.feed(frame))
                advance(frame.wall - begin)
    return Seen(survey, recorded_overheads(survey))


def _live(specs: Sequence[SourceSpec], seconds: float, wait: Wait) -> Seen:
    """Watch this host, with progress on the terminal."""
    from collectors.comparison.facts import FactsReader
    from collectors.engines.connections import EngineConnections

    survey, begin = Survey(), None
    last: Moment | None = None
    interval_s = max(0.2, min(_LONGEST_INTERVAL_S, seconds / 60))
    stream = moments(specs, interval_s, wait, over_s=interval_s)
    with progress(seconds, _SHOWN_IN) as advance:
        for last in stream:
            begin = time.monotonic() if begin is None else begin
            survey.feed(last)
            advance(time.monotonic() - begin)
            if time.monotonic() - begin >= seconds:
                break
    stream.close()  # type: ignore[attr-defined]  # it is a generator; the annotation promises less
    reader = FactsReader(EngineConnections(specs), may_write=False)
    present = list(last.frame.workloads.values()) if last is not None else []
    return Seen(survey, {**recorded_overheads(survey), **_known(reader.memory_overheads(present))}, last)


def _known(facts: dict[WorkloadId, Fact]) -> dict[WorkloadId, Fact]:
    return {identity: fact for identity, fact in facts.items() if fact.value is not None}
