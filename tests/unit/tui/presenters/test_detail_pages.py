"""The pages of facts and events: words are broken over lines or cut with an ellipsis, never at the edge."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.analysis.startup_times import Startup
from collectors.model.details import Column, Details, Fact, Page, Table
from collectors.model.workloads import Event, WorkloadId
from tui.presenters.pages.detail import event_lines, table_lines
from tui.presenters.styled_lines import Line, hanging, plain_text

LONG = "Every word of a sentence that is longer than a line of eighty columns has to be there, whatever its place is."
WIDTH = 79
TABLE = Table(
    Page.FACTS,
    LONG,
    (Column("what"), Column("which"), Column("why")),
    (("x" * 60, "y" * 60, LONG),),
    (Fact("image", LONG), Fact("a label of more than twenty-seven cells", LONG)),
    LONG,
)


def words(lines: list[Line]) -> str:
    return re.sub(r"\s+", " ", " ".join(plain_text(line) for line in lines))


def test_nothing_of_facts_and_events_leaves_the_screen() -> None:
    facts = table_lines(Details(0, (TABLE,), (LONG,)), Page.FACTS, WIDTH)
    happened = event_lines([Event(0.0, WorkloadId("docker", "a"), "health", LONG)], Startup(0.0, LONG), WIDTH)
    for lines in (facts, happened):
        assert all(cell_len(plain_text(line)) <= WIDTH for line in lines)
    assert words(facts).count(LONG) == 5, "the problem, the title, both facts and the note"
    assert words(happened).count(LONG) == 2
    (row,) = [line for line in facts if "yyy" in plain_text(line)]
    assert plain_text(row).endswith("…")


def test_further_lines_begin_under_the_text() -> None:
    lines = [plain_text(line) for line in hanging([("   image  ", "muted")], LONG, "text", 40)]
    assert lines[0].startswith("   image  Every word")
    assert all(re.match(r" {10}\S", line) for line in lines[1:])


@given(st.text(), st.text(), st.integers(1, 60))
def test_no_line_is_wider_than_asked_for(head: str, text: str, width: int) -> None:
    assert all(cell_len(plain_text(line)) <= width for line in hanging([(head, "text")], text, "text", width))


@pytest.mark.parametrize(("count", "told"), [(0, "No events since"), (1, "1 event since"), (2, "2 events since")])
def test_events_are_counted_in_words(count: int, told: str) -> None:
    event = Event(0.0, WorkloadId("docker", "a"), "start", "")
    assert told in words(event_lines([event] * count, None, WIDTH))
