"""`vmtop logs`: what workloads wrote, as the log page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.options import names_argument, source_options, wait_option
from tui.cli.types import SinceType

if TYPE_CHECKING:
    from collectors.sampling.source import SourceSpec
    from tui.cli.sampling import Wait


@click.command("logs")
@names_argument()
@click.option("--follow", "-f", "is_followed", is_flag=True, help="Go on with what is written from now on.")
@click.option("--since", type=SinceType(), metavar="TIME", help="Only from then on: 10m, 03:10, 2026-11-24 03:12.")
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines.")
@click.option("--timestamps", "-t", "has_times", is_flag=True, help="Put its time (UTC) before each line.")
@wait_option
@source_options
def command(
    names: tuple[str, ...],
    is_followed: bool,
    since: float | None,
    tail: int | None,
    has_times: bool,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Print the log of workloads: a container's from its engine, a virtual machine's console, a service's journal.

    The logs of several are merged by time, with the name before each line. Colours and other control sequences are
    left out.

    \b
      vmtop logs web --since 10m
      vmtop logs web db -f
      vmtop logs -t service:nginx | grep error

    Exits with 3 if a NAME stands for no workload or for several, 4 if the log may not be read, 8 if a source that could
    know a NAME has not answered, and 1 if there is no log.
    """
    from tui.cli.work.logs import run

    return run(names, is_followed, since, tail, has_times, wait, specs)
