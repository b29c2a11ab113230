"""`vmtop fleet`: the screen on what a Prometheus or VictoriaMetrics scraped of many hosts."""

from __future__ import annotations

from collections.abc import Mapping

import click
from textual.screen import Screen

from collectors.model.errors import SourceError
from collectors.prometheus.access import FleetAccess
from collectors.sampling.sampler import Sampler
from collectors.session.format import SessionError
from collectors.session.playback import Playback
from tui.app.base import BaseApp
from tui.screens.fleet.past import FleetPastScreen
from tui.screens.fleet.table import FleetScreen, LiveHost
from tui.settings.screen_options import ScreenOptions
from tui.terminal.signals import ENDING, SIGNALS


class FleetApp(BaseApp):
    """The screen of a fleet, now.

    Args:
        access: The way to the server.
        options: From the command line.
        live_host: Returns how to get to the live screen of a host.
    """

    def __init__(self, access: FleetAccess, options: ScreenOptions, live_host: LiveHost) -> None:
        super().__init__(options)
        self.access = access
        self.sampler = Sampler(access.specs(), access.load, access.interval_s)
        self._live_host = live_host

    def main_screen(self) -> Screen[None]:
        return FleetScreen(self.sampler, self.access, self.options, self._live_host)


class FleetPastApp(BaseApp):
    """The screen of a fleet at a past moment.

    Args:
        playback: Positioned at the first frame to show.
        access: The way to the server.
        options: From the command line.
    """

    def __init__(self, playback: Playback, access: FleetAccess, options: ScreenOptions) -> None:
        super().__init__(options)
        self._playback, self._access = playback, access

    def main_screen(self) -> Screen[None]:
        return FleetPastScreen(self._playback, self.options, None, self._access)


def run_fleet(access: FleetAccess, options: ScreenOptions, keymap: Mapping[str, str], live_host: LiveHost) -> int:
    """Run the screen until the user quits; return the process's exit code."""
    with SIGNALS.listening(ENDING):
        app = FleetApp(access, options, live_host)
        app.use_keys(dict(keymap))
        code = app.run_to_end()
        app.sampler.stop(0.3)
        return code


def run_fleet_past(
    access: FleetAccess, span: tuple[float, float], options: ScreenOptions, keymap: Mapping[str, str]
) -> int:
    """Show the fleet between two wall times until the user quits; return the process's exit code.

    Raises:
        click.ClickException: The server cannot be asked, or has nothing of that time.
    """
    try:
        access.discover(span[1])
        playback = Playback(access.session(span))
        playback.go(1)
    except (SourceError, SessionError) as error:
        raise click.ClickException(str(error)) from error
    app = FleetPastApp(playback, access, options)
    app.use_keys(dict(keymap))
    return app.run_to_end()
