"""A metric is one row: whatever shows, sorts, filters, draws, compares or exports metrics follows from it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from collectors.model.metrics import ALIASES, METRICS
from tests.helpers.checkout import DOCS

_ADD_THE_ROW = """
from collectors.model import metric_table
from collectors.model.derivations import always
from collectors.model.metric_type import Extra, HostChart, Metric, Unit

metric_table.ROWS += (
    Metric(
        key="heat_percent", alias="heat", label="HEAT%", unit=Unit.PERCENT, help="How hot it is.", formula="as felt",
        derive=lambda reading: float(len(reading.workload.name)), fields=(), is_default=True, keep=97,
        past_column=Extra("HEAT PAST", 12), is_charted=True, is_headline=True, has_peak=True, thresholds=(3.0, 9.0),
        less_is_better=True, adds_up=True, is_total=True, limit=always(50.0), chart="disk bytes",
        host_chart=HostChart.WAITING,
    ),
)
"""
_ASK_EVERYONE = """
import io
import json


from collectors.analysis.history import History
from collectors.analysis.rates import Deriver
from collectors.comparison.side_by_side import Column, side_by_side
from collectors.comparison.window_statistics import Window
from collectors.json_document import document
from collectors.query.filter import parse
from collectors.query.order import sort_key
from collectors.session import downsample, summary
from collectors.session.exporting import writers
from collectors.session.exporting.rows import Row, Selection
from docs import metric_page
from tests.helpers.strategies import frame, workload
from tui.cli.types import MetricType
from tui.presenters.table import columns
from tui.presenters.reports.page import hosts
from tui.presenters.pages import info_pages
from tui.presenters.reports import list_table
from tui.presenters.charts.limits import limit_of
from tui.presenters.comparison.table import rows_of
from tui.presenters.main_screen import numbers
from tui.presenters.pages.metric_groups import entries_of
from tui.presenters.table.line import Line

KEY = "heat_percent"
moment = Deriver().feed(frame(1, {workload("abcd"): {"cpu_total_ns": 0}, workload("abcdefghijk"): {"cpu_total_ns": 0}}))
short, long = sorted(moment.readings.values(), key=lambda reading: len(reading.workload.name))
history, window = History(), Window()
history.push(moment)
window.feed(moment)
sides = [Column("a", window.past(reading.workload.id)) for reading in (short, long)]
row = next(row for row in side_by_side(sides) if row.metric.key == KEY)
entry = next(entry for entry in entries_of(short.workload.kind) if entry.metric.key == KEY)
csv, openmetrics = io.StringIO(), io.StringIO()
writers.write_csv([Row(1.0, short)], Selection().metrics, csv)
writers.write_openmetrics([Row(1.0, short)], (KEY,), openmetrics)
tones = [numbers.tone_of(short, columns.METRICS[KEY], value) for value in (1.0, 4.0, 11.0)]
print(json.dumps({
    "columns by default": [key for key in columns.DEFAULT if KEY in key],
    "column headers": [columns.column_of(key).label for key in (KEY, "spark:" + KEY)],
    "tones": tones,
    "sum of a group": Line("group", members=(short, long)).value(KEY),
    "sort word": MetricType().convert("heat", None, None),
    "sorted": [len(r.workload.name) for r in sorted((short, long), key=sort_key("heat"))],
    "filtered": [parse("heat>5").matches(r) for r in (short, long)],
    "json": document(moment, [short])["workloads"][0]["metrics"][KEY],
    "list": list_table.table([short]).split("\\n")[0].split(),
    "list csv": KEY in list_table.as_csv(moment, [short]),
    "export csv": KEY in csv.getvalue(),
    "openmetrics": "heat_percent counter" in openmetrics.getvalue(),
    "help": "How hot it is." in info_pages.why_page(short, moment).plain,
    "charted": len(history.recent(short.workload.id, KEY, 1)),
    "chart": [entry.group, entry.name],
    "chart limit": limit_of(entry.metric, short, moment).value,
    "comparison": KEY in [row.key for row in rows_of(sides, side_by_side(sides), "mean")],
    "best and worst": [row.best, row.worst],
    "report": KEY in dict(hosts.CHARTS)["Waiting (PSI)"],
    "session": [KEY in keys for keys in (downsample.HOST_KEYS, downsample.WORKLOAD_KEYS, summary.PEAKS)],
    "docs": "## HEAT%: `heat_percent`" in metric_page.markdown(),
}))
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """Return what every part says about a metric that is one more row, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", _ADD_THE_ROW + _ASK_EVERYONE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("columns by default", ["heat_percent", "spark:heat_percent"]),
        ("column headers", ["HEAT%", "HEAT PAST"]),
        ("tones", ["text", "warn", "bad"]),
        ("sum of a group", 15.0),
        ("sort word", "heat_percent"),
        ("sorted", [11, 4]),
        ("filtered", [False, True]),
        ("json", 4.0),
        ("list csv", True),
        ("export csv", True),
        ("openmetrics", True),
        ("help", True),
        ("charted", 1),
        ("chart", ["OTHER", "HEAT%"]),
        ("comparison", True),
        ("chart limit", 50.0),
        ("best and worst", [0, 1]),
        ("report", True),
        ("session", [True, True, True]),
        ("docs", True),
    ],
)
def test_a_metric_that_is_one_more_row_is_known_to_every_part(
    answers: dict[str, Any], part: str, expected: object
) -> None:
    assert answers[part] == expected


def test_a_new_default_metric_is_in_the_printed_list(answers: dict[str, Any]) -> None:
    assert answers["list"][-1] == "HEAT%"


def test_keys_aliases_and_labels_are_unique() -> None:
    assert len(ALIASES) == sum(1 + len(metric.other_names) for metric in METRICS.values())
    assert len({metric.label for metric in METRICS.values()}) == len(METRICS)


def test_the_metrics_page_is_the_one_of_the_table() -> None:
    from docs import metric_page

    assert (DOCS / "metrics.md").read_text() == metric_page.markdown()
