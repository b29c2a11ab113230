"""What a rule is: a condition, how grave it is, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from collectors.alerts.condition import Condition
from collectors.query.filter import Query


class Level(StrEnum):
    """How grave an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """A number that is higher for graver ones."""
        return list(Level).index(self)


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of `[[alerts]]`, or a built-in one."""

    name: str
    """What it is called on the screen and in exports; unique."""
    condition: Condition
    until: Query | None = None
    """What has to hold for an alert to end; `None`: that the condition does not hold."""
    level: Level = Level.WARNING
    text: str = ""
    """What has happened, for people; empty: the name says it."""
    run: tuple[str, ...] = ()
    """A program and its arguments that is run when an alert begins; empty for none."""
    has_bell: bool = False
    """Whether the terminal's bell rings."""
    is_shown_on_desktop: bool = False
    """Whether the terminal is asked to show a notification of the desktop."""
    is_on: bool = True
    is_built_in: bool = False

    @property
    def words(self) -> str:
        """What has happened, for people."""
        return self.text or self.name
