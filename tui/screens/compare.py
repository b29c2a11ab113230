"""Two to eight workloads side by side: a table of all metrics, and one metric's lines over one time axis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isnan, nan
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Static

from collectors.analysis.rates import Moment
from collectors.comparison.side_by_side import Cell, Column, MetricRow, side_by_side
from collectors.comparison.window_statistics import LONGEST, STATS, WARM_UP_S, Window, fill
from collectors.model.errors import SourceError
from collectors.model.metrics import Unit
from collectors.model.workloads import Frame, Workload, WorkloadId
from collectors.session.format import SessionError
from tui.controllers.background import is_up, run_blocking
from tui.dialogs.base import AnsweredOnce
from tui.keys.bindings import bindings
from tui.keys.tables import COMPARE, LIVE, TABLES
from tui.presenters.compare import BEST, WORST, heading, line
from tui.presenters.formatting import duration, fit, text
from tui.presenters.overlay import Overlay, Series, paint_overlay
from tui.presenters.styled_lines import Line
from tui.screens.mixins.moment_follower import Follower
from tui.screens.mixins.page_keys import PageKeys
from tui.themes.look import look_of
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView
from tui.widgets.text_lines import TextLines

WINDOWS: tuple[float | None, ...] = (60.0, 300.0, None)
"""Seconds; `None` is everything available, up to an hour."""
TONES = ("text", "kind-vm", "kind-service", "kind-container", "graph-cpu", "graph-disk", "warn", "graph-net")
_CHART_LEAST = 8
_LIST_LEAST = 6

Frames = Callable[[float], Iterable[Frame]]
"""Maps a wall time to the frames from then to the moment on screen. Blocking."""


class Shown(NamedTuple):
    """The comparison computed from the window."""

    sides: list[Column]
    rows: list[MetricRow]
    charts: dict[str, list[list[float]]]
    """Per metric, one line for each side on a common time axis; NaN where there is no value."""
    span_s: float
    stat: str

    def known_rows(self) -> list[MetricRow]:
        """Return the metrics that have a value on at least one side."""
        return [row for row in self.rows if row.is_known]


class CompareScreen(Follower, PageKeys, AnsweredOnce, Screen[None]):
    """Compares workloads and updates with every frame.

    Args:
        workloads: The workloads; differences are relative to the first.
        frames: Returns past frames.
        where: Where the moments come from: `live` or `replay`.
        ascii_only: Draw with ASCII only.
    """

    DEFAULT_CSS = """
    CompareScreen { layout: vertical; }
    CompareScreen > Static { height: 1; }
    CompareScreen #title { background: $panel; text-style: bold; }
    CompareScreen #names { text-style: bold; }
    CompareScreen LineView { height: 1fr; }
    CompareScreen #chart { height: 9; }
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
        self._frames = frames
        self._moment: Moment | None = None
        self._window: Window | None = None
        self._span = 0
        self._stat = 0
        self._is_own_scale = False
        self._chosen = ""
        """Key of the metric that the user selected; empty until then, with the cursor on the first row."""
        self._shown: Shown | None = None
        self._failure = ""
        """Why the last computation failed; empty if it succeeded."""
        self._is_busy = False
        self._is_stale = False

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield Static(id="names")
        yield LineView(has_cursor=True)
        yield Static(id="legend")
        yield TextLines(id="chart")
        yield Footer(TABLES[COMPARE])

    def on_mount(self) -> None:
        self.query_one(LineView).focus()
        self.call_after_refresh(self._request_update)

    def on_resize(self) -> None:
        height = self.size.height - 5
        chart = max(_CHART_LEAST, height * 2 // 5)
        picture = self.query_one("#chart", TextLines)
        picture.styles.height = chart
        picture.display = height - chart >= _LIST_LEAST
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
            self.run_worker(self._update(), group="compare")

    async def _update(self) -> None:
        self._is_busy = True
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
        comparison = self._shown
        if self._failure:
            self.query_one("#title", Static).update(Text(f" cannot compare: {self._failure}", no_wrap=True))
            return
        if comparison is None or not self.is_mounted:
            self.query_one("#title", Static).update(Text(" reading recent frames ...", no_wrap=True))
            return
        stat, width = comparison.stat, self.size.width
        seconds = WINDOWS[self._span]
        window_label = "all frames" if seconds is None else f"last {duration(seconds, 6).strip()}"
        available = duration(comparison.span_s, 6).strip()
        title = f" Compare {stat} of {window_label} ({available} available)   {BEST} lowest and {WORST} highest cost"
        self.query_one("#title", Static).update(Text(fit(title, width), no_wrap=True))
        self.query_one("#names", Static).update(Text(heading(comparison.sides, width, stat), no_wrap=True))
        rows = comparison.known_rows()
        view = self.query_one(LineView)
        view.show([_line(row, len(comparison.sides), stat, width) for row in rows])
        index = next((index for index, row in enumerate(rows) if row.metric.key == self._chosen), view.cursor)
        if index != view.cursor:  # rows were added or removed
            view.go(index)
        self._draw()

    @on(LineView.Moved)
    def metric_chosen(self) -> None:
        row = self._row()
        self._chosen = row.metric.key if row is not None else ""
        self._draw()

    def _row(self) -> MetricRow | None:
        """Return the row under the cursor; `None` if there are no rows."""
        rows = self._shown.known_rows() if self._shown is not None else []
        return rows[min(self.query_one(LineView).cursor, len(rows) - 1)] if rows else None

    def _draw(self) -> None:
        comparison, row = self._shown, self._row()
        if comparison is None or row is None:
            return
        lines = comparison.charts[row.metric.key]
        unit = row.metric.unit
        if self._is_own_scale:
            lines, unit = [_of_own_top(values) for values in lines], Unit.PERCENT
        series = [
            Series(side.label, values, tone) for side, values, tone in zip(comparison.sides, lines, TONES, strict=False)
        ]
        picture = self.query_one("#chart", TextLines)
        span = f"-{duration(comparison.span_s, 6).strip()}"
        overlay = Overlay(series, unit, (span, "", "now"))
        picture.show_lines(paint_overlay(overlay, picture.size.width, picture.size.height, self.is_ascii))
        self.query_one("#legend", Static).update(self._legend(row, comparison))

    def _legend(self, row: MetricRow, comparison: Shown) -> Text:
        scale = ", % of own maximum" if self._is_own_scale else ""
        legend = Text(f" {row.metric.label}{scale}: ", style="bold", no_wrap=True, overflow="ellipsis")
        look = look_of(self.app)
        for number, (side, tone, cell) in enumerate(zip(comparison.sides, TONES, row.cells, strict=False), 1):
            legend.append(f"{'#' if self.is_ascii else '━'} {number} {side.label}", style=look.foreground(tone))
            legend.append(f"{_difference(row, cell) if number > 1 else ''}  ")
        return legend

    def action_window(self) -> None:
        self._span = (self._span + 1) % len(WINDOWS)
        self._window = None
        self._request_update()

    def action_stat(self) -> None:
        self._stat = (self._stat + 1) % len(STATS)
        self._request_update()

    def action_scale(self) -> None:
        self._is_own_scale = not self._is_own_scale
        self._draw()

    def action_close(self) -> None:
        self.dismiss(None)


def compare(window: Window, identities: Sequence[WorkloadId], seconds: float | None, stat: str) -> Shown:
    """Return the table and the chart lines for the last `seconds` of a window; `None` is all of it."""
    pasts = [window.past(identity, seconds) for identity in identities]
    sides = [Column(past.workload.name, past) for past in pasts if past is not None]
    walls = sorted({wall for side in sides for wall in side.past.walls})
    rows = side_by_side(sides, stat)
    index_by_wall = {wall: index for index, wall in enumerate(walls)}
    charts = {
        row.metric.key: [_on_axis(side, row.metric.key, index_by_wall) for side in sides]
        for row in rows
        if row.is_known
    }
    return Shown(sides, rows, charts, walls[-1] - walls[0] if walls else 0.0, stat)


def _on_axis(side: Column, key: str, index_by_wall: dict[float, int]) -> list[float]:
    """Place the values of a side on the common time axis; NaN where there is no value."""
    values = [nan] * len(index_by_wall)
    for wall, value in zip(side.past.walls, side.past.values[key], strict=True):
        values[index_by_wall[wall]] = nan if value is None else value
    return values


def _difference(row: MetricRow, cell: Cell) -> str:
    """Return the signed difference to the first side in the metric's unit; empty if it is unknown."""
    if cell.difference is None:
        return ""
    sign = "-" if cell.difference < 0 else "+"
    return f" {sign}{text(abs(cell.difference), row.metric.unit, 6).strip()}"


def _of_own_top(values: Sequence[float]) -> list[float]:
    top = max((value for value in values if not isnan(value)), default=0.0)
    return [value / top * 100 if top else value for value in values]


def _line(row: MetricRow, count: int, stat: str, width: int) -> Line:
    """Return a line of the table, with the best and worst values marked."""
    return [(line(row, count, stat, width), "text")]
