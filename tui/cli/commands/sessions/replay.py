"""`vmtop replay`: a session on the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tui.cli import screen
from tui.cli.configuration import config_for_looking
from tui.cli.options import FILES, log_option, replay_options


@click.command("replay")
@FILES
@click.option("--at", metavar="TIME", help="Where to begin: 03:12, 10m ago, end.")
@click.option("--speed", type=click.FloatRange(0.25, 64), default=1.0, show_default=True, help="Times real time.")
@replay_options
@log_option
def command(files: tuple[Path, ...], at: str | None, speed: float, **screen_options: Any) -> int:
    """Play a session back on the screen; one that is still being written is followed."""
    screen.require_terminal("'vmtop info' shows what a session holds, 'vmtop export' writes it as rows.")
    from tui.app.replay import replay as run  # Textual is loaded once it is certain that there is a screen

    return run(files, at, speed, screen.choose(**screen_options).options, config_for_looking().keymap)
