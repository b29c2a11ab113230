"""METRICS, the one table of what vmtop can show: it feeds columns, sorting, filters, export, help and the docs.

`metric_type` has the type of a row, `metric_table` the rows, `derivations` the formulas.
"""

from __future__ import annotations

from collectors.model.metric_table import ROWS
from collectors.model.metric_type import HostChart, Metric, Unit

__all__ = ["ALIASES", "CHARTED", "METRICS", "HostChart", "Metric", "Unit"]

METRICS: dict[str, Metric] = {metric.key: metric for metric in ROWS}
"""Every metric by key, in the order in which columns, help and docs list them."""

ALIASES: dict[str, str] = {name: metric.key for metric in ROWS for name in (metric.alias, *metric.other_names)}
"""Short name -> key; several names may stand for one metric."""

CHARTED: tuple[str, ...] = tuple(metric.key for metric in ROWS if metric.is_charted)
"""The metrics whose recent past is kept for sparklines."""
