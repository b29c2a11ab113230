"""The charts of each host, with its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from collectors.model.metrics import METRICS, HostChart
from collectors.model.workloads import LOCAL_HOST
from collectors.session.downsample import Buckets, Series
from tui.presenters.reports.page.charts import Curve, Span, chart, present
from tui.presenters.reports.page.marks import MOST, Mark, Numbered, marks_of
from tui.presenters.reports.page.tags import html, tag
from tui.presenters.reports.page.values import value_words

CHARTS: Sequence[tuple[str, Sequence[str]]] = tuple(
    (chart.value, tuple(key for key, metric in METRICS.items() if metric.host_chart is chart)) for chart in HostChart
)
"""Titles with the keys of the metrics that are drawn, in order."""


def hosts_sections(buckets: Buckets, events: Sequence[Numbered]) -> Iterator[str]:
    """Yield a section for each host as HTML."""
    for name, measured in (buckets.hosts or {"": {}}).items():
        of_several = len(buckets.hosts) > 1 or bool(name)
        yield html(tag("h2", f"Host {name or LOCAL_HOST}" if of_several else "Host"))
        own = [one for one in events if one.event.workload.host == name]
        marks = marks_of(own, buckets.first, buckets.last)
        if len(own) > MOST:
            yield html(tag("p", f"Charts mark {len(marks)} of {len(own):,} events: notes and what harms come first."))
        has_words = True
        for title, keys in CHARTS:
            yield html(figure(title, keys, measured, marks, buckets, has_words))
            has_words = has_words and not any(key in measured for key in keys)


def figure(
    title: str,
    keys: Sequence[str],
    measured: Mapping[str, Series],
    marks: Sequence[Mark],
    buckets: Buckets,
    has_words: bool,
) -> Element:
    """Return a chart with its title and legend, or only that it was not measured.

    Args:
        title: What is drawn.
        keys: The metrics, all of one unit.
        measured: Their series.
        marks: Events.
        buckets: What the series are of.
        has_words: Whether the marks' words are written.
    """
    series_by_key = {key: measured[key] for key in keys if key in measured}
    if not series_by_key:
        return tag("figure", tag("figcaption", tag("b", title), ": not measured"))
    legend: list[Element | str] = [tag("b", title)]
    for number, (key, series) in enumerate(series_by_key.items(), 1):
        peak = value_words(key, max(present(series.tops)))
        legend += [" · ", tag("b", METRICS[key].label, class_=f"k{number}"), f" peak {peak}"]
    curves = [Curve(series.means(), series.tops) for series in series_by_key.values()]
    drawn = chart(title, curves, METRICS[keys[0]].unit, Span(buckets.first, buckets.last), marks, has_words)
    return tag("figure", tag("figcaption", *legend), drawn)
