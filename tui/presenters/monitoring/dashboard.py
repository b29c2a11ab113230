"""What all dashboards of Grafana have in common: where their panels stand, their variables, and their JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from tui.presenters.monitoring.panels import SOURCE, WIDTH, Panel

_SCHEMA = 39
_HEIGHTS = {"row": 1, "stat": 4, "timeseries": 8, "table": 9}
_PREFIX = "vmtop-"
_KEPT = "var-datasource=${datasource}&${__url_time_range}"
HOST_PAGE = f"/d/{_PREFIX}host?{_KEPT}&var-instance=${{__data.fields.instance}}"
WORKLOAD_PAGE = (
    f"/d/{_PREFIX}workload?{_KEPT}&var-instance=${{__data.fields.instance}}"
    "&var-kind=${__data.fields.kind}&var-name=${__data.fields.name}"
)
"""Where a table's cell leads: to the dashboard of what its row is about, at the same time."""


def dashboard(name: str, title: str, bands: Iterable[Sequence[Panel]], variables: Sequence[dict[str, Any]]) -> str:
    """Return a dashboard as JSON.

    Args:
        name: The last part of its address.
        bands: Its panels from top to bottom; those of one band share the width.
        variables: What can be chosen at its head, besides the data source.
    """
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
    content = {
        "uid": _PREFIX + name,
        "title": f"vmtop: {title}",
        "tags": ["vmtop"],
        "schemaVersion": _SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [source, *variables]},
        "links": [{"type": "dashboards", "tags": ["vmtop"], "title": "vmtop", "asDropdown": True, "keepTime": True}],
        "annotations": {"list": []},
        "panels": _placed(bands),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


class Choose(Enum):
    """How many of a variable's values can be chosen."""

    ONE = "one"
    SOME = "some, at first the first"
    ALL = "any, at first all, also what lacks the label"


def variable(name: str, series: str, choose: Choose = Choose.ALL) -> dict[str, Any]:
    """Return a variable: the values that the label of its name has in some series, given as a selector."""
    found: dict[str, Any] = {
        "name": name,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values({series}, {name})", "refId": name},
        "refresh": 2,
        "sort": 1,
    }
    if choose is not Choose.ALL:
        return found | {"multi": choose is Choose.SOME}
    chosen = {"text": ["All"], "value": ["$__all"]}
    return found | {"multi": True, "includeAll": True, "allValue": ".*", "current": chosen}


def choice(name: str, values: Sequence[str]) -> dict[str, Any]:
    """Return a variable with fixed values, of which the first is chosen at first."""
    options = [{"text": value, "value": value, "selected": value == values[0]} for value in values]
    return {"name": name, "type": "custom", "query": ",".join(values), "current": options[0], "options": options}


def _placed(bands: Iterable[Sequence[Panel]]) -> list[Panel]:
    """Return the panels with numbers and places: the bands below each other."""
    placed: list[Panel] = []
    y = 0
    for band in bands:
        height = max(_HEIGHTS[panel["type"]] for panel in band)
        edges = [WIDTH * index // len(band) for index in range(len(band) + 1)]
        for panel, left, right in zip(band, edges, edges[1:], strict=False):
            at = {"x": left, "y": y, "w": right - left, "h": height}
            placed.append({"id": len(placed) + 1, **panel, "gridPos": at})
        y += height
    return placed
