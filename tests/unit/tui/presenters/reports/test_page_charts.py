"""Charts of the page: scale, times, lines with gaps, and marks whose words do not run into each other."""

from __future__ import annotations

import re
from math import nan

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.model.metrics import Unit
from collectors.model.workloads import Event, WorkloadId
from tests.helpers.html_page import Parsed, parsed
from tui.presenters.formatting import stamp
from tui.presenters.reports.page.charts import Curve, Span, chart
from tui.presenters.reports.page.marks import MOST, ROWS, Mark, Numbered, marks_of, tone_of
from tui.presenters.reports.page.tags import html

FIRST = 1_750_000_000.0
HOUR = Span(FIRST, FIRST + 3600)
WEB = WorkloadId("docker", "web")


def drawn(
    *curves: list[float], unit: Unit = Unit.PERCENT, span: Span = HOUR, tops: list[float] | None = None
) -> Parsed:
    return parsed(html(chart("CPU", [Curve(curve, tops or curve) for curve in curves], unit, span, (), True)))


def paths(found: Parsed) -> list[str]:
    return [attributes["d"] or "" for attributes in found.attributes("path")]


def test_the_scale_has_round_numbers_and_the_axis_has_times() -> None:
    found = drawn([10.0, 180.0, 40.0])
    assert found.texts[:3] == ["0%", "50%", "100%"]
    times = [text for text in found.texts if ":" in text]
    assert len(times) >= 5
    assert times[0] in (stamp(FIRST + offset, "%H:%M") for offset in range(0, 1200, 60))
    assert all(re.fullmatch(r"\d\d:\d[05]", time) for time in times)


def test_bytes_have_a_scale_of_powers_of_two() -> None:
    assert "512M" in drawn([0.0, float(700 << 20)], unit=Unit.BYTES).texts


def test_a_line_breaks_where_nothing_was_measured_and_bridges_an_uneven_frame() -> None:
    (bridged,) = paths(drawn([1.0, nan, 2.0, nan, nan, 3.0]))
    (broken,) = paths(drawn([1.0, *[nan] * 6, 2.0, 3.0]))
    assert bridged.count("M") == 1
    assert broken.count("M") == 2
    assert paths(drawn([nan, nan])) == [""]


def test_the_highest_frames_are_a_second_line_only_where_they_differ() -> None:
    assert len(paths(drawn([1.0, 2.0]))) == 1
    assert len(paths(drawn([1.0, 2.0], tops=[1.0, 3.0]))) == 2


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30), st.sampled_from(Unit))
@example([2e306], Unit.PERCENT)
def test_no_value_leaves_the_chart(values: list[float], unit: Unit) -> None:
    for path in paths(drawn(values, unit=unit)):
        for x, y in re.findall(r"[ML](\S+) (\S+?)(?=[MLh]|$)", path):
            assert 0 <= float(x) <= 960
            assert 0 <= float(y) <= 150


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_any_span_of_time_has_few_labels(first: float, length: float) -> None:
    found = drawn([1.0], span=Span(first, first + length))
    assert len([one for one in found.attributes("text") if one["text-anchor"] == "middle"]) <= 20


def numbered(*events: tuple[float, str, str]) -> list[Numbered]:
    return [
        Numbered(number, Event(FIRST + at, WEB, what, detail, "web"))
        for number, (at, what, detail) in enumerate(events, 1)
    ]


def marks(events: list[Numbered]) -> list[Mark]:
    return marks_of(events, HOUR.first, HOUR.last)


def test_a_mark_says_who_and_what_a_note_what_was_noted_an_alert_its_rule() -> None:
    told = marks(numbered((1, "oom", "killed"), (2, "note", "deploy"), (3, "alert", "critical: full: 97 %")))
    assert [mark.words for mark in told] == ["web oom", "deploy", "web full"]
    assert [mark.tone for mark in told] == ["bad", "note", "bad"]
    alone = marks_of(numbered((1, "oom", "killed"), (3, "alert", "info: full: 97 %")), *HOUR, has_names=False)
    assert [mark.words for mark in alone] == ["oom", "full"]


def test_tones_follow_the_level_of_an_alert() -> None:
    tones = [tone_of(Event(0, WEB, "alert", f"{level}: r: s")) for level in ("critical", "warning", "info", "?")]
    assert tones == ["bad", "warn", "", ""]
    assert tone_of(Event(0, WEB, "alert over", "r: over")) == ""


def test_where_there_are_too_many_notes_and_harm_are_kept() -> None:
    events = numbered(*((float(at), "start", "") for at in range(500)), (1.5, "note", "here"), (2.5, "die", ""))
    kept = marks(events)
    assert len(kept) == MOST
    assert {"here", "web die"} <= {mark.words for mark in kept}
    assert [mark.at for mark in kept] == sorted(mark.at for mark in kept)


@given(st.lists(st.tuples(st.floats(-10, 3700), st.just("note"), st.text(min_size=1, max_size=40)), max_size=40))
def test_words_of_one_line_do_not_run_into_each_other(events: list[tuple[float, str, str]]) -> None:
    placed = marks(numbered(*events))
    for row in range(ROWS):
        ends = 0.0
        for mark in placed:
            if mark.wide is not None and mark.wide.row == row:
                width = cell_len(mark.words) * 0.72
                start = mark.at * 100 - (width if mark.wide.is_before else 0)
                assert start >= ends - 1e-9
                ends = start + width
                assert ends <= 100
    assert all(0 <= mark.at <= 1 for mark in placed)
