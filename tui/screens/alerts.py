"""The alerts: which are active, which are over, and what to do about one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from collectors.alerts.alert import Alert
from collectors.alerts.told import Told
from collectors.analysis.rates import Moment
from collectors.model.workloads import WorkloadId
from tui.controllers.alerts import AlertController
from tui.dialogs.base import AnsweredOnce
from tui.keys.bindings import bindings
from tui.keys.tables import ALERTS, PAST_ALERTS, TABLES
from tui.presenters.pages.alert_lines import alert_lines, detail_lines, row_of
from tui.presenters.styled_lines import cut
from tui.screens.mixins.moment_follower import Follower
from tui.screens.mixins.page_keys import PageKeys
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView
from tui.widgets.row_view import RowView
from tui.widgets.text_lines import TextLines, TitleLine

Alerts = Callable[[], Sequence[Alert | Told]]
"""Returns the alerts of the moment that is shown."""


class AlertsScreen(Follower, PageKeys, AnsweredOnce, Screen[None]):
    """The list of alerts.

    Args:
        where: Which screen the moments come from.
        moment: The moment that is shown, `None` before the first.
        alerts: Returns the alerts.
        open_workload: Opens the page of a workload.
        controller: Acknowledges and silences; `None` at a past moment, where nothing can be done.
        ascii_only: Draw with ASCII only.
    """

    DEFAULT_CSS = """
    AlertsScreen { layout: vertical; }
    AlertsScreen #details { height: 2; }
    """
    key_table = ALERTS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(ALERTS)]

    def __init__(
        self,
        where: str,
        moment: Moment | None,
        alerts: Alerts,
        open_workload: Callable[[WorkloadId], None],
        controller: AlertController | None = None,
        ascii_only: bool = False,
    ) -> None:
        super().__init__()
        self.where = where
        self.key_table = ALERTS if controller is not None else PAST_ALERTS
        self.is_ascii = ascii_only
        self._moment = moment
        self._alerts = alerts
        self._open_workload = open_workload
        self._controller = controller
        self._shown: list[Alert | Told] = []

    def compose(self) -> ComposeResult:
        yield TitleLine(id="title")
        yield RowView()
        yield TextLines(id="details")
        yield Footer(TABLES[self.key_table])

    def on_mount(self) -> None:
        self.query_one(RowView).focus()
        self.redraw()

    def on_resize(self) -> None:
        self.call_after_refresh(self.redraw)

    def follow(self, moment: Moment, interval_s: float, is_next: bool = True) -> None:
        self._moment = moment
        if self.is_mounted:
            self.redraw()

    def redraw(self) -> None:
        """Show the alerts of the moment; the cursor stays with the one that it is on."""
        view, width = self.query_one(RowView), self.size.width
        chosen = self.chosen()
        self._shown = list(self._alerts())
        rows = [row_of(alert) for alert in self._shown]
        wall = self._moment.frame.wall if self._moment is not None else 0.0
        lines, indices = alert_lines(rows, wall, width, self.is_ascii)
        view.show_rows(lines, indices)
        if chosen is not None and (place := self._line_of(chosen, indices)) is not None:
            view.go(place)
        words = "nothing is wrong by any rule" if not any(row.ended_wall is None for row in rows) else ""
        title = [(" Alerts", "title"), (f"  {words}", "muted")]
        self.query_one("#title", TextLines).show_lines([cut(title, width)])
        self.show_details()

    def _line_of(self, chosen: Alert | Told, indices: list[int | None]) -> int | None:
        key = _identity(chosen)
        return next(
            (line for line, index in enumerate(indices) if index is not None and _identity(self._shown[index]) == key),
            None,
        )

    def chosen(self) -> Alert | Told | None:
        """Return the alert under the cursor; `None` if there are none."""
        index = self.query_one(RowView).chosen
        return self._shown[index] if isinstance(index, int) and index < len(self._shown) else None

    @on(LineView.Moved)
    def show_details(self) -> None:
        """Show all about the alert under the cursor."""
        chosen, width = self.chosen(), self.size.width
        lines = [] if chosen is None else [cut(line, width) for line in detail_lines(row_of(chosen))]
        self.query_one("#details", TextLines).show_lines(lines)

    def action_open(self) -> None:
        """Open the page of the workload that the alert is about."""
        chosen = self.chosen()
        moment = self._moment
        if chosen is None or moment is None:
            return
        identity = chosen.subject.id if isinstance(chosen, Alert) else chosen.workload
        reading = moment.readings.get(identity)
        if reading is None or reading.workload.is_host:
            self.notify(f"{chosen.title} has no page of its own here", timeout=4, markup=False)
            return
        self._open_workload(identity)

    def action_acknowledge(self) -> None:
        """Take the alert out of the count, or put it back."""
        chosen = self.chosen()
        if self._controller is not None and isinstance(chosen, Alert) and chosen.is_active:
            self._controller.acknowledge(chosen)
            self.redraw()
        else:
            self.notify("only an active alert can be acknowledged", timeout=3)

    def action_silence(self) -> None:
        """Silence the rule about this workload for an hour."""
        chosen, moment = self.chosen(), self._moment
        if self._controller is not None and moment is not None and isinstance(chosen, Alert) and chosen.is_active:
            self._controller.silence(chosen, moment.frame.wall)
            self.notify(f"{chosen.rule.name}: silent about {chosen.title} for an hour", timeout=4, markup=False)
            self.redraw()
        else:
            self.notify("only an active alert can be silenced", timeout=3)

    def action_copy(self) -> None:
        """Copy what the alert says."""
        chosen = self.chosen()
        if chosen is not None:
            self.app.copy_to_clipboard(f"{chosen.title}: {chosen.sentence}")
            self.notify("copied the alert, if the terminal allows it", timeout=3)

    def action_close(self) -> None:
        self.dismiss(None)


def _identity(alert: Alert | Told) -> tuple[object, ...]:
    """Return what tells an alert from others, also when it is read from the events again."""
    if isinstance(alert, Alert):
        return alert.rule.name, alert.subject, alert.began_wall
    return alert.rule, alert.workload, alert.name, alert.began_wall
