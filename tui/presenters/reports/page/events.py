"""The list of events: the newest, numbered as the charts' marks are, and labelled by what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from collectors.session.summary import Summary
from tui.presenters.formatting import stamp
from tui.presenters.reports.page.marks import Numbered, tone_of
from tui.presenters.reports.page.tables import Head, number_cell, table, time_cell
from tui.presenters.reports.page.tags import html, opened, tag

_SHOWN = 500
_OPEN = 30
"""Events up to which the list is open from the start."""
_KINDS = 12
_HEADS = (Head("#", "number"), Head("Time", "time"), Head("Workload"), Head("Event"), Head("Detail"))


def events_section(summary: Summary, events: Sequence[Numbered]) -> Iterator[str]:
    """Yield the section as HTML."""
    yield html(tag("h2", "Events", id="events"))
    if not events:
        yield html(tag("p", "There are none in the recording."))
        return
    counts = [f"{what} {count:,}" for what, count in summary.event_counts.items()]
    more = f" and {len(counts) - _KINDS} other kinds" if len(counts) > _KINDS else ""
    yield html(tag("p", ", ".join(counts[:_KINDS]) + more))
    newest, total = events[-_SHOWN:], sum(summary.event_counts.values())
    yield opened(tag("details", class_="all", open="open" if len(newest) <= _OPEN else None))
    title = f"All {total:,} events" if len(newest) == total else f"The newest {len(newest):,} of {total:,} events"
    yield html(tag("summary", title))
    yield from table(_HEADS, map(_row, newest))
    yield "</details>"


def _row(numbered: Numbered) -> Element:
    number, event = numbered
    return tag(
        "tr",
        number_cell(str(number), number),
        time_cell(stamp(event.wall), event.wall),
        tag("td", event.workload.named(event.name), class_="name"),
        tag("td", tag("span", event.what, class_=f"tag {tone_of(event)}".rstrip())),
        tag("td", event.detail, class_="detail"),
    )
