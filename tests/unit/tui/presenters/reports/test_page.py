"""The report as a page: what it says, in which order, and that no text of a session is more than text in it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.comparison.findings import Finding
from collectors.model.workloads import Event, WorkloadId
from collectors.session.downsample import Buckets, Series
from collectors.session.format import Damage, Gap
from collectors.session.summary import Summary, WorkloadSummary
from tests.helpers.html_page import Parsed, parsed
from tui.presenters.reports.page.document import page
from tui.presenters.reports.page.page_script import SCRIPT
from tui.presenters.reports.page.page_style import STYLE

FIRST, LAST = 1_750_000_000.0, 1_750_000_600.0
HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>", "' onclick='alert(1)",
    "</title><script>alert(1)</script>", "</style><style>*{display:none}</style>", "<!--", "-->", "]]>", "<![CDATA[x",
    "&lt;b&gt;", "&#60;i&#62;", "javascript:alert(1)", "</body></html>", "<?php ?>", "<base href=//x>", "a\x00b\r\nc",
)  # fmt: skip


def identity(name: str = "web", host: str = "") -> WorkloadId:
    return WorkloadId("docker", name, host=host)


def life(name: str, cpu_seconds: float | None = 1.0, host: str = "", **peaks: float) -> WorkloadSummary:
    at = dict.fromkeys(peaks, FIRST + 5)
    reasons = {} if peaks else {"cpu_percent": "its cgroup has no CPU accounting"}
    return WorkloadSummary(
        identity(name, host), "container", name, FIRST, LAST, 600, peaks, at, reasons, cpu_seconds=cpu_seconds
    )


def summary(lives: Sequence[WorkloadSummary] = (), events: Sequence[Event] = (), **facts: object) -> Summary:
    counts = {what: sum(event.what == what for event in events) for what in {event.what for event in events}}
    made = Summary(["a.vmtop.gz"], 1000, FIRST, LAST, 600, 6000, hosts=["hv01"], interval_s=1.0)
    made.workloads = {one.id: one for one in lives}
    made.events, made.event_counts = list(events), counts
    for name, value in facts.items():
        setattr(made, name, value)
    return made


def series(*values: float) -> Series:
    made = Series(len(values))
    for step, value in enumerate(values):
        made.add(step, value)
    return made


def buckets(lives: Sequence[WorkloadSummary] = (), count: int = 20) -> Buckets:
    made = Buckets(FIRST, LAST, count)
    ramp = series(*(float(step) for step in range(count)))
    made.hosts = {"": {"cpu_percent": ramp}}
    made.workloads = {one.id: {"cpu_percent": ramp} for one in lives}
    return made


def read(
    lives: Sequence[WorkloadSummary] = (),
    events: Sequence[Event] = (),
    findings: Sequence[Finding] = (),
    has_enough_frames: bool = True,
    **facts: object,
) -> Parsed:
    told = summary(lives, events, **facts)
    return parsed("".join(page(told, buckets(lives), findings, has_enough_frames)))


def verdict(found: Parsed) -> str:
    """The tone of the box."""
    (box,) = found.attributes("section")
    return (box["class"] or "").removeprefix("verdict").strip()


def with_texts(text: str) -> Parsed:
    """A page in which everything that comes from outside is one text."""
    one = life("web")
    one.name, one.kind, one.reasons = text, text, {"cpu_percent": text, "memory_host_bytes": text}
    events = [
        Event(FIRST + 10, one.id, text, text, text),
        Event(FIRST + 200, one.id, "note", text, text),
        Event(FIRST + 400, one.id, "alert", f"critical: rule {text}: {text}", text),
    ]
    return read(
        [one],
        events,
        [Finding("rule", (text,), text, text)],
        hosts=[text],
        gaps=[Gap(FIRST, LAST, 1, text)],
        damage=[Damage(text, 7, text)],
        omissions=[text],
    )


@given(st.text(min_size=1, max_size=40) | st.sampled_from(HOSTILE))
@example("<script>alert(1)</script>")
def test_no_text_of_a_session_changes_what_a_page_consists_of(text: str) -> None:
    found, harmless = with_texts(text), with_texts("x")
    assert found.skeleton == harmless.skeleton
    assert found.scripts == harmless.scripts == [SCRIPT]
    assert found.styles == [STYLE]
    assert found.others == ["doctype html"]
    assert {attributes["href"] for attributes in found.attributes("a")} == {"#w1"}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_shown_as_it_is(text: str) -> None:
    found = with_texts(text)
    assert found.text.count(text) >= 8
    titles = [attributes["title"] for attributes in found.attributes("td") if "title" in attributes]
    assert titles == [text, text]


def test_the_policy_allows_what_is_in_the_page_by_its_hash_and_nothing_else() -> None:
    found = with_texts("x")
    (policy,) = (one["content"] for one in found.attributes("meta") if one.get("http-equiv"))
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in (found.scripts[0], found.styles[0])]
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; base-uri 'none'; "
        "form-action 'none'"
    )
    assert "style" not in {name for _, attributes in found.tags for name in attributes}, "the policy forbids it"
    meta = found.attributes("meta")
    assert meta.index(next(one for one in meta if one.get("http-equiv"))) == 1, "before all that it is for"


def test_alerts_make_the_verdict_the_gravest_first_with_how_long_they_lasted() -> None:
    web, db = life("web"), life("db")
    events = [
        Event(FIRST + 10, db.id, "alert", "warning: throttled: throttled by its quota", "db"),
        Event(FIRST + 20, web.id, "alert", "critical: full: memory at 97 % of its limit", "web"),
        Event(FIRST + 145, web.id, "alert over", "full: over", "web"),
    ]
    found = read([web, db], events, [Finding("balloon-silent", ("vm",), "vm is silent", "no statistics")])
    assert verdict(found) == "bad"
    assert "2 alerts, 1 of them critical; 1 finding." in found.text
    before_the_charts = found.text.partition("CPU, 100 %")[0]
    assert before_the_charts.index("memory at 97 %") < before_the_charts.index("throttled by its quota")
    assert "for 2m05s)" in before_the_charts
    assert "for 9m50s; still on at the end)" in before_the_charts
    assert "vm is silent (no statistics)" in before_the_charts


@pytest.mark.parametrize(
    ("facts", "tone", "sentence"),
    [
        ({}, "", "Nothing stands out: no alert is in the recording, and no rule for findings found anything."),
        ({"has_enough_frames": False}, "unknown", "it is too short for findings, which need 30 frames."),
        ({"omissions": ["only the first 7"]}, "unknown", "parts of the recording are missing."),
        ({"gaps": [Gap(FIRST, LAST, 9, "suspended")]}, "unknown", "parts of the recording are missing."),
        ({"event_counts": {"start": 99}}, "unknown", "The oldest 99 events are left out"),
        ({"findings": [Finding("r", (), "a finds b", "c")]}, "", "1 finding."),
    ],
)
def test_without_alerts_the_verdict_says_how_much_that_means(
    facts: dict[str, object], tone: str, sentence: str
) -> None:
    found = read([life("web")], **facts)  # type: ignore[arg-type]  # facts are those of either function
    assert verdict(found) == tone
    assert sentence in found.text


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (("critical",), "1 critical alert."),
        (("critical", "critical"), "2 critical alerts."),
        (("warning", "info"), "2 alerts."),
        (("critical", "info"), "2 alerts, 1 of them critical."),
    ],
)
def test_the_verdict_counts_what_is_critical(levels: Sequence[str], words: str) -> None:
    events = [
        Event(FIRST, identity(), "alert", f"{level}: rule {number}: s", "web") for number, level in enumerate(levels)
    ]
    assert words in read([life("web")], events).texts


def test_more_lines_than_fit_are_folded_and_none_is_lost() -> None:
    findings = [Finding("r", (), f"sentence {number}.", "e") for number in range(20)]
    found = read(findings=findings)
    assert [found.text.count(finding.sentence) for finding in findings] == [1] * 20
    assert "12 more" in found.text


def test_every_workload_is_in_the_page_and_the_busiest_are_first() -> None:
    lives = [life(f"web-{number}.", float(number)) for number in range(300)]
    found = read(lives)
    assert "All 300 workloads" in found.text
    assert [found.text.count(f"web-{number}.") for number in (0, 210, 299)] == [1, 2, 3], "table, charts, busiest"
    assert found.text.index("web-299.") < found.text.index("web-298.") < found.text.index("All 300 workloads")
    ids = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    links = {(attributes["href"] or "").removeprefix("#") for attributes in found.attributes("a")}
    assert links == ids - {"events"}
    assert len(links) == 100


def test_a_few_workloads_are_one_table_without_a_fold() -> None:
    found = read([life(f"web-{number}.") for number in range(12)])
    assert len(found.attributes("table")) == 1
    assert "All 12" not in found.text


def test_cells_are_sorted_by_numbers_and_what_is_missing_has_none() -> None:
    found = read([life("a", 1500.5, cpu_percent=250.0), life("b", None)])
    numbers = [attributes.get("data-v") for attributes in found.attributes("td") if attributes.get("class") == "n"]
    assert numbers == ["1500.5", "250.0", None, None, None, None, None, None]
    sorts = [attributes.get("data-sort") for attributes in found.attributes("th")]
    assert sorts == ["text", "text", None, None, *["number"] * 4, "time", "time"]
    assert found.text.count("1,500.5") == 1


def test_workloads_of_several_hosts_have_a_column_and_their_names_a_host() -> None:
    found = read([life("web", host="hv02"), life("web")])
    assert "Host" in found.texts
    assert "hv02/web" in found.text
    assert "local" in found.texts


def test_events_have_the_numbers_of_their_marks_and_labels_by_what_they_are() -> None:
    events = [
        Event(FIRST + 10, identity(), "start", "", "web"),
        Event(FIRST + 20, identity(), "oom", "killed", "web"),
        Event(FIRST + 30, identity("host"), "note", "the deploy begins", "hv01"),
    ]
    found = read([life("web")], events)
    labels = [attributes["class"] for attributes in found.attributes("span")]
    assert [label for label in labels if label and label.startswith("tag")][-3:] == ["tag", "tag bad", "tag note"]
    titles = [text for text in found.texts if re.match(r"\d\. 2025", text)]
    assert any(title.startswith("2.") and title.endswith(" web oom killed") for title in titles)
    assert "the deploy begins" in found.texts


def test_of_very_many_events_the_newest_are_listed_and_all_are_counted() -> None:
    events = [Event(FIRST + number / 10, identity(), "start", f"({number})", "web") for number in range(2000)]
    found = read([life("web")], events)
    assert "The newest 500 of 2,000 events" in found.text
    assert "Charts mark 60 of 2,000 events" in found.text
    assert "(1999)" in found.text
    assert "(0)" not in found.text


def test_a_session_without_anything_is_a_page_that_says_so() -> None:
    told = summary(frames=0, hosts=[])
    found = parsed("".join(page(told, Buckets(FIRST, FIRST, 2))))
    assert found.text.count("There are none in the recording.") == 2
    assert "CPU, 100 % is one core: not measured" in found.text
