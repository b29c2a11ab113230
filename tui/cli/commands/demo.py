"""`vmtop demo`: the screen with made-up workloads."""

from __future__ import annotations

from typing import Any

import click

from tui.cli import screen, sources
from tui.cli.options import live_options, log_option


@click.command("demo")
@click.option(
    "--workloads", type=click.IntRange(0, 10_000), default=50, show_default=True, help="Number of workloads of a host."
)
@click.option("--hosts", type=click.IntRange(1, 256), default=1, show_default=True, help="Number of hosts.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same workloads.")
@live_options
@log_option
def command(workloads: int, hosts: int, seed: int, **screen_options: Any) -> int:
    """Start the screen with made-up workloads."""
    return screen.start(sources.demo(workloads, seed, hosts), screen.choose(is_demo=True, **screen_options))
