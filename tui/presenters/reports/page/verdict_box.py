"""What stands out in a session, first of all: alerts, findings, and what is missing of the recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from collectors.alerts.rule import Level
from collectors.alerts.told import Told
from collectors.comparison.findings import READINGS, Finding
from collectors.model.wording import counted
from collectors.safety.sanitize import sanitize
from collectors.session.summary import Summary
from tui.presenters.formatting import stamp
from tui.presenters.reports.page.tags import tag
from tui.presenters.reports.page.values import clock, span_words
from tui.presenters.reports.page.workloads import Anchors

_SHOWN = 8
_MOST = 200
"""Lines of one kind at most, of which those beyond the first are folded."""
_TONES = {Level.CRITICAL: "bad", Level.WARNING: "warn", Level.INFO: ""}


class Judged(NamedTuple):
    """What was looked for in a session, and found."""

    alerts: Sequence[Told]
    findings: Sequence[Finding]
    has_enough_frames: bool
    """Whether the rules of findings had as many readings as they need."""


def verdict_box(summary: Summary, judged: Judged, anchors: Anchors) -> Element:
    """Return the box that stands first."""
    alerts = sorted(judged.alerts, key=lambda alert: (-alert.level.rank, alert.began_wall))
    missing = _missing(summary)
    tone, sentence = _verdict(judged, missing)
    box = tag("section", tag("strong", sentence), class_=f"verdict {tone}".rstrip())
    for lines in (
        [_alert(alert, summary, anchors) for alert in alerts[:_MOST]],
        [_finding(finding) for finding in judged.findings[:_MOST]],
        [tag("li", tag("span", "missing", class_="tag"), words) for words in missing[:_MOST]],
    ):
        box.extend(_folded(lines))
    return box


def _verdict(judged: Judged, missing: Sequence[str]) -> tuple[str, str]:
    """Return how the box is coloured, and its sentence."""
    levels = [alert.level for alert in judged.alerts]
    parts = []
    if levels:
        critical = levels.count(Level.CRITICAL)
        parts.append(
            counted(critical, "critical alert")
            if critical == len(levels)
            else counted(len(levels), "alert") + (f", {critical:,} of them critical" if critical else "")
        )
    if judged.findings:
        parts.append(counted(len(judged.findings), "finding"))
    if missing:
        parts.append("parts of the recording are missing")
    tone = (
        "bad" if Level.CRITICAL in levels
        else "warn" if Level.WARNING in levels
        else "unknown" if missing or not judged.has_enough_frames
        else ""
    )  # fmt: skip
    if parts:
        return tone, f"{'; '.join(parts)}."
    if not judged.has_enough_frames:
        return tone, f"No alert is in the recording; it is too short for findings, which need {READINGS} frames."
    return tone, "Nothing stands out: no alert is in the recording, and no rule for findings found anything."


def _alert(alert: Told, summary: Summary, anchors: Anchors) -> Element:
    name = alert.workload.named(alert.name)
    anchor = anchors.get(alert.workload)
    until = summary.last if alert.ended_wall is None else alert.ended_wall
    ending = "still on at the end" if alert.ended_wall is None else alert.end if alert.end != "over" else ""
    when = f"{clock(alert.began_wall, summary.first)}, for {span_words(max(0.0, until - alert.began_wall))}"
    return tag(
        "li",
        tag("span", alert.level.value, class_=f"tag {_TONES[alert.level]}".rstrip()),
        tag("bdi", tag("a", name, href=f"#{anchor}") if anchor else name),
        ": ",
        tag("bdi", alert.sentence or alert.rule),
        tag("span", f" (rule {alert.rule}; {when}{f'; {ending}' if ending else ''})", class_="dim"),
    )


def _finding(finding: Finding) -> Element:
    evidence = tag("span", f" ({finding.evidence})", class_="dim")
    return tag("li", tag("span", "finding", class_="tag"), tag("bdi", finding.sentence), evidence)


def _missing(summary: Summary) -> list[str]:
    lines = [f"No frames from {stamp(gap.since)} to {stamp(gap.until)}: {gap.why}" for gap in summary.gaps]
    lines += [
        f"Damaged: {sanitize(damage.path, 1000)} at byte {damage.offset:,}: {damage.what}" for damage in summary.damage
    ]
    dropped = sum(summary.event_counts.values()) - len(summary.events)
    lines += [f"The oldest {dropped:,} events are left out: there are too many"] if dropped > 0 else []
    return lines + [f"Omitted: {omission}" for omission in summary.omissions]


def _folded(lines: Sequence[Element]) -> Iterator[Element]:
    """Yield lists: the first lines, and the rest folded."""
    if lines:
        yield tag("ul", *lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield tag("details", tag("summary", f"{len(lines) - _SHOWN} more"), tag("ul", *lines[_SHOWN:]), class_="all")
