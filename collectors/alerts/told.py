"""Alerts as events, which sessions keep and timelines show, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from collectors.alerts.alert import Alert, title_of
from collectors.alerts.rule import Level
from collectors.model.workloads import Event, Workload, WorkloadId

BEGAN, ENDED = "alert", "alert over"
"""Values of `Event.what`. The detail is `LEVEL: RULE: SENTENCE`, and of the end `RULE: WHY`."""
WHATS = frozenset({BEGAN, ENDED})
OVER = "over"
"""Why an alert has ended: its cause has."""


class Told(NamedTuple):
    """An alert as the events of a session tell it."""

    rule: str
    level: Level
    workload: WorkloadId
    name: str
    sentence: str
    began_wall: float
    ended_wall: float | None = None
    end: str = ""

    @property
    def title(self) -> str:
        """What it is about, for people: with the host of a workload, if that is another one."""
        return title_of(self.workload, self.name)


def beginning(alert: Alert) -> Event:
    """Return the event of an alert that begins."""
    detail = f"{alert.rule.level}: {alert.rule.name}: {alert.sentence}"
    return Event(alert.began_wall, alert.subject.id, BEGAN, detail, alert.name)


def ending(alert: Alert) -> Event:
    """Return the event of an alert that has ended."""
    return Event(alert.ended_wall or 0.0, alert.subject.id, ENDED, f"{alert.rule.name}: {alert.end}", alert.name)


def told(events: Iterable[Event]) -> list[Told]:
    """Return the alerts that events tell of, in the order in which they began.

    An end whose beginning is not among the events is left out: nothing is known of it but its name.
    """
    found: dict[tuple[WorkloadId, str, str], Told] = {}
    over: list[Told] = []
    for event in events:
        if event.what == BEGAN:
            level, rule, sentence = _parts(event.detail)
            alert = Told(rule, level, event.workload, event.name, sentence, event.wall)
            earlier = found.get(key := (event.workload, event.name, rule))
            over += [earlier] if earlier is not None else []
            found[key] = alert
        elif event.what == ENDED:
            rule, _, end = event.detail.partition(": ")
            begun = found.pop((event.workload, event.name, rule), None)
            if begun is not None:
                over.append(begun._replace(ended_wall=event.wall, end=end))
    return sorted([*over, *found.values()], key=lambda alert: alert.began_wall)


def worst_levels(alerts: Iterable[Told], host: Workload) -> dict[WorkloadId, Level]:
    """Return the gravest level of the active alerts about each workload, and about the host itself.

    Args:
        alerts: All alerts.
        host: The host that vmtop runs on, whose identity the alerts about sources have, too.
    """
    worst: dict[WorkloadId, Level] = {}
    for alert in alerts:
        is_of_source = alert.workload == host.id and alert.name != host.name
        if alert.ended_wall is None and not is_of_source:
            worst[alert.workload] = max(worst.get(alert.workload, alert.level), alert.level, key=lambda one: one.rank)
    return worst


def _parts(detail: str) -> tuple[Level, str, str]:
    """Return level, rule and sentence; a file may hold anything."""
    level, _, rest = detail.partition(": ")
    rule, _, sentence = rest.partition(": ")
    return Level(level) if level in set(Level) else Level.WARNING, rule, sentence
