"""Alerts on the live screen: judged each second, put on the timeline, told by bell, desktop and program."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from collectors.alerts.alert import Alert
from collectors.alerts.rule import Level, Rule
from collectors.alerts.told import beginning, ending
from collectors.alerts.watch import AlertWatch
from collectors.analysis.rates import Moment
from collectors.engines.registry import engines_told_by
from collectors.model.workloads import Event, WorkloadId
from tui.controllers.alert_programs import AlertPrograms
from tui.terminal.desktop_notice import desktop_notice
from tui.terminal.textual_private import driver_of

if TYPE_CHECKING:
    from textual.app import App

SILENCE_S = 3600.0
"""Seconds for which a rule is silenced about a workload."""


class AlertController:
    """The alerts of a run.

    Args:
        app: Rings, and tells of programs that failed.
        rules: All rules.
        announce: Adds an event to the next frame, and so to the timeline and to sessions.
        is_simulated: Whether the workloads are made up: no program is run with their names.
    """

    def __init__(
        self, app: App[int], rules: Sequence[Rule], announce: Callable[[Event], None], is_simulated: bool = False
    ) -> None:
        self._app, self._announce = app, announce
        self._programs = None if is_simulated else AlertPrograms(self._tell)
        self.watch = AlertWatch(rules, engines_told_by)
        self.fresh: list[Alert] = []
        """The active alerts that nobody has acknowledged and whose events are in a frame, the gravest first."""
        self.worst: dict[WorkloadId, Level] = {}
        """The gravest of their levels, by workload."""
        self._unjudged: Moment | None = None

    def take(self, moment: Moment) -> None:
        """Take in a moment, which is judged later: it shows what was announced by the moment before."""
        self.judge()
        self.look()
        self._unjudged = moment

    def judge(self) -> None:
        """Judge the moment that was taken in last, if it is not yet; tell what has begun and what is over.

        What is announced now is in the next frame, where a replay shows it, too.
        """
        moment, self._unjudged = self._unjudged, None
        if moment is not None:
            self._tell_changes(self.watch.feed(moment))

    def _tell_changes(self, changed: Sequence[Alert]) -> None:
        for alert in changed:
            self._announce(beginning(alert) if alert.is_active else ending(alert))
        begun = [alert for alert in changed if alert.is_active]
        if any(alert.rule.has_bell for alert in begun):
            self._app.bell()
        for alert in begun:
            if alert.rule.is_shown_on_desktop:
                self._write(desktop_notice("vmtop", f"{alert.title}: {alert.sentence}", os.environ))
            if self._programs is not None:
                self._programs.run(alert)

    def look(self) -> None:
        """Take notice of what was acknowledged or silenced."""
        self.fresh = [alert for alert in self.watch.active if not alert.is_acknowledged]
        self.worst = {}
        for alert in self.fresh:
            if not alert.subject.part:
                self.worst.setdefault(alert.subject.id, alert.rule.level)

    def acknowledge(self, alert: Alert) -> None:
        """Take an alert out of the count and off its row, or put it back."""
        alert.is_acknowledged = not alert.is_acknowledged
        self.look()

    def silence(self, alert: Alert, now_wall: float) -> None:
        """End an alert, and let none of its rule begin about its subject for an hour."""
        self.watch.silence(alert, now_wall, now_wall + SILENCE_S)
        self._announce(ending(alert))
        self.look()

    def close(self) -> None:
        """Run no more programs."""
        if self._programs is not None:
            self._programs.close()

    def _tell(self, sentence: str) -> None:
        self._app.call_later(lambda: self._app.notify(sentence, severity="warning", timeout=8, markup=False))

    def _write(self, sequence: str) -> None:
        driver = driver_of(self._app)
        if driver is not None:
            driver.write(sequence)
