"""The workloads: the busiest as a table, all of them folded below it, and charts of each with its events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from xml.etree.ElementTree import Element

from collectors.model.metrics import METRICS
from collectors.model.workloads import LOCAL_HOST, WorkloadId
from collectors.session.downsample import WORKLOAD_KEYS, Buckets, Series
from collectors.session.summary import PEAKS, Summary, WorkloadSummary
from tui.presenters.formatting import stamp
from tui.presenters.reports.page.charts import spark
from tui.presenters.reports.page.hosts import figure
from tui.presenters.reports.page.marks import Mark, Numbered, marks_of
from tui.presenters.reports.page.tables import Head, number_cell, table, time_cell
from tui.presenters.reports.page.tags import html, opened, tag
from tui.presenters.reports.page.values import clock, value_words
from tui.presenters.sparkline import means

_BUSIEST = 12
_CHARTED = 100
"""Workloads that have charts of their own, some 20 KB each."""
_SPARK_STEPS = 60

Anchors = Mapping[WorkloadId, str]
"""Fragments that lead to the charts of workloads that have some."""


def by_cpu(summary: Summary) -> list[WorkloadSummary]:
    """Return the workloads, those that used most CPU time first."""
    return sorted(summary.workloads.values(), key=lambda life: life.cpu_seconds or 0.0, reverse=True)


def anchors_of(lives: Sequence[WorkloadSummary], buckets: Buckets) -> Anchors:
    """Return the fragments of those that have charts. They are numbers: nothing of a name is in them."""
    charted = [life.id for life in lives[:_CHARTED] if buckets.workloads.get(life.id)]
    return {identity: f"w{number}" for number, identity in enumerate(charted, 1)}


def workloads_section(
    lives: Sequence[WorkloadSummary], buckets: Buckets, anchors: Anchors, events: Sequence[Numbered]
) -> Iterator[str]:
    """Yield the section as HTML.

    Args:
        lives: As of `by_cpu`.
        buckets: Their series.
        anchors: As of `anchors_of`.
        events: All events.
    """
    of_several = any(life.id.host for life in lives)
    yield html(tag("h2", "Workloads"))
    if not lives:
        yield html(tag("p", "There are none in the recording."))
        return
    if len(lives) > _BUSIEST:
        yield html(tag("p", f"The {_BUSIEST} that used most CPU time."))
    yield from table(_heads(of_several), (_row(life, buckets, anchors, of_several) for life in lives[:_BUSIEST]))
    if len(lives) > _BUSIEST:
        yield opened(tag("details", class_="all")) + html(tag("summary", f"All {len(lives):,} workloads"))
        yield from table(_heads(of_several), (_row(life, buckets, anchors, of_several) for life in lives))
        yield "</details>"
    yield from _charts(lives, buckets, anchors, events)


def _heads(of_several: bool) -> list[Head]:
    peaks = [Head(f"{METRICS[key].label} peak", "number") for key in PEAKS]
    pictures = [Head(METRICS[key].label, None) for key in WORKLOAD_KEYS]
    host = [Head("Host")] if of_several else []
    return [
        *host, Head("Name"), Head("Kind"), *pictures, Head("CPU s", "number"), *peaks,
        Head("From", "time"), Head("To", "time"),
    ]  # fmt: skip


def _row(life: WorkloadSummary, buckets: Buckets, anchors: Anchors, of_several: bool) -> Element:
    anchor = anchors.get(life.id)
    name = tag("a", life.name, href=f"#{anchor}") if anchor else life.name
    series = buckets.workloads.get(life.id, {})
    cpu_seconds = "-" if life.cpu_seconds is None else f"{life.cpu_seconds:,.1f}"
    return tag(
        "tr",
        *([tag("td", life.id.host or LOCAL_HOST)] if of_several else []),
        tag("td", name, class_="name"),
        tag("td", life.kind),
        *(_picture(series.get(key)) for key in WORKLOAD_KEYS),
        number_cell(cpu_seconds, life.cpu_seconds),
        *(_peak(life, key) for key in PEAKS),
        time_cell(clock(life.first, buckets.first), life.first),
        time_cell(clock(life.last, buckets.first), life.last),
    )


def _picture(series: Series | None) -> Element:
    return tag("td") if series is None else tag("td", spark(means(series.means(), min(_SPARK_STEPS, len(series.tops)))))


def _peak(life: WorkloadSummary, key: str) -> Element:
    peak = life.peaks.get(key)
    if peak is None:
        return number_cell("-", None, life.reasons.get(key, ""))
    return number_cell(value_words(key, peak), peak, f"at {stamp(life.peak_at[key])}")


def _charts(
    lives: Sequence[WorkloadSummary], buckets: Buckets, anchors: Anchors, events: Sequence[Numbered]
) -> Iterator[str]:
    """Yield charts of each workload, folded."""
    if not anchors:
        return
    yield opened(tag("details"))
    few = f": the {len(anchors):,} that used most CPU time" if len(anchors) < len(lives) else ""
    yield html(tag("summary", f"Charts of each workload{few}"))
    own_events = defaultdict[WorkloadId, list[Numbered]](list)
    for one in events:
        own_events[one.event.workload].append(one)
    for life in lives:
        if life.id in anchors:
            marks = marks_of(own_events[life.id], buckets.first, buckets.last, has_names=False)
            yield html(_charts_of(life, buckets, anchors[life.id], marks))
    yield "</details>"


def _charts_of(life: WorkloadSummary, buckets: Buckets, anchor: str, marks: Sequence[Mark]) -> Element:
    """Return the charts of one workload. The fragment is inside, so that browsers unfold what is around it."""
    series = buckets.workloads[life.id]
    pictures = (
        figure(METRICS[key].help.rstrip("."), (key,), series, marks, buckets, number == 0)
        for number, key in enumerate(WORKLOAD_KEYS)
    )
    title = tag("summary", life.id.named(life.name), " ", tag("span", life.kind, class_="tag"))
    return tag("details", title, tag("div", *pictures, id=anchor, class_="charts"))
