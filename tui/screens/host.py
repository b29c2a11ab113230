"""The host in full: what the frames hold of it, and what is read of it while this screen is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from collectors.analysis.history import History
from collectors.analysis.rates import Moment
from collectors.kernel.machine.reader import MachineReader
from collectors.kernel.self_usage import Cost
from collectors.model.errors import SourceError
from collectors.model.machine import MachineReading
from tui.controllers.background import is_up, run_blocking
from tui.controllers.playback import PlaybackController
from tui.dialogs.base import AnsweredOnce
from tui.keys.bindings import bindings
from tui.keys.tables import HOST, PAST_HOST, TABLES
from tui.presenters.host_page.page import HostView, host_lines, host_parts, parts_line, title_line
from tui.presenters.pages.info_pages import sources_page
from tui.presenters.styled_lines import plain_text
from tui.screens.mixins.moment_follower import Follower
from tui.screens.mixins.page_keys import PageKeys
from tui.screens.mixins.playback_keys import PlaybackKeys
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView
from tui.widgets.text_lines import TextLines

FIRST_S, EVERY_S = 0.5, 1.0
"""Seconds between the first two readings, and between others: a rate needs two."""


@dataclass(frozen=True, slots=True)
class HostContext:
    """Where the page's data comes from."""

    where: str
    """The screen whose moments it shows: live or replay."""
    mode: Callable[[], str]
    """Returns the mode in the title, such as LIVE."""
    history: History
    """Recent values of the host."""
    of_host: Callable[[Moment], Moment] = lambda moment: moment
    """Returns the moment of the host alone, where there are several."""
    missing: str = ""
    """Why nothing is read of this host, a sentence; empty if it is read."""
    simulate: Callable[[Moment], MachineReading] | None = None
    """Returns the devices of a simulated host, instead of reading this one's."""
    cost: Callable[[], Cost | None] = lambda: None
    """Returns what vmtop itself takes."""
    open_processes: Callable[[], None] | None = None
    """Opens the processes; `None` where there are none."""
    no_processes: str = "A recording holds no processes."
    """Why there are none, a sentence."""
    is_ascii: bool = False


class TitleLine(TextLines):
    """The first line of the page."""

    ground = "panel"


class HostScreen(Follower, PageKeys, AnsweredOnce, Screen[None]):
    """Shows the host and updates with every frame.

    Args:
        context: Where its data comes from.
    """

    key_table = HOST
    DEFAULT_CSS = """
    HostScreen { layout: vertical; }
    HostScreen > TextLines { height: 1; }
    HostScreen #title { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(HOST)]

    def __init__(self, context: HostContext) -> None:
        super().__init__()
        self.where = context.where
        self._origin = context
        self._current = 0
        self._moment: Moment | None = None
        self._reading: MachineReading | None = None
        self._problem = ""
        self._starts: list[int] = []
        self._names: list[str] = []

    def compose(self) -> ComposeResult:
        yield TitleLine(id="title")
        yield TextLines(id="parts")
        yield LineView(id="host")
        yield Footer(TABLES[self.key_table])

    def on_mount(self) -> None:
        self.query_one(LineView).focus()
        self._draw()
        if not self._origin.missing and self._origin.simulate is None:
            self.run_worker(self._read(), group="host", exclusive=True)

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw)

    def follow(self, moment: Moment, interval_s: float, is_next: bool = True) -> None:
        self._moment = self._origin.of_host(moment)
        if self.is_mounted:
            self._draw()

    async def _read(self) -> None:
        """Read repeatedly, one reading at a time, while nothing covers this screen."""
        reader = MachineReader()
        readings = 0
        while is_up(self):
            if self.app.screen is self:
                try:
                    self._reading, self._problem = await run_blocking(reader.read), ""
                except SourceError as error:
                    self._problem = error.reason
                if not is_up(self):
                    return
                readings += 1
                self._draw()
            await asyncio.sleep(FIRST_S if readings < 2 else EVERY_S)

    def _draw(self) -> None:
        """Show the newest moment and reading; nothing before the first moment."""
        if self._moment is None or not self.is_mounted:
            return
        origin, view = self._origin, self.query_one(LineView)
        width = max(40, view.size.width - 1)
        if origin.simulate is not None:
            self._reading = origin.simulate(self._moment)
        missing = origin.missing or self._problem or "reading ..."
        shown = HostView(self._moment, origin.history, self._reading, missing, origin.cost())
        parts = host_parts(shown, width, origin.is_ascii)
        lines, self._starts = host_lines(parts, width, origin.is_ascii)
        self._names = [part.name for part in parts]
        view.show(lines)
        self._show_title()
        self._show_parts()

    def _show_title(self) -> None:
        if self._moment is not None:
            line = title_line(self._moment, self._reading, self._origin.mode(), self.size.width, self._origin.is_ascii)
            self.query_one("#title", TextLines).show_lines([line])

    @on(LineView.Moved)
    def _show_parts(self) -> None:
        """Show the names of the parts, with the one at the top of the screen underlined."""
        top = self.query_one(LineView).top
        self._current = max((index for index, start in enumerate(self._starts) if start <= top), default=0)
        self.query_one("#parts", TextLines).show_lines([parts_line(self._names, self._current, self.size.width)])

    def action_turn_to(self, number: int) -> None:
        if number <= len(self._starts):
            self.query_one(LineView).go(self._starts[number - 1])
            self._show_parts()

    def action_turn(self, step: int) -> None:
        if self._starts:
            self.action_turn_to((self._current + step) % len(self._starts) + 1)

    def action_processes(self) -> None:
        if self._origin.open_processes is not None:
            self._origin.open_processes()
        else:
            self.notify(self._origin.no_processes, timeout=5)

    def action_sources(self) -> None:
        if self._moment is not None:
            self.open_panel("Sources", sources_page(self._moment))

    def action_copy(self) -> None:
        page = "\n".join(plain_text(line).rstrip() for line in self.query_one(LineView).lines)
        self.app.copy_to_clipboard(page)
        self.notify("copied the page, if the terminal allows it", timeout=3)

    def action_close(self) -> None:
        self.dismiss(None)


class PastHostScreen(PlaybackKeys, HostScreen):
    """Shows the host at a moment of a session.

    Args:
        context: Where its data comes from.
        traveler: Moves the playback.
    """

    key_table = PAST_HOST
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(PAST_HOST)]

    def __init__(self, context: HostContext, traveler: PlaybackController) -> None:
        super().__init__(context)
        self.traveler = traveler
