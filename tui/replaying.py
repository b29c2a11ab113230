"""`vmtop replay`: the screen on a session's files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from textual.screen import Screen

from collectors.session.format import SessionError
from collectors.session.playback import Playback
from collectors.session.reader import Session
from collectors.times import TimeError, parse_time
from tui.base_app import BaseApp
from tui.options import ScreenOptions
from tui.screens.replay import ReplayScreen


class ReplayApp(BaseApp):
    """The screen on a playback.

    Args:
        playback: At the frame to begin with.
        options: From the command line.
        speed: Times real time.
    """

    def __init__(self, playback: Playback, options: ScreenOptions, speed: float = 1.0) -> None:
        super().__init__(options)
        self._playback = playback
        self._speed = speed

    def main_screen(self) -> Screen[None]:
        return ReplayScreen(self._playback, self.options, speed=self._speed)


def replay(paths: Sequence[Path], at: str | None, speed: float, options: ScreenOptions) -> int:
    """Replay files until the person leaves; return the process's exit code."""
    try:
        playback = Playback(Session(paths))
        first, last = playback.span
        playback.go(1 if at is None else playback.number_at(parse_time(at, first, last)))
        if playback.moment is None:
            raise SessionError(f"{paths[0]} holds no frame that can be read; 'vmtop info' tells what is wrong")
    except (SessionError, TimeError) as error:
        raise click.ClickException(str(error)) from error
    return ReplayApp(playback, options, speed).run_to_end()
