"""A filter as a verdict: what is not known decides nothing, and a comparison may be written with spaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.alerts.built_in import built_in_rules
from collectors.alerts.condition import Holding
from collectors.analysis.columns import Columns
from collectors.analysis.rates import Reading
from collectors.model.workloads import Kind, State
from collectors.query.filter import QueryError, parse
from collectors.query.words import words
from tests.helpers.strategies import busy, reading, readings, workload

BUSY = busy(workload("web", health="healthy"), 60.0, 3 << 29)
PAUSED = busy(workload("db", Kind.VM, "qemu", state=State.PAUSED), 5.0, 64 << 30)
UNMEASURED = reading(workload("quiet.service", Kind.SERVICE, "systemd", state=State.UNKNOWN))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpu > 80 or state != running", ["cpu>80", "or", "state!=running"]),
        ("cpu >80", ["cpu>80"]),
        ("name ~ '^a b$'", ["name~'^a b$'"]),
        ("health = or web", ["health=", "or", "web"]),
        ("project= kind=ct", ["project=", "kind=ct"]),
        ("cpu > 90% of limit kind=ct", ["cpu>90% of limit", "kind=ct"]),
        ("cpu>90 of limit", ["cpu>90", "of", "limit"]),
        ("piece of limit", ["piece", "of", "limit"]),
        ("!cpu > 5", ["!cpu>5"]),
    ],
)
def test_a_comparison_with_spaces_is_one_word(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text(alphabet="abc=<>~! 'or%", max_size=30))
def test_words_without_spaces_around_signs_are_what_they_were(text: str) -> None:
    try:
        once = words(text)
        again = words(" ".join(once))
    except ValueError:
        return
    assert "".join(once).replace(" ", "") == text.replace(" ", "") or "'" in text
    assert len(again) <= len(once)


@pytest.mark.parametrize(
    ("text", "measured", "verdict"),
    [
        ("cpu > 50", BUSY, True),
        ("cpu > 70", BUSY, False),
        ("cpu > 50", UNMEASURED, None),
        ("!cpu > 50", UNMEASURED, None),
        ("cpu > 50 or state = paused", PAUSED, True),
        ("cpu > 50 kind = vm", UNMEASURED, False),
        ("cpu > 50 kind = service", UNMEASURED, None),
        ("health != healthy", UNMEASURED, None),
        ("health = healthy", BUSY, True),
        ("state = running", UNMEASURED, None),
        ("restarts > 3", BUSY, None),
        ("", UNMEASURED, True),
    ],
)
def test_what_is_not_known_decides_nothing(text: str, measured: Reading, verdict: bool | None) -> None:
    assert parse(text).verdict(measured) is verdict


@pytest.mark.parametrize("measured", [BUSY, PAUSED, UNMEASURED])
@given(st.lists(st.sampled_from(["cpu>50", "!cpu>50", "mem>1G", "state=paused", "kind=vm", "or"]), max_size=6))
def test_a_known_verdict_is_what_the_filter_does(measured: Reading, terms: list[str]) -> None:
    try:
        query = parse(" ".join(terms))
    except QueryError:
        return
    verdict = query.verdict(measured)
    assert verdict is None or verdict is query.matches(measured)


def test_a_share_of_a_limit_needs_a_metric_that_has_one() -> None:
    with pytest.raises(QueryError, match="no limit"):
        parse("rx > 90% of limit")
    assert parse("mem > 90% of limit").metrics == ("memory_host_bytes",)


CONDITIONS = [rule.condition.query.text for rule in built_in_rules() if isinstance(rule.condition, Holding)]
TERMS = [
    *("cpu>50", "!cpu>50", "cpu!=0", "mem>1G", "mem>90% of limit", "cpulimit>50", "steal>=0", "pids<5", "throttled>1"),
    *("state=paused", "state!=running", "!kind=vm", "kind=ct", "health!=healthy", "restarts>3", "name~a", "web"),
    *("label.a=b", "id!=x", "host=local", "or", "or"),
]


@given(
    st.sampled_from(CONDITIONS) | st.lists(st.sampled_from(TERMS), max_size=5).map(" ".join),
    st.lists(readings() | st.sampled_from((BUSY, PAUSED, UNMEASURED)), max_size=6),
)
def test_those_that_pass_side_by_side_are_those_that_pass_alone(text: str, rows: list[Reading]) -> None:
    try:
        query = parse(text)
    except QueryError:
        return
    alone = [index for index, row in enumerate(rows) if query.verdict(row) is True]
    assert query.passing(Columns(rows)) == alone
