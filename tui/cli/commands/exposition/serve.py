"""`vmtop serve`: what Prometheus and VictoriaMetrics scrape."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path

import click

from collectors.exposition.web.configuration import Watched, WebError
from collectors.exposition.web.listening import ListenError, Place, listen, name_of, passed_sockets, remove
from collectors.exposition.web.server import Server
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceSpec
from tui.cli.commands.exposition.exposing import ENDINGS, Ending, exposing_options, scraper
from tui.cli.configuration import read_config
from tui.cli.options import source_options
from tui.cli.types import PlaceType
from tui.configuration.alerts import rules_of
from tui.settings import log_file
from tui.terminal.signals import SIGNALS

DEFAULT = "127.0.0.1:9922"


@click.command("serve")
@click.option(
    "--listen",
    "places",
    multiple=True,
    type=PlaceType(),
    metavar="ADDRESS",
    help=f"HOST:PORT, :PORT for all addresses, or unix:/PATH. [default: {DEFAULT}, or the sockets systemd passes]",
)
@click.option(
    "--web-config",
    "web_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TLS and passwords, in the format of Prometheus' exporters.",
)
@exposing_options
@source_options
def command(
    places: Sequence[Place],
    web_path: Path | None,
    most_workloads: int,
    labels: tuple[str, ...],
    specs: list[SourceSpec],
) -> int:
    """Answer scrapes at /metrics, in OpenMetrics or Prometheus' text format; /healthz tells whether that works.

    Counters are raw, as the kernel and the engines have them. The sources are read when a scrape comes.

    Exits with 0 when it was asked to end, 1 when it cannot listen or the configuration has a mistake, 129 when its
    terminal went away.
    """

    rules = rules_of(read_config().alerts)
    log_file.keep_all()
    made = scraper(specs, most_workloads, labels, rules)
    web = _web(web_path)
    listeners, own_places = _listeners(places)
    for listener in listeners:
        _say(listener, web)
    server, ending = Server(made, listeners, web), Ending()
    with SIGNALS.listening(ENDINGS), SIGNALS.handed_to(ending.signalled):
        made.start()
        server.start()
        ending.wait()
        for place in own_places:
            remove(place)  # first: what is slow to end is not waited for
        server.stop()
        made.stop()
    return ending.code


def _web(path: Path | None) -> Watched | None:
    try:
        return None if path is None else Watched(path)
    except WebError as error:
        raise click.ClickException(str(error)) from error


def _listeners(places: Sequence[Place]) -> tuple[list[socket.socket], list[Place]]:
    """Return the sockets, and the places that were opened here."""
    try:
        passed = passed_sockets(os.environ)
        wanted = list(places) or ([] if passed else [PlaceType().convert(DEFAULT, None, None)])
        return [*passed, *(listen(place) for place in wanted)], wanted
    except ListenError as error:
        raise click.ClickException(str(error)) from error


def _say(listener: socket.socket, web: Watched | None) -> None:
    """Say where it listens, and who can read it there."""
    name = sanitize(name_of(listener))
    current = web.now() if web is not None else None
    if name.startswith("unix:"):
        click.echo(f"vmtop: serving {name}", err=True)
        return
    scheme = "https" if current is not None and current.tls is not None else "http"
    click.echo(f"vmtop: serving {scheme}://{name}/metrics", err=True)
    host, port = listener.getsockname()[:2]
    if Place(host, port).is_near:
        return
    if current is None or current.passwords is None:
        click.echo(
            "vmtop: everyone who reaches this address can read the names and numbers of all workloads; "
            "--web-config sets TLS and passwords",
            err=True,
        )
    elif current.tls is None:
        click.echo("vmtop: without TLS, passwords and numbers can be read on the network", err=True)
