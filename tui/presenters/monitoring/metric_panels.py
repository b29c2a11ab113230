"""Charts of all metrics that can be asked of an engine, grouped as on vmtop's own charts. From the table of metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from collectors.exposition.expressions import EXPRESSIONS, expression
from collectors.model.metrics import Unit
from tui.presenters.monitoring.panels import UNITS, WINDOW, Panel, Query, graph, row
from tui.presenters.pages.metric_groups import ENTRIES, SETTINGS, Entry, is_share

_SHARE, _CORES = "shares of time and of limits", "100% is one core"
_WORDS = {Unit.BYTES: "bytes", Unit.BYTES_PER_SECOND: "bytes/s", Unit.PER_SECOND: "operations/s"}
_SIDE_BY_SIDE = 3
_NOT_DRAWN = frozenset({"disk_bytes_per_second", "net_bytes_per_second"})
"""Sums of two that are drawn."""
_LIMITS: Mapping[tuple[str, str], tuple[str, float]] = {
    ("CPU", _CORES): ("cpu_limit_cores", 100),
    ("MEMORY", UNITS[Unit.BYTES]): ("memory_limit_bytes", 1),
}
"""The limit that is drawn into a chart, and what makes it the chart's unit."""


def metric_panels(matchers: str, who: str) -> Iterator[list[Panel]]:
    """Yield the heading of each group with its charts, one for each unit.

    Args:
        matchers: Matchers of the workloads.
        who: The template of Grafana that names a workload in a legend, such as `{{name}}`.
    """
    entries = [entry for entry in ENTRIES if entry.metric.key in set(EXPRESSIONS) - _NOT_DRAWN]
    for group, of_group in groupby(entries, lambda entry: entry.group):
        if group == SETTINGS:
            continue
        charts: dict[str, list[Entry]] = {}
        for entry in of_group:
            charts.setdefault(_axis(entry), []).append(entry)
        yield [row(_heading(group))]
        panels = [_chart(group, axis, members, matchers, who) for axis, members in charts.items()]
        yield from (panels[at : at + _SIDE_BY_SIDE] for at in range(0, len(panels), _SIDE_BY_SIDE))


def _axis(entry: Entry) -> str:
    if entry.metric.unit is not Unit.PERCENT:
        return UNITS[entry.metric.unit]
    return _SHARE if is_share(entry.metric) else _CORES


def _chart(group: str, axis: str, entries: list[Entry], matchers: str, who: str) -> Panel:
    queries = [Query(expression(e.metric.key, matchers, WINDOW), f"{who} {e.name}") for e in entries]
    if limit := _LIMITS.get((group, axis)):
        key, scale = limit
        scaled = expression(key, matchers, WINDOW) if scale == 1 else f"{scale:g} * {expression(key, matchers, WINDOW)}"
        queries.append(Query(scaled, f"{who} limit"))
    unit = "percent" if axis in (_SHARE, _CORES) else axis
    about = "\n".join(f"{entry.name}: {entry.metric.help}" for entry in entries)
    return graph(f"{_heading(group)}: {_words(axis, entries)}", queries, unit, about=about)


def _heading(group: str) -> str:
    return group if group == "CPU" else group.capitalize()


def _words(axis: str, entries: list[Entry]) -> str:
    """Return what the members of a chart have in common, or the name of the only one."""
    if axis in (_SHARE, _CORES):
        return axis
    unit = entries[0].metric.unit
    return entries[0].name if len(entries) == 1 else _WORDS.get(unit, unit.value)
