"""Alerts without a screen: of what is recorded, streamed or served."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from collectors.alerts.alert import Alert
from collectors.alerts.rule import Rule
from collectors.alerts.told import beginning, ending
from collectors.alerts.watch import GAP_S, AlertWatch
from collectors.analysis.rates import Deriver, Moment
from collectors.engines.registry import engines_told_by
from collectors.model.workloads import Event, Frame
from tui.controllers.alert_programs import AlertPrograms

log = logging.getLogger(__name__)


class HeadlessAlerts:
    """Judges frames in order.

    Args:
        rules: All rules.
        announce: Takes the event of each alert that begins or ends; by default nothing does.
        gap_s: Seconds between frames from which on the time between them does not count.
        has_programs: Whether the programs of rules are run.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        announce: Callable[[Event], None] = lambda event: None,
        gap_s: float = GAP_S,
        has_programs: bool = True,
    ) -> None:
        self._watch = AlertWatch(rules, engines_told_by, gap_s)
        self._deriver = Deriver()
        self._announce = announce
        self._programs = AlertPrograms() if has_programs else None

    @property
    def active(self) -> list[Alert]:
        """The alerts that are active, the gravest first."""
        return self._watch.active

    def take(self, frame: Frame) -> None:
        """Judge the next frame. Never raises: it is called by the sampler, which has more to do."""
        try:
            self.judge(self._deriver.feed(frame))
        except Exception:
            log.exception("a frame could not be judged by the rules for alerts")

    def judge(self, moment: Moment) -> None:
        """Judge the next moment."""
        for alert in self._watch.feed(moment):
            self._announce(beginning(alert) if alert.is_active else ending(alert))
            if alert.is_active and self._programs is not None:
                self._programs.run(alert)

    def close(self) -> None:
        """Run no more programs."""
        if self._programs is not None:
            self._programs.close()
