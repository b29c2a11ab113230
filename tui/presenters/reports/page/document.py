"""The whole page. It loads nothing, and its own policy allows no script and no style but the two that are in it.

Every text of the session is escaped where it is written (`tags`), so that the policy is a second wall.
"""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from xml.etree.ElementTree import Element

from collectors import __version__
from collectors.alerts.told import told
from collectors.comparison.findings import Finding
from collectors.session.downsample import Buckets
from collectors.session.summary import Summary
from tui.presenters.formatting import stamp
from tui.presenters.reports.page.events import events_section
from tui.presenters.reports.page.hosts import hosts_sections
from tui.presenters.reports.page.marks import Numbered
from tui.presenters.reports.page.page_script import SCRIPT
from tui.presenters.reports.page.page_style import STYLE
from tui.presenters.reports.page.tags import html, opened, tag
from tui.presenters.reports.page.values import span_words
from tui.presenters.reports.page.verdict_box import Judged, verdict_box
from tui.presenters.reports.page.workloads import anchors_of, by_cpu, workloads_section

_HOSTS_SHOWN = 20


def page(
    summary: Summary, buckets: Buckets, findings: Sequence[Finding] = (), has_enough_frames: bool = True
) -> Iterator[str]:
    """Yield a session as an HTML page, piece by piece.

    Args:
        summary: The session as a whole.
        buckets: Its series.
        findings: What the rules found in it.
        has_enough_frames: Whether the rules had as many readings as they need.
    """
    hosts = ", ".join(summary.hosts[:_HOSTS_SHOWN]) or "host"
    more = len(summary.hosts) - _HOSTS_SHOWN
    title = f"{hosts} and {more} more" if more > 0 else hosts
    lives = by_cpu(summary)
    anchors = anchors_of(lives, buckets)
    events = [Numbered(number, event) for number, event in enumerate(summary.events, 1)]
    judged = Judged(told(summary.events), findings, has_enough_frames)
    yield "<!doctype html>" + opened(tag("html", lang="en")) + html(_head(title)) + opened(tag("body"))
    yield html(
        tag("header", tag("h1", title), tag("p", _span(summary))),
        verdict_box(summary, judged, anchors),
    )
    yield from hosts_sections(buckets, events)
    yield from workloads_section(lives, buckets, anchors, events)
    yield from events_section(summary, events)
    words = (
        f"Made by vmtop {__version__} from a session file. Lines are means of each step, and the faint ones above "
        "them its highest frame; peaks are of single frames."
    )
    yield html(tag("footer", tag("p", words)), tag("script", SCRIPT)) + "</body></html>\n"


def policy() -> str:
    """Return the page's Content-Security-Policy."""
    return (
        f"default-src 'none'; script-src '{_hash(SCRIPT)}'; style-src '{_hash(STYLE)}'; base-uri 'none'; "
        "form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _head(title: str) -> Element:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy()),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"vmtop: {title}"),
        tag("style", STYLE),
    )


def _span(summary: Summary) -> str:
    counts = ", ".join(
        f"{count:,} {noun}{'' if count == 1 else 's'}"
        for count, noun in ((summary.frames, "frame"), (len(summary.workloads), "workload"))
    )
    return (
        f"{stamp(summary.first)} to {stamp(summary.last)} {time.strftime('%Z')} "
        f"({span_words(summary.last - summary.first)}), {counts}"
    )
