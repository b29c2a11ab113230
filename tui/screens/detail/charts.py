"""The charts page: the metrics of a workload at the left, the chart of the chosen one at the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal

from collectors.analysis.history import History
from collectors.analysis.rates import Moment, Reading
from collectors.model.errors import SourceError
from collectors.model.workloads import Event, WorkloadId
from collectors.session.format import SessionError
from tui.controllers.background import is_up
from tui.controllers.history_feed import Frames, HistoryFeed
from tui.presenters.charts.page import SPANS, Page, Subject, list_lines, list_width
from tui.presenters.pages.metric_groups import Entry
from tui.widgets.line_view import LineView
from tui.widgets.row_view import RowView
from tui.widgets.tab_line import Tab
from tui.widgets.text_lines import TextLines

_DEFAULT_SPAN, _YOUNG_SPAN = 1, 0
_YOUNG_S = 120.0
"""Seconds of a session up to which a chart begins with the shorter span: there is nothing to fill the longer one."""
_PROGRESS_EVERY_S = 0.5


class ChartsPage(Horizontal):
    """Draws one chart a moment while it is shown.

    Args:
        identity: The workload.
        frames: Returns past frames.
        events: Returns the events of a workload, oldest first.
        recent: What is kept of the last minutes live, shown until the session has been read; `None` in a session.
        ascii_only: Draw with ASCII only.
        metric: Key of the metric to begin with; `None` begins with the first.
        spans: What a chart may show, shortest first.
    """

    DEFAULT_CSS: ClassVar[str] = """
    ChartsPage { height: 1fr; }
    ChartsPage RowView { border-right: solid $border; }
    ChartsPage #chart { width: 1fr; height: 1fr; }
    """

    def __init__(
        self,
        identity: WorkloadId,
        frames: Frames,
        events: Callable[[WorkloadId], Sequence[Event]],
        recent: History | None,
        ascii_only: bool,
        metric: str | None = None,
        spans: Sequence[tuple[str, float | None]] = SPANS,
    ) -> None:
        super().__init__(id="charts")
        self._spans = spans
        self.feed = HistoryFeed(identity, frames)
        self.drawn = 0
        """Number of charts drawn so far."""
        self.span = _DEFAULT_SPAN if spans is SPANS else 0
        """Index in the spans."""
        self._identity, self._events, self._is_live, self._is_ascii = identity, events, recent is not None, ascii_only
        self._recent, self._first_metric = recent, metric
        self._page = Page()
        self._is_overlay = False
        self._reading: Reading | None = None
        self._moment: Moment | None = None
        self._is_busy = False
        self._failure = ""
        """Why the past could not be read; empty if it could."""

    def compose(self) -> ComposeResult:
        yield RowView(id="metrics")
        yield TextLines(id="chart")

    def on_mount(self) -> None:
        self.set_interval(_PROGRESS_EVERY_S, self._show_progress)

    def on_unmount(self) -> None:
        self.feed.close()

    def on_resize(self) -> None:
        self.query_one(RowView).styles.width = list_width(self.size.width) + 2  # a scroll bar and the border
        self.call_after_refresh(self.redraw)

    def follow(self, reading: Reading | None, moment: Moment, is_next: bool) -> None:
        """Take in another moment; draw it with `redraw`."""
        if self._moment is None and self._recent is not None:
            self.feed.begin_with(self._recent, moment.frame.wall, moment.frame.interval_s)
            if self._spans is SPANS:
                self.span = _first_span(self._recent, moment.frame.wall - (self.feed.history.first_wall or 0.0))
        if self._is_live and is_next:
            self.feed.take(moment)
        self._reading, self._moment = reading or self._reading, moment

    def _subject(self) -> Subject | None:
        if self._reading is None or self._moment is None:
            return None
        events = self._events(self._identity)
        span_s = self._spans[self.span][1]
        return Subject(
            self._reading, self._moment, self.feed.history, events, span_s, self._is_live, self._is_ascii,
            self.size.width,
        )  # fmt: skip

    def redraw(self) -> None:
        """Show the newest moment, and read what is lacking of its past."""
        subject = self._subject()
        if subject is None or not self.is_mounted or not self.display:
            return
        view, (lines, rows) = self.query_one(RowView), list_lines(subject)
        view.show_rows(lines, rows)
        if self._first_metric is not None:
            keys = [entry.metric.key if entry is not None else None for entry in rows]
            if self._first_metric in keys:
                view.go(keys.index(self._first_metric))
            self._first_metric = None
        self._draw(subject)
        self._read_more()

    @on(LineView.Moved)
    def metric_chosen(self) -> None:
        subject = self._subject()
        if subject is not None:
            self._draw(subject)

    def _draw(self, subject: Subject) -> None:
        entry = self.query_one(RowView).chosen
        picture = self.query_one("#chart", TextLines)
        if isinstance(entry, Entry):
            size, note = picture.size, self._failure or self.feed.progress()
            picture.show_lines(self._page.lines(entry, subject, self._is_overlay, size.width, size.height, note))
            self.drawn += 1

    def _show_progress(self) -> None:
        if self.feed.progress() and self.display:
            self.metric_chosen()

    def _since(self) -> float:
        span_s = self._spans[self.span][1]
        return 0.0 if span_s is None or self._moment is None else self._moment.frame.wall - span_s

    def _read_more(self) -> None:
        """Read the past on a thread, one reading at a time."""
        if self._moment is None or self._is_busy or self._failure:
            return
        if self.feed.lacks(self._since(), self._moment.frame.wall, self._is_live):
            self._is_busy = True
            self.run_worker(self._read(), group="past")

    async def _read(self) -> None:
        try:
            while self._moment is not None:
                since, until = self._since(), self._moment.frame.wall
                if not self.feed.lacks(since, until, self._is_live):
                    return
                await self.feed.read(since, until, self._is_live)
                if not self._is_shown:
                    return
                self.metric_chosen()
        except (SessionError, SourceError) as error:
            self._failure = f"the past cannot be read: {error}"
        finally:
            self._is_busy = False
            if self._is_shown:
                self.redraw()

    @property
    def _is_shown(self) -> bool:
        """Whether the page is still there; it may have been left while the past was read."""
        return self.is_attached and is_up(self.screen)

    def change_span(self, step: int) -> None:
        """Show a longer (1) or a shorter (-1) span."""
        self.span = max(0, min(self.span + step, len(self._spans) - 1))
        self._failure = ""
        self.redraw()

    def toggle_overlay(self) -> None:
        """Draw the lines of related metrics over each other, or the area of one again."""
        self._is_overlay = not self._is_overlay
        self.metric_chosen()

    def spans(self) -> list[Tab]:
        """Return the spans, the chosen one marked."""
        return [Tab(word, f"choose_span({index})", index == self.span) for index, (word, _) in enumerate(self._spans)]


def _first_span(recent: History, age_s: float) -> int:
    """Return the span to begin with, by how much past there is."""
    return _YOUNG_SPAN if recent.ticks < recent.capacity and age_s < _YOUNG_S else _DEFAULT_SPAN
