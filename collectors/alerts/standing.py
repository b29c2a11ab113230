"""How long a rule has held for one subject, and from when on that is an alert. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from collectors.alerts.alert import Alert

QUIET_S = 10.0
"""Seconds for which a rule must not hold before its alert is over: what flickers is one alert."""
_FORGOTTEN_S = 60.0
"""Seconds without a known value after which the time that a rule has held no longer counts, nor an alert goes on about
what there is no value of."""


class Step(Enum):
    """What follows from a verdict."""

    NOTHING = "nothing"
    BEGIN = "begin"
    END = "end"


@dataclass(slots=True)
class Standing:
    """The time that a rule has held, and since its alert began the time that it has not."""

    held_s: float = 0.0
    over_s: float = 0.0
    unknown_s: float = 0.0
    verdict: bool | None = None
    """The last one; with an alert, whether it would go on."""
    alert: Alert | None = None

    def take(self, verdict: bool | None, passed_s: float, for_s: float, is_absent: bool = False) -> Step:
        """Take the next verdict.

        Time counts only between two verdicts that are the same and known: what was not measured neither begins nor
        ends an alert.

        Args:
            verdict: Whether the rule holds; `None` is unknown.
            passed_s: Seconds since the last verdict for which frames came without a gap; 0 after a gap.
            for_s: Seconds for which the rule has to hold.
            is_absent: Whether what is unknown is so because there is nothing to be known, such as the use of a limit
                that was lifted: an alert about that ends after a while.
        """
        counted_s = passed_s if verdict is self.verdict and verdict is not None else 0.0
        self.verdict = verdict
        if verdict is None:
            self.unknown_s += passed_s
            if self.unknown_s >= _FORGOTTEN_S:
                self.held_s = self.over_s = 0.0
                if is_absent and self.alert is not None:
                    return Step.END
            return Step.NOTHING
        self.unknown_s = 0.0
        if self.alert is None:
            return self._before(verdict, counted_s, for_s)
        self.over_s = 0.0 if verdict else self.over_s + counted_s
        return Step.END if self.over_s >= QUIET_S else Step.NOTHING

    def _before(self, verdict: bool, counted_s: float, for_s: float) -> Step:
        self.held_s = self.held_s + counted_s if verdict else 0.0
        return Step.BEGIN if verdict and self.held_s >= for_s else Step.NOTHING

    @property
    def is_idle(self) -> bool:
        """Whether nothing has to be remembered."""
        return self.alert is None and not self.held_s and self.verdict is not True
