"""The detail screen of one workload: every metric as a chart, what it is, its devices, its processes, its events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Static

from collectors.details.model import Details, Page
from collectors.details.reader import DetailsReader
from collectors.history import History
from collectors.metrics import METRICS
from collectors.model import Event, Workload, WorkloadId
from collectors.rates import Moment, Reading
from collectors.startup import Startup
from tui.action_desk import ActionDesk
from tui.detail_pages import METRIC_WIDTH, chart_of, event_lines, metric_line, statistics, table_lines
from tui.format import duration, fit
from tui.keys import KEYS, shown
from tui.means import Means
from tui.screens.acting import Acting
from tui.threads import in_thread, is_up
from tui.widgets.chart import limit_words, paint
from tui.widgets.line_view import LineView
from tui.widgets.picture import Picture

PAGES = ("charts", Page.FACTS.value, Page.DEVICES.value, Page.PROCESSES.value, "events")
READ_EVERY_S = 2.0
_SHARED = frozenset({"act", "lock", "action_log", "copy", "logs", "inspect", "shell", "help"})
"""The main screen's keys that work here too."""


class WorkloadScreen(Acting, Screen[None]):
    """Looks at one workload while the frames go on.

    Args:
        identity: Whom.
        history: The recent past, which follows every metric of this workload while the screen is open.
        desk: For actions.
        means: The way to the engines.
        events: The events of this workload so far.
        startup: Its newest witnessed start.
        ascii_only: Draw with ASCII only.
    """

    DEFAULT_CSS = f"""
    WorkloadScreen {{ layout: vertical; }}
    WorkloadScreen > Static {{ height: 1; }}
    WorkloadScreen #title {{ background: $primary-background; text-style: bold; }}
    WorkloadScreen #footer {{ background: $primary-background; color: $foreground; }}
    WorkloadScreen #charts {{ height: 1fr; }}
    WorkloadScreen #metrics {{ width: {METRIC_WIDTH + 1}; }}
    WorkloadScreen #numbers {{ height: 3; padding: 0 1; }}
    WorkloadScreen Vertical {{ width: 1fr; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key.keys, key.action, key.help, show=False) for key in KEYS if key.action in _SHARED),
        *(Binding(str(number), f"page('{page}')", show=False) for number, page in enumerate(PAGES, 1)),
        Binding("tab", "turn(1)", show=False),
        Binding("shift+tab", "turn(-1)", show=False),
        Binding("escape,q", "close", "back"),
    ]

    def __init__(
        self,
        identity: WorkloadId,
        history: History,
        desk: ActionDesk,
        means: Means,
        events: Callable[[WorkloadId], Sequence[Event]],
        startup: Callable[[WorkloadId], Startup | None],
        ascii_only: bool = False,
    ) -> None:
        super().__init__()
        self.desk = desk
        self.identity = identity
        self._history = history
        self.means = means
        self._read = DetailsReader(means.reach).read
        self._events = events
        self._startup = startup
        self.is_ascii = ascii_only
        self._page = PAGES[0]
        self._reading: Reading | None = None
        self._moment: Moment | None = None
        self._interval_s = 1.0
        self._is_gone = False
        self._details: Details | None = None
        self.drawn = 0
        """Charts drawn so far."""

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield Static(id="tabs")
        with Horizontal(id="charts"):
            yield LineView(has_cursor=True, id="metrics")
            with Vertical():
                yield Picture(id="chart")
                yield Static(id="numbers")
        yield LineView(id="page")
        yield Static(id="footer")

    def on_mount(self) -> None:
        self._history.follow(self.identity)
        self.query_one("#footer", Static).update(_footer())
        self.action_page(self._page)
        self.run_worker(self._look(), group="look", exclusive=True)

    def on_unmount(self) -> None:
        self._history.follow(None)

    def on_resize(self) -> None:
        self.call_after_refresh(self._redraw)

    def take_moment(self, moment: Moment, interval_s: float) -> None:
        """Show the next moment; a workload that is gone keeps its last values."""
        reading = moment.readings.get(self.identity)
        self._is_gone = reading is None
        self._reading = reading or self._reading
        self._moment, self._interval_s = moment, interval_s
        if self.is_mounted:
            self._redraw()

    def targets(self) -> list[Workload]:
        target = self.target()
        return [target] if target is not None and not self._is_gone else []

    def target(self) -> Workload | None:
        return self._reading.workload if self._reading is not None else None

    async def _look(self) -> None:
        """Look again and again, one look at a time, while a page wants it."""
        while True:
            target = self.target()
            if target is not None and not self._is_gone and self._page in set(Page):
                self._details = await in_thread(partial(self._read, target))
                if not is_up(self):
                    return
                self._show_page()
            await asyncio.sleep(READ_EVERY_S if self._details is not None else 0.1)

    def _redraw(self) -> None:
        if self._reading is None:
            return
        self.query_one("#title", Static).update(self._title(self._reading.workload))
        if self._page == "charts":
            self._show_metrics(self._reading)
        elif self._page == "events":
            self._show_page()

    def _title(self, workload: Workload) -> Text:
        parts = [workload.name, f"{workload.kind} by {workload.id.engine}", "GONE" if self._is_gone else workload.state]
        parts += [part for part in (workload.health, workload.image, workload.ports, workload.endpoint) if part]
        if workload.started_at and self._moment and workload.state.is_active:
            parts.insert(3, f"up {duration(max(0.0, self._moment.frame.wall - workload.started_at), 6).strip()}")
        acting = self.desk.runner.running().get(self.identity)
        if acting is not None:
            parts.insert(1, f"{acting.request.verb} under way for {acting.seconds():.0f} s")
        return Text(fit(" " + "  ·  ".join(parts), self.size.width), no_wrap=True)

    def _show_metrics(self, reading: Reading) -> None:
        metrics = list(METRICS.values())
        listed = self.query_one("#metrics", LineView)
        listed.show([metric_line(metric, reading, self._history, self.is_ascii) for metric in metrics])
        self._draw(reading)

    @on(LineView.Moved)
    def metric_chosen(self) -> None:
        if self._page == "charts" and self._reading is not None:
            self._draw(self._reading)

    def _draw(self, reading: Reading) -> None:
        """Draw the one chart."""
        metric = list(METRICS.values())[self.query_one("#metrics", LineView).cursor]
        chart = chart_of(metric, reading, self._history, self._interval_s)
        picture = self.query_one(Picture)
        picture.show(paint(chart, picture.size.width, picture.size.height, self.is_ascii))
        self.drawn += 1
        words = Text(f"{metric.label}  {metric.help}\n", no_wrap=True, overflow="ellipsis", style="bold")
        value = reading.value(metric.key)
        words.append(statistics(chart) if value is not None else f"not known: {metric.missing}", style="not bold")
        words.append(f"\n{limit_words(chart)}", style="dim")
        self.query_one("#numbers", Static).update(words)

    def _show_page(self) -> None:
        view = self.query_one("#page", LineView)
        if self._page == "events":
            view.show(event_lines(self._events(self.identity), self._startup(self.identity)))
        elif self._page != "charts":
            width = max(20, view.size.width - 1)
            reading = [[(" reading ...", "dim")]]
            view.show(table_lines(self._details, Page(self._page), width) if self._details else reading)

    def action_page(self, page: str) -> None:
        self._page = page
        is_charts = page == "charts"
        self.query_one("#charts").display = is_charts
        view = self.query_one("#page", LineView)
        view.display = not is_charts
        (self.query_one("#metrics") if is_charts else view).focus()
        view.go(0)
        tabs = Text(no_wrap=True)
        for number, name in enumerate(PAGES, 1):
            tabs.append(f" {number} ", style="dim").append(f" {name} ", style="reverse bold" if name == page else "")
        self.query_one("#tabs", Static).update(tabs)
        self._show_page()
        self.call_after_refresh(self._redraw)

    def action_turn(self, step: int) -> None:
        self.action_page(PAGES[(PAGES.index(self._page) + step) % len(PAGES)])

    def action_close(self) -> None:
        self.dismiss(None)


def _footer() -> Text:
    footer = Text(" 1-5 Tab ", style="bold", no_wrap=True, overflow="crop")
    footer.append("page ", style="not bold")
    for key in KEYS:
        if key.action in _SHARED and key.label:
            footer.append(f" {shown(key.keys).split()[0]} ").append(f"{key.label} ", style="not bold")
    return footer.append(" Esc ").append("back", style="not bold")
