"""Verdicts are documents that pipelines accept, whatever a workload is called."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.junit import Case, cases
from tui.presenters.pipelines.github_summary import github_summary
from tui.presenters.pipelines.junit import junit
from tui.presenters.pipelines.verdict import Outcome, Verdict

AT = "2026-11-29T08:57:40"
verdicts = st.lists(
    st.builds(Verdict, st.text(), st.text(), st.sampled_from(Outcome), st.text(), st.floats(0, 1e7)), max_size=4
)


def test_each_outcome_is_a_case_of_its_own_kind() -> None:
    document = junit(
        "vmtop check",
        [
            Verdict("web", "cpu < 80", Outcome.PASSED, "12 %", 5.0),
            Verdict("db", "cpu < 80", Outcome.FAILED, "93 %", 5.0),
            Verdict("old", "cpu < 80", Outcome.UNKNOWN, "not measured", 5.0),
        ],
        AT,
    )
    assert cases(document) == [
        Case("web: cpu < 80", "passed", "12 %"),
        Case("db: cpu < 80", "failure", "93 %"),
        Case("old: cpu < 80", "error", "not measured"),
    ]


@given(verdicts)
def test_any_text_makes_a_valid_document(found: list[Verdict]) -> None:
    assert len(cases(junit("vmtop check", found, AT))) == len(found)


@given(verdicts)
def test_no_text_makes_markup_or_another_cell_in_a_summary(found: list[Verdict]) -> None:
    rows = github_summary("vmtop check", found).splitlines()[4:]
    assert len(rows) == len(found)
    for row in rows:
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 5
        assert not re.search(r"(?<!\\)(?:\\\\)*[<\[`@]", row)
