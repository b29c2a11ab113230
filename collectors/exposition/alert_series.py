"""The alerts that vmtop judges by itself, as series: `vmtop_alert`, as Prometheus' own `ALERTS` are. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from collectors.exposition.families import HOST_LABEL
from collectors.exposition.labels import pairs
from collectors.model.workloads import Workload


class AlertSeries(NamedTuple):
    """One active alert."""

    rule: str
    level: str
    workload: Workload | None
    """What it is about; `None` for a source or the host that vmtop runs on."""
    source: str = ""
    host: str = ""


def alert_rows(alerts: Iterable[AlertSeries]) -> list[tuple[str, float]]:
    """Return the series with the value 1, each once: those that are over are absent."""
    return [(f"{{{inside}}} ", 1) for inside in dict.fromkeys(map(_inside, alerts))]


def _inside(alert: AlertSeries) -> str:
    workload = alert.workload
    labels: list[tuple[str, str | None]] = [
        ("rule", alert.rule),
        ("level", alert.level),
        (HOST_LABEL, alert.host),
        ("source", alert.source),
    ]
    if workload is not None:
        labels += [
            ("kind", workload.kind),
            ("engine", workload.id.engine),
            ("id", workload.short_id),
            ("name", workload.name),
        ]
    return pairs(labels)
