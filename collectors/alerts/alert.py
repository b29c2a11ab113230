"""An alert: one rule that has begun to hold for one subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from collectors.alerts.rule import Rule
from collectors.model.workloads import Workload, WorkloadId


class Subject(NamedTuple):
    """What an alert is about."""

    id: WorkloadId
    """The workload; the host where it is about a source."""
    part: str = ""
    """The source; empty for a workload."""


@dataclass(slots=True, eq=False)
class Alert:
    """An alert, active until `ended_wall` is set. Instants are wall times in seconds since 1970."""

    rule: Rule
    subject: Subject
    name: str
    """Of what it is about: a workload, a host or a source; inert."""
    began_wall: float
    detail: str = ""
    """What was measured when it began, such as `limit 97%`; empty for an event."""
    workload: Workload | None = None
    """As it was when the alert began; `None` for a source."""
    ended_wall: float | None = None
    end: str = ""
    """Why it ended, such as `over` or `it is gone`; empty while it is active."""
    is_acknowledged: bool = False

    @property
    def title(self) -> str:
        """What it is about, for people: with the host of a workload, if that is another one."""
        return title_of(self.subject.id, self.name)

    @property
    def sentence(self) -> str:
        """What has happened, without the name of the subject."""
        return f"{self.rule.words} ({self.detail})" if self.detail else self.rule.words

    @property
    def is_active(self) -> bool:
        return self.ended_wall is None


def title_of(identity: WorkloadId, name: str) -> str:
    """Return a name with the host of what has it before it, if that is another one and not itself of that name."""
    return name if name == identity.host else identity.named(name)
