"""What `vmtop sizes` reads of a Prometheus or VictoriaMetrics: weeks of scrapes, in pieces."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from collectors.analysis.rates import Deriver
from collectors.comparison.other_kind import recorded_overheads
from collectors.comparison.sizing_evidence import Survey
from collectors.model.errors import SourceError
from collectors.prometheus.access import FleetAccess
from collectors.prometheus.past import Past
from collectors.prometheus.promql import Member
from tui.cli.commands.hosts.fleet import chosen, past_span
from tui.cli.commands.workloads.sizes import Seen
from tui.cli.configuration import config_for_looking
from tui.cli.progress import progress

_MOST = 500
"""Workloads that are read: those that use most."""
_PIECES = 48
"""Questions' worth of time at most: the more, the finer the steps of a long span."""
_STEPS = 400
"""Steps of a piece, which a server answers at once."""
_WHOLE = re.compile(r"[\w.@-]+")
"""What is a name and nothing else: no pattern, host, kind or id in front."""
_USUAL_S = 86400.0
"""Seconds back to begin without --from."""


def scraped(
    where: str, match: str | None, insecure: bool, times: tuple[str | None, str | None], names: Sequence[str]
) -> Seen:
    """Read the evidence of named workloads, or of those that use most, over a span of time. Blocks.

    Args:
        where: The server: its address, or its name in the configuration.
        match: Label matchers that everything is limited to.
        insecure: Whether plain HTTP to another host is allowed.
        times: From when to when, as typed; by default the last day.
        names: Names of workloads; those that are not whole names are only looked for among those that use most.

    Raises:
        click.ClickException: The server is not known, may not be asked, does not answer, or the span makes no sense.
    """
    server = chosen(where, config_for_looking(), match, insecure)
    since, until = past_span(*times, _USUAL_S)
    access = FleetAccess(server, _MOST)
    survey, deriver = Survey(), Deriver()
    try:
        access.discover(until)
        past = access.past()
        try:
            members = _members(past, until, names)
            piece_s = max((until - since) / _PIECES, _STEPS * past.fleet.interval_s)
            at = since
            with progress(until - since) as advance:
                while members and at < until:
                    for frame in past.frames_of(members, at, min(at + piece_s, until)):
                        survey.feed(deriver.feed(frame))
                    at += piece_s
                    advance(min(at, until) - since)
        finally:
            past.fleet.client.close()
    except SourceError as error:
        raise click.ClickException(error.reason + (f"; fix: {error.remedy}" if error.remedy else "")) from error
    return Seen(survey, recorded_overheads(survey))


def _members(past: Past, until: float, names: Sequence[str]) -> list[Member]:
    """Return whom to read: whole names are asked for, since they may not be among those that use most."""
    fleet, instant = past.fleet, past.instant(until)
    total = sum(fleet.counts(instant).values())
    found: dict[Member, None] = {}
    for search in dict.fromkeys(f'name="{name}"' if _WHOLE.fullmatch(name) else "" for name in names or [""]):
        fleet.searched = search
        found |= dict.fromkeys(fleet.who(instant, total))
    return list(found)
