"""`vmtop fleet`: the screen on what a Prometheus or VictoriaMetrics scraped of many hosts."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tui.cli import screen
from tui.cli.configuration import config_for_looking
from tui.cli.options import log_option, replay_options

if TYPE_CHECKING:
    from collectors.fleet.hosts import HostSpec
    from collectors.model.workloads import Workload
    from collectors.prometheus.server import Server
    from tui.configuration.config import Config
    from tui.screens.fleet.table import LiveHost

_REACH_S = 5 * 365 * 86400.0
"""Seconds that `--from` may lie back."""


@click.command("fleet")
@click.option(
    "--prometheus", "where", metavar="URL|NAME", help="The server: its address, or its name in the configuration."
)
@click.option("--match", metavar="MATCHERS", help='Only series with these labels: \'job="vmtop",site=~"fra|ams"\'.')
@click.option(
    "--most",
    type=click.IntRange(10, 2000),
    default=200,
    show_default=True,
    help="Workloads shown: those that use most.",
)
@click.option("--insecure", is_flag=True, help="Allow plain HTTP to another host.")
@click.option("--from", "since", metavar="TIME", help="Begin in the past: '3 days ago', '2026-11-26 03:00'.")
@click.option("--to", "until", metavar="TIME", help="With --from: the end of what is shown; by default, now.")
@replay_options
@log_option
def command(
    where: str | None,
    match: str | None,
    most: int,
    insecure: bool,
    since: str | None,
    until: str | None,
    **screen_options: Any,
) -> int:
    """Show the workloads of all hosts that a Prometheus or VictoriaMetrics scrapes.

    The hosts run 'vmtop serve', or 'vmtop textfile' beside node_exporter. Shown are the workloads that use most; T goes
    back in time, and Enter to the live screen of a workload's host if the configuration has it.
    """
    config = config_for_looking()
    server = chosen(where, config, match, insecure)
    span = None if since is None and until is None else past_span(since, until)
    screen.require_terminal("Prometheus itself answers queries without one.")
    from collectors.prometheus.access import FleetAccess
    from tui.app.fleet import run_fleet, run_fleet_past  # Textual is loaded once it is certain that there is a screen

    access = FleetAccess(server, most)
    options = screen.choose(**screen_options).options
    if span is not None:
        return run_fleet_past(access, span, options, config.keymap)
    return run_fleet(access, options, config.keymap, live_host(config.hosts))


def chosen(where: str | None, config: Config, match: str | None, insecure: bool) -> Server:
    """Return the server that is meant, as the options change it.

    Raises:
        click.ClickException: There is none of that name, or it may not be asked.
    """
    from collectors.model.errors import SourceError
    from collectors.prometheus.promql import check_match
    from collectors.prometheus.server import Server, checked

    servers = config.servers
    if where is None:
        if len(servers) != 1:
            known = f"one of {', '.join(servers)}" if servers else "a URL"
            raise click.UsageError(f"--prometheus is missing: {known}")
        where = next(iter(servers))
    if where not in servers and "://" not in where:
        known = f"; there are {', '.join(servers)}" if servers else ""
        raise click.UsageError(f"the configuration has no [prometheus.{where}], and it is no URL{known}")
    server = servers[where] if where in servers else Server(where)
    changes: dict[str, Any] = {"insecure": True} if insecure else {}
    changes |= {} if match is None else {"match": match}
    try:
        server = checked(msgspec.structs.replace(server, **changes))
        check_match(server.match)
    except SourceError as error:
        remedy = f" (fix: {error.remedy})" if error.remedy else ""
        raise click.ClickException(f"{error.reason}{remedy}") from error
    return server


def live_host(hosts: Sequence[HostSpec]) -> LiveHost:
    """Return what gives the words that start the live screen of a host of the configuration."""
    by_name = {spec.name: spec for spec in hosts}

    def words(host: str, workload: Workload | None) -> list[str] | None:
        from collectors.fleet.ssh import ssh_words

        spec = by_name.get(host)
        if spec is None:
            return None
        chosen = [] if workload is None else ["--filter", f"id~^{re.escape(workload.id.id)}"]
        return ssh_words(spec, chosen, has_terminal=True)

    return words


def past_span(since: str | None, until: str | None, usual_s: float = 3600.0) -> tuple[float, float]:
    """Return wall times, in seconds since 1970; without a beginning, the last `usual_s` seconds.

    Raises:
        click.ClickException: One is no time, or they are the wrong way round.
    """
    from collectors.query.time_parser import TimeError, parse_end, parse_time

    now = time.time()
    try:
        first = None if since is None else parse_time(since, now - _REACH_S, now)
        end = now if until is None else min(now, parse_end(until, now - _REACH_S, now, first))
        start = end - usual_s if first is None else first
    except TimeError as error:
        raise click.ClickException(str(error)) from error
    if start >= end:
        raise click.ClickException("--from has to be before --to")
    return start, end
