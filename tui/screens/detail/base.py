"""The detail screen of one workload: a chart for every metric, and its events. Base of the live and replay screens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from collectors.analysis.history import History
from collectors.analysis.rates import Moment, Reading
from collectors.analysis.startup_times import Startup
from collectors.model.metrics import METRICS
from collectors.model.workloads import Event, Workload, WorkloadId
from tui.dialogs.base import AnsweredOnce
from tui.keys.tables import TABLES
from tui.presenters.chart import limit_words, paint
from tui.presenters.detail import METRIC_WIDTH, chart_of, event_lines, metric_line, statistics
from tui.presenters.empty_reason import why_empty
from tui.presenters.formatting import duration, fit, state_text
from tui.presenters.styled_lines import Line
from tui.screens.mixins.moment_follower import Follower
from tui.screens.mixins.page_keys import PageKeys
from tui.widgets.chart_view import ChartView
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView

CHARTS, EVENTS = "charts", "events"


class DetailContext(NamedTuple):
    """A workload, and where its data comes from."""

    identity: WorkloadId
    history: History
    """Recent values; keeps every metric of this workload while the screen is open."""
    events: Callable[[WorkloadId], Sequence[Event]]
    """Returns the events of a workload so far."""
    startup: Callable[[WorkloadId], Startup | None]
    """Returns the newest start of a workload that vmtop observed; `None` if there is none."""
    ascii_only: bool = False
    """Draw with ASCII only."""


class WorkloadScreen(Follower, PageKeys, AnsweredOnce, Screen[None]):
    """Shows one workload and updates with every frame.

    Args:
        subject: The workload and where its data comes from.
    """

    pages: ClassVar[tuple[str, ...]] = (CHARTS, EVENTS)

    DEFAULT_CSS = f"""
    WorkloadScreen {{ layout: vertical; }}
    WorkloadScreen > Static {{ height: 1; }}
    WorkloadScreen #title {{ background: $panel; text-style: bold; }}
    WorkloadScreen #charts {{ height: 1fr; }}
    WorkloadScreen #metrics {{ width: {METRIC_WIDTH + 1}; }}
    WorkloadScreen #numbers {{ height: 3; padding: 0 1; }}
    WorkloadScreen Vertical {{ width: 1fr; }}
    """

    def __init__(self, subject: DetailContext) -> None:
        super().__init__()
        self.identity, self._history, self._events, self._startup, self.is_ascii = subject
        self._page = CHARTS
        self._reading: Reading | None = None
        self._moment: Moment | None = None
        self._interval_s = 1.0
        self._is_gone = False
        self.drawn = 0
        """Number of charts drawn so far."""

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield Static(id="tabs")
        with Horizontal(id="charts"):
            yield LineView(has_cursor=True, id="metrics")
            with Vertical():
                yield ChartView(id="chart")
                yield Static(id="numbers")
        yield LineView(id="page")
        yield from self.extra()
        yield Footer(TABLES[self.key_table])

    def extra(self) -> Iterable[Widget]:
        """Return the widgets of further pages."""
        return ()

    def on_mount(self) -> None:
        self._history.follow(self.identity)
        self.action_page(self._page)

    def on_unmount(self) -> None:
        self._history.follow(None)

    def on_resize(self) -> None:
        self.call_after_refresh(self._redraw)

    def follow(self, moment: Moment, interval_s: float, is_next: bool = True) -> None:
        """Show another moment; a workload that is gone keeps its last values."""
        reading = moment.readings.get(self.identity)
        self._is_gone = reading is None
        self._reading = reading or self._reading
        self._moment, self._interval_s = moment, interval_s
        if self.is_mounted:
            self._redraw()

    def target(self) -> Workload | None:
        return self._reading.workload if self._reading is not None else None

    def _redraw(self) -> None:
        if self._reading is None:
            return
        self.query_one("#title", Static).update(self._title(self._reading.workload))
        if self._page == CHARTS:
            self._show_metrics(self._reading)
        elif self._page == EVENTS:
            self._show_page()

    def under_way(self) -> list[str]:
        """Return notes for the title, such as an action in progress; empty if there are none."""
        return []

    def page_lines(self, page: str, width: int) -> list[Line]:
        """Return the lines of a page other than the charts."""
        return event_lines(self._events(self.identity), self._startup(self.identity))

    def _title(self, workload: Workload) -> Text:
        parts = [
            workload.name,
            f"{workload.kind} by {workload.id.engine}",
            "GONE" if self._is_gone else state_text(workload),
        ]
        parts += [part for part in (workload.health, workload.image, workload.ports, workload.endpoint) if part]
        if workload.started_at and self._moment and workload.state.is_active:
            parts.insert(3, f"up {duration(max(0.0, self._moment.frame.wall - workload.started_at), 6).strip()}")
        parts[1:1] = self.under_way()
        return Text(fit(" " + "  ·  ".join(parts), self.size.width), no_wrap=True)

    def _show_metrics(self, reading: Reading) -> None:
        metrics = list(METRICS.values())
        listed = self.query_one("#metrics", LineView)
        listed.show([metric_line(metric, reading, self._history, self.is_ascii) for metric in metrics])
        self._draw(reading)

    @on(LineView.Moved)
    def metric_chosen(self) -> None:
        if self._page == CHARTS and self._reading is not None:
            self._draw(self._reading)

    def _draw(self, reading: Reading) -> None:
        """Draw the chart of the selected metric."""
        metric = list(METRICS.values())[self.query_one("#metrics", LineView).cursor]
        chart = chart_of(metric, reading, self._history, self._interval_s)
        picture = self.query_one(ChartView)
        picture.show(paint(chart, picture.size.width, picture.size.height, self.is_ascii))
        self.drawn += 1
        caption = Text(f"{metric.label}  {metric.help}\n", no_wrap=True, overflow="ellipsis", style="bold")
        value = reading.value(metric.key)
        caption.append(statistics(chart) if value is not None else self._why_empty(metric.key), style="not bold")
        caption.append(f"\n{limit_words(chart)}", style="dim")
        self.query_one("#numbers", Static).update(caption)

    def _why_empty(self, key: str) -> str:
        if self._reading is None or self._moment is None:
            return ""
        return f"unknown: {why_empty(key, self._reading, self._moment)}"

    def _show_page(self) -> None:
        if self._page != CHARTS:
            view = self.query_one("#page", LineView)
            width = self.size.width - 1  # the view has no width yet when it has just been shown
            view.show(self.page_lines(self._page, max(20, width)))

    def action_page(self, page: str) -> None:
        self._page = page
        is_charts = page == CHARTS
        self.query_one("#charts").display = is_charts
        view = self.query_one("#page", LineView)
        view.display = not is_charts
        (self.query_one("#metrics") if is_charts else view).focus()
        view.go(0)
        tabs = Text(no_wrap=True)
        for number, name in enumerate(self.pages, 1):
            tabs.append(f" {number} ", style="dim").append(f" {name} ", style="reverse bold" if name == page else "")
        self.query_one("#tabs", Static).update(tabs)
        self._show_page()
        self.call_after_refresh(self._redraw)

    def action_turn(self, step: int) -> None:
        self.action_page(self.pages[(self.pages.index(self._page) + step) % len(self.pages)])

    def action_turn_to(self, number: int) -> None:
        if number <= len(self.pages):
            self.action_page(self.pages[number - 1])

    def action_close(self) -> None:
        self.dismiss(None)
