"""Two to eight workloads side by side: a table of all metrics, and one metric of each as small multiples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import nan
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Key
from textual.screen import Screen

from collectors.analysis.rates import Moment
from collectors.comparison.side_by_side import MOST, Column, MetricRow, side_by_side
from collectors.comparison.window_statistics import LONGEST, WARM_UP_S, Window, fill
from collectors.model.errors import SourceError
from collectors.model.workloads import Frame, Workload, WorkloadId
from collectors.session.format import SessionError
from tui.controllers.background import is_up, run_blocking
from tui.dialogs.base import AnsweredOnce
from tui.keys.bindings import bindings
from tui.keys.key import key_names
from tui.keys.tables import COMPARE, LIVE, TABLES, keys_in
from tui.presenters.comparison.page import Picture, bottom_lines, rule, title
from tui.presenters.comparison.table import Row, heading, layout_of, rows_of, table_lines
from tui.presenters.styled_lines import Line, cut, plain_text
from tui.screens.mixins.moment_follower import Follower
from tui.screens.mixins.page_keys import PageKeys
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView
from tui.widgets.row_view import RowView
from tui.widgets.text_lines import TextLines, TitleLine

WINDOWS: tuple[float | None, ...] = (60.0, 300.0, None)
"""Seconds; `None` is everything available, up to an hour."""
STATS = ("mean", "p95", "max")
_CHART_LEAST, _CHART_MOST = 7, 14
_LIST_LEAST = 6
_OTHER_LINES = 4
"""Title, names, rule, footer."""

Frames = Callable[[float], Iterable[Frame]]
"""Maps a wall time to the frames from then to the moment on screen. Blocking."""


class Shown(NamedTuple):
    """The comparison computed from the window."""

    sides: list[Column]
    rows: list[MetricRow]
    charts: dict[str, list[list[float]]]
    """Per metric, one line for each side on a common time axis; NaN where there is no value."""
    walls: tuple[float, float]
    """Wall times of the first and the last value."""
    stat: str


class CompareScreen(Follower, PageKeys, AnsweredOnce, Screen[None]):
    """Compares workloads and updates with every frame.

    Args:
        workloads: The workloads; differences are relative to the first until another is chosen.
        frames: Returns past frames.
        where: Where the moments come from: `live` or `replay`.
        ascii_only: Draw with ASCII only.
    """

    DEFAULT_CSS = """
    CompareScreen { layout: vertical; }
    CompareScreen #rule { height: 1; }
    """
    key_table = COMPARE
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(COMPARE)]

    def __init__(
        self, workloads: Sequence[Workload], frames: Frames, where: str = LIVE, ascii_only: bool = False
    ) -> None:
        super().__init__()
        self.where = where
        self.workloads = list(workloads)
        self.is_ascii = ascii_only
        self.reference = 0
        """Index of the workload that differences are relative to."""
        self._frames = frames
        self._moment: Moment | None = None
        self._window: Window | None = None
        self._span = 0
        self._stat = 0
        self._picture = Picture.SAME_SCALE
        self._is_only_different = False
        self._shown: Shown | None = None
        self._rows: list[Row] = []
        self._failure = ""
        """Why the last computation failed; empty if it succeeded."""
        self._is_busy = False
        self._is_stale = False

    def on_key(self, event: Key) -> None:
        """Say where a key of the table of workloads works that does nothing here."""
        if event.key in keys_in(LIVE) - keys_in(COMPARE):
            words = f"{key_names(event.key)} works on the table of workloads: Esc leads there."
            self.notify(words, timeout=4, markup=False)

    def compose(self) -> ComposeResult:
        yield TitleLine(id="title")
        yield TitleLine(id="names")
        yield RowView()
        yield TextLines(id="rule")
        yield TextLines(id="chart")
        too_high = {f"reference_{number}" for number in range(len(self.workloads) + 1, MOST + 1)}
        yield Footer(row for row in TABLES[COMPARE] if row.name not in too_high)

    def on_mount(self) -> None:
        self.query_one(RowView).focus()
        self.call_after_refresh(self._request_update)

    def on_resize(self) -> None:
        room = self.size.height - _OTHER_LINES
        chart = min(_CHART_MOST, max(_CHART_LEAST, room * 2 // 5))
        has_room = room - chart >= _LIST_LEAST
        picture = self.query_one("#chart", TextLines)
        picture.styles.height = chart
        picture.display = self.query_one("#rule").display = has_room
        self.call_after_refresh(self._redraw)

    def target(self) -> Workload | None:
        return None

    def follow(self, moment: Moment, interval_s: float, is_next: bool = True) -> None:
        """Show another moment; if it does not follow the previous one, its past is read again."""
        self._moment = moment
        if is_next and self._window is not None:
            self._window.feed(moment)
        else:
            self._window = None
        self._request_update()

    def _request_update(self) -> None:
        """Compute the comparison on a thread, one at a time; a request in the meantime is served next."""
        self._is_stale = True
        if self._moment is not None and not self._is_busy and self.is_mounted:
            self._is_busy = True
            self.run_worker(self._update(), group="compare")

    async def _update(self) -> None:
        try:
            while self._is_stale:
                self._is_stale = False
                try:
                    comparison, failure = await run_blocking(self._compute), ""
                except (SessionError, SourceError) as error:
                    comparison, failure = None, str(error)
                if not is_up(self):
                    return
                self._shown, self._failure = comparison or self._shown, failure
                self._redraw()
        finally:
            self._is_busy = False

    def _compute(self) -> Shown | None:
        moment, seconds = self._moment, WINDOWS[self._span]
        if moment is None:
            return None
        window = self._window
        if window is None:
            since = moment.frame.wall - (LONGEST if seconds is None else WINDOWS[-2] or 0.0)
            identities = [workload.id for workload in self.workloads]
            window = self._window = fill(self._frames(since - WARM_UP_S), identities, since)
        return compare(window, [workload.id for workload in self.workloads], seconds, STATS[self._stat])

    def _redraw(self) -> None:
        comparison, width = self._shown, self.size.width
        head = self.query_one("#title", TextLines)
        if self._failure:
            head.show_lines([[(f" Cannot compare: {self._failure}", "bad")]])
            return
        if comparison is None or not comparison.sides or not self.is_mounted:
            head.show_lines([[(" Compare", "title"), ("  reading recent frames ...", "muted")]])
            return
        seconds = WINDOWS[self._span]
        self.reference = min(self.reference, len(comparison.sides) - 1)
        head.show_lines([title(comparison.sides, comparison.stat, seconds, self.reference, width)])
        layout = layout_of(len(comparison.sides), width - 1)
        self.query_one("#names", TextLines).show_lines([cut(heading(comparison.sides, layout, self.reference), width)])
        rows = rows_of(comparison.sides, comparison.rows, comparison.stat, self.reference)
        self._rows = [row for row in rows if row.is_different or not self._is_only_different]
        self.query_one(RowView).show_rows(*table_lines(self._rows, layout))
        self._draw()

    @on(LineView.Moved)
    def metric_chosen(self) -> None:
        self._draw()

    def row(self) -> Row | None:
        """Return the row under the cursor; `None` if there are no rows."""
        key = self.query_one(RowView).chosen
        return next((row for row in self._rows if row.key == key), None)

    def _draw(self) -> None:
        comparison, row = self._shown, self.row()
        if comparison is None:
            return
        width, picture = self.size.width, self.query_one("#chart", TextLines)
        layout = layout_of(len(comparison.sides), width - 1)
        lines = [] if row is None or row.entry is None else comparison.charts[row.entry.metric.key]
        ends = (*comparison.walls, self.where == LIVE)
        self.query_one("#rule", TextLines).show_lines([rule(row, lines, self._picture, ends, width, self.is_ascii)])
        below: list[Line] = []
        if row is not None:
            size = width, picture.size.height
            below = bottom_lines(row, comparison.sides, lines, self._picture, layout, size, ends, self.is_ascii)
        picture.show_lines(below)

    def action_window(self) -> None:
        self._span = (self._span + 1) % len(WINDOWS)
        self._window = None
        self._request_update()

    def action_stat(self) -> None:
        self._stat = (self._stat + 1) % len(STATS)
        self._request_update()

    def action_scale(self) -> None:
        self._picture = self._picture.next(len(self.workloads))
        self._draw()

    def action_reference(self, number: int) -> None:
        """Show differences to another workload, counted from 1."""
        if self._shown is not None and number <= len(self._shown.sides):
            self.reference = number - 1
            self._redraw()

    def action_only_different(self) -> None:
        self._is_only_different = not self._is_only_different
        self._redraw()

    def action_copy(self) -> None:
        """Copy the table as text."""
        if self._shown is not None:
            layout = layout_of(len(self._shown.sides), self.size.width - 1)
            lines = [heading(self._shown.sides, layout, self.reference), *table_lines(self._rows, layout)[0]]
            self.app.copy_to_clipboard("\n".join(plain_text(line).rstrip() for line in lines))
            self.notify("copied the table, if the terminal allows it", timeout=3)

    def action_close(self) -> None:
        self.dismiss(None)


def compare(window: Window, identities: Sequence[WorkloadId], seconds: float | None, stat: str) -> Shown:
    """Return the table and the chart lines for the last `seconds` of a window; `None` is all of it."""
    pasts = [window.past(identity, seconds) for identity in identities]
    sides = [Column(past.workload.typed_name, past) for past in pasts if past is not None]
    walls = sorted({wall for side in sides for wall in side.past.walls})
    rows = side_by_side(sides, stat)
    index_by_wall = {wall: index for index, wall in enumerate(walls)}
    charts = {
        row.metric.key: [_on_axis(side, row.metric.key, index_by_wall) for side in sides]
        for row in rows
        if row.is_known
    }
    return Shown(sides, rows, charts, (walls[0], walls[-1]) if walls else (0.0, 0.0), stat)


def _on_axis(side: Column, key: str, index_by_wall: dict[float, int]) -> list[float]:
    """Place the values of a side on the common time axis; NaN where there is no value."""
    values = [nan] * len(index_by_wall)
    for wall, value in zip(side.past.walls, side.past.values[key], strict=True):
        values[index_by_wall[wall]] = nan if value is None else value
    return values
