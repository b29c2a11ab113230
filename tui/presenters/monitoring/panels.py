"""The panels of Grafana's dashboards as plain data, in the form of schema version 39 (Grafana 10 and 11)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from collectors.model.metrics import Metric, Unit

Panel = dict[str, Any]

WIDTH = 24
"""Columns of a dashboard."""
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WINDOW = "$__rate_interval"
"""Grafana's own window: at least four scrape intervals, more where the graph is coarser."""
UNITS = {
    Unit.PERCENT: "percent",
    Unit.BYTES: "bytes",
    Unit.BYTES_PER_SECOND: "Bps",
    Unit.PER_SECOND: "ops",
    Unit.COUNT: "short",
    Unit.CORES: "short",
    Unit.SECONDS: "s",
    Unit.MILLISECONDS: "ms",
}
"""Grafana's names of the units."""
_COLOURS = ("green", "orange", "red")


class Query(NamedTuple):
    """One query of a panel."""

    expression: str
    legend: str = ""
    """A template of Grafana such as `{{name}}`; in a table, the header of the query's column."""
    unit: str = ""
    """Grafana's name of the unit of a table's column."""
    thresholds: tuple[float, float] | None = None
    """From which values on a table's cell is orange and red."""


def graph(title: str, queries: Sequence[Query], unit: str, *, stacked: bool = False, about: str = "") -> Panel:
    """Return a chart over time."""
    drawn: dict[str, Any] = {"lineWidth": 1, "fillOpacity": 40 if stacked else 8, "showPoints": "never"}
    drawn["stacking"] = {"mode": "normal" if stacked else "none", "group": "A"}
    return {
        "type": "timeseries",
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": drawn}, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": _targets(queries),
    }


def number(title: str, expression: str, unit: str = "short", thresholds: tuple[float, float] | None = None) -> Panel:
    """Return one number, coloured by thresholds if there are some."""
    return {
        "type": "stat",
        "title": title,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": unit, "thresholds": steps(thresholds)}, "overrides": []},
        "options": {"colorMode": "value" if thresholds else "none", "reduceOptions": {"calcs": ["lastNotNull"]}},
        "targets": _targets([Query(expression)], instant=True),
    }


def table(
    title: str, queries: Sequence[Query], labels: Sequence[str], link: tuple[str, str], *, about: str = ""
) -> Panel:
    """Return a table of one row per set of labels.

    Args:
        queries: One column each; the rows are sorted by the first.
        labels: The labels that are columns too, in their order.
        link: The column that leads somewhere, and where to.
    """
    names = [f"Value #{chr(ord('A') + index)}" for index in range(len(queries))]
    order = {name: index for index, name in enumerate([*labels, *names])}
    titles = dict(zip(names, (query.legend for query in queries), strict=True))
    return {
        "type": "table",
        "title": title,
        "description": about,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {}, "overrides": [*map(_column, queries), _link(*link)]},
        "options": {"sortBy": [{"displayName": queries[0].legend, "desc": True}]},
        "targets": _targets(queries, instant=True),
        "transformations": [
            {"id": "merge", "options": {}},
            {"id": "filterFieldsByName", "options": {"include": {"names": list(order)}}},
            {"id": "organize", "options": {"indexByName": order, "renameByName": titles}},
        ],
    }


def row(title: str) -> Panel:
    """Return the heading of the panels that follow."""
    return {"type": "row", "title": title, "collapsed": False, "panels": []}


def steps(thresholds: tuple[float, float] | None) -> dict[str, Any]:
    """Return the colours from thresholds on: orange and red."""
    values = (None, *(thresholds or ()))
    return {
        "mode": "absolute",
        "steps": [{"color": colour, "value": value} for colour, value in zip(_COLOURS, values, strict=False)],
    }


def column_of(metric: Metric, expression: str, name: str = "") -> Query:
    """Return the column of a table for a metric, coloured as on vmtop's own screen."""
    return Query(expression, name or metric.label, UNITS[metric.unit], metric.thresholds)


def _column(query: Query) -> dict[str, Any]:
    properties: list[dict[str, Any]] = [{"id": "unit", "value": query.unit or "short"}, {"id": "decimals", "value": 1}]
    if query.thresholds:
        properties.append({"id": "thresholds", "value": steps(query.thresholds)})
        properties.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    return {"matcher": {"id": "byName", "options": query.legend}, "properties": properties}


def _link(column: str, address: str) -> dict[str, Any]:
    link = {"title": "Open", "url": address}
    return {"matcher": {"id": "byName", "options": column}, "properties": [{"id": "links", "value": [link]}]}


def _targets(queries: Sequence[Query], *, instant: bool = False) -> list[dict[str, Any]]:
    form = {"instant": True, "range": False, "format": "table"} if instant else {"range": True}
    return [
        {
            "refId": chr(ord("A") + index),
            "datasource": SOURCE,
            "expr": query.expression,
            "legendFormat": query.legend or "__auto",
            **form,
        }
        for index, query in enumerate(queries)
    ]
