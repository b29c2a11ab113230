"""What workloads have, what they used, and what would fit; Enter opens the form of limits with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from collectors.comparison.sizing import Sizing
from collectors.model.errors import SourceError
from collectors.model.workloads import WorkloadId
from collectors.session.format import SessionError
from tui.controllers.background import is_up, run_blocking
from tui.dialogs.base import AnsweredOnce
from tui.keys.bindings import bindings
from tui.keys.tables import PAST_SIZES, SIZES, TABLES
from tui.presenters.comparison.size_lines import detail_lines, freed_lines, heading, row_lines
from tui.presenters.comparison.sizes import Sizes, settings_of
from tui.presenters.styled_lines import cut, plain_text
from tui.screens.mixins.page_keys import PageKeys
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView
from tui.widgets.row_view import RowView
from tui.widgets.text_lines import TextLines, TitleLine

_PROGRESS_EVERY_S = 0.2
_DETAILS = 6
"""Lines below the table."""

Work = Callable[[Callable[[float], None]], Sizes]
"""Returns the sizes; blocking. Calls its argument with the share that has been read, 0 to 1."""
SetLimits = Callable[[WorkloadId, dict[str, str]], None]
"""Opens the form of a workload's limits, with what its fields begin with."""


class SizesScreen(PageKeys, AnsweredOnce, Screen[None]):
    """Reads the session on a thread, showing progress, then shows what would fit.

    Args:
        work: Makes the sizes.
        set_limits: Opens the form; `None` at a past moment.
        open_workload: Opens the page of a workload.
        ascii_only: Draw with ASCII only.
    """

    DEFAULT_CSS = """
    SizesScreen { layout: vertical; }
    SizesScreen #details { height: 6; }
    """
    key_table = SIZES
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(SIZES)]

    def __init__(
        self,
        work: Work,
        set_limits: SetLimits | None,
        open_workload: Callable[[WorkloadId], None],
        ascii_only: bool = False,
    ) -> None:
        super().__init__()
        self.key_table = PAST_SIZES if set_limits is None else SIZES
        self.is_ascii = ascii_only
        self._work, self._set_limits, self._open_workload = work, set_limits, open_workload
        self._share = 0.0
        self._sizes: Sizes | None = None
        self._failure = ""

    def compose(self) -> ComposeResult:
        yield TitleLine(id="title")
        yield TitleLine(id="heading")
        yield RowView()
        yield TextLines(id="details")
        yield Footer(TABLES[self.key_table])

    def on_mount(self) -> None:
        self.query_one(RowView).focus()
        self._timer = self.set_interval(_PROGRESS_EVERY_S, self._show_title)
        self._show_title()
        self.run_worker(self._read(), group="sizes", exclusive=True)

    async def _read(self) -> None:
        try:
            self._sizes = await run_blocking(partial(self._work, self._advance))
        except (SourceError, SessionError) as error:
            self._failure = str(error)
        if is_up(self):
            self._timer.stop()
            self._redraw()

    def _advance(self, share: float) -> None:
        self._share = share

    def _show_title(self) -> None:
        words, tone = f"reading the session {min(self._share, 0.99):.0%}", "muted"
        if self._failure:
            words, tone = f"cannot be made: {self._failure}", "bad"
        elif self._sizes is not None:
            words = freed_lines(self._sizes) if self._sizes.sizings else "nothing ran in this time"
        line = [(" Sizes that fit", "title"), (f"  {words}", tone)]
        self.query_one("#title", TextLines).show_lines([cut(line, self.size.width)])

    def on_resize(self) -> None:
        self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        self._show_title()
        sizes, width = self._sizes, self.size.width
        if sizes is None:
            return
        self.query_one("#heading", TextLines).show_lines([cut(heading(width), width)])
        lines, rows = row_lines(sizes, width)
        self.query_one(RowView).show_rows(lines, rows)
        self.show_details()

    def chosen(self) -> Sizing | None:
        """Return the workload under the cursor; `None` if there is none."""
        identity = self.query_one(RowView).chosen
        sizings = self._sizes.sizings if self._sizes is not None else ()
        return next((sizing for sizing in sizings if sizing.workload.id == identity), None)

    @on(LineView.Moved)
    def show_details(self) -> None:
        """Show why, for the workload under the cursor."""
        chosen, sizes = self.chosen(), self._sizes
        lines = detail_lines(chosen, sizes, self.size.width, _DETAILS) if chosen and sizes else []
        self.query_one("#details", TextLines).show_lines(lines)

    def action_set(self) -> None:
        """Open the form of limits with what would fit."""
        chosen = self.chosen()
        if chosen is None or self._set_limits is None:
            return
        typed = settings_of(chosen)
        if typed:
            self._set_limits(chosen.workload.id, typed)
        else:
            self.notify(f"{chosen.workload.name}: nothing is suggested that could be set", timeout=4, markup=False)

    def action_open(self) -> None:
        """Open the page of the workload."""
        chosen = self.chosen()
        if chosen is not None:
            self._open_workload(chosen.workload.id)

    def action_copy(self) -> None:
        """Copy the table as text."""
        if self._sizes is not None:
            width = self.size.width
            lines = [heading(width), *row_lines(self._sizes, width)[0]]
            self.app.copy_to_clipboard("\n".join(plain_text(line).rstrip() for line in lines))
            self.notify("copied the table, if the terminal allows it", timeout=3)

    def action_close(self) -> None:
        self.dismiss(None)
