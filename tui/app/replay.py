"""`vmtop replay`: the screen on a session's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from textual.screen import Screen

from collectors.fleet.recordings.opening import open_recording
from collectors.query.time_parser import TimeError, check_inside, parse_time
from collectors.session.format import SessionError
from collectors.session.playback import Playback
from tui.app.base import BaseApp
from tui.screens.workloads.replay import ReplayScreen
from tui.settings.screen_options import ScreenOptions


class ReplayApp(BaseApp):
    """The screen on a playback.

    Args:
        playback: Positioned at the first frame to show.
        options: From the command line.
        speed: Times real time.
        is_following: Stay at the end of a session that grows.
    """

    def __init__(
        self, playback: Playback, options: ScreenOptions, speed: float = 1.0, is_following: bool = False
    ) -> None:
        super().__init__(options)
        self._is_following = is_following
        self._playback = playback
        self._speed = speed

    def main_screen(self) -> Screen[None]:
        screen = ReplayScreen(self._playback, self.options, speed=self._speed)
        if self._is_following:
            screen.traveler.to_end(1)
        return screen


def replay(
    paths: Sequence[Path], at: str | None, speed: float, options: ScreenOptions, keymap: Mapping[str, str]
) -> int:
    """Replay files until the user quits; return the process's exit code."""
    try:
        playback = Playback(open_recording(paths))
        first, last = playback.span
        wall = None if at is None else parse_time(at, first, last)
        if at is not None and wall is not None:
            check_inside(at, wall, first, last)
        playback.go(1 if wall is None else playback.number_at(wall))
        if playback.moment is None:
            raise SessionError(f"{paths[0]} holds no readable frame; 'vmtop info' shows what is wrong")
    except (SessionError, TimeError) as error:
        raise click.ClickException(str(error)) from error
    app = ReplayApp(playback, options, speed, at == "end")
    app.use_keys(dict(keymap))
    return app.run_to_end()
