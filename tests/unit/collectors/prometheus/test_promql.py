"""The texts of the queries: nothing from outside can change what they ask."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.exposition.recorded import CPU, KIND_CPU, KIND_MEMORY
from collectors.model.errors import SourceDown
from collectors.prometheus.promql import Member, check_match, literal, one_of, quoted, selector, values_of
from collectors.prometheus.rankings import rankings, use_by_kind
from collectors.prometheus.wanted import wanted

_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def _unquoted(text: str) -> str:
    escapes = {"n": "\n", "r": "\r", "t": "\t"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), text[1:-1], flags=re.DOTALL)


@given(st.text())
def test_a_quoted_text_is_one_string_and_means_the_text(text: str) -> None:
    assert _STRING.fullmatch(quoted(text))
    assert _unquoted(quoted(text)) == text


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_a_literal_matches_its_text_and_nothing_else(text: str) -> None:
    assert re.fullmatch(literal(text), text)
    assert not re.fullmatch(literal(text), text + "x")


def test_the_order_of_texts_does_not_change_the_query() -> None:
    assert one_of(["b.c", "a"]) == one_of(["a", "b.c", "a"]) == '"a|b\\\\.c"'


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("", ""),
        ('  {job="vmtop"} ', 'job="vmtop"'),
        ("job='vmtop', site=~\"fra|ams\",", "job='vmtop', site=~\"fra|ams\""),
        ('note!="a,b}c"', 'note!="a,b}c"'),
        ('x!~"\\"}"', 'x!~"\\"}"'),
    ],
)
def test_label_matchers_are_taken_with_or_without_braces(given_text: str, kept: str) -> None:
    assert check_match(given_text) == kept


@pytest.mark.parametrize(
    "text",
    ["job", "job=vmtop", 'job="a"} or up{', 'job="a', '1job="a"', 'job="a",,b="c"', 'a="b" c="d"', 'up{job="a"}',
     'job==“a”', 'job="a\n"'],
)  # fmt: skip
def test_what_is_no_list_of_label_matchers_is_refused(text: str) -> None:
    with pytest.raises(SourceDown, match="--match"):
        check_match(text)


@given(st.text(alphabet="ab=\"'{},=~!\\ \n", max_size=30))
def test_matchers_that_pass_cannot_end_the_selector(text: str) -> None:
    try:
        kept = check_match(text)
    except SourceDown:
        return
    outside = re.sub(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', "", kept, flags=re.DOTALL)
    assert not set(outside) & set("{}\"'")


def test_a_rate_names_each_metric() -> None:
    """`rate({__name__=~...})` is refused by both engines."""
    cores, sizes = use_by_kind("", 52.5)
    for query in (*rankings('job="vmtop"', 52.5, 100), cores, *sizes):
        assert "__name__" not in query
    assert all(query.startswith("topk(100, ") for query in rankings("", 52.5, 100))


def test_a_recording_rule_is_asked_for_where_the_server_has_it() -> None:
    with_rule = rankings('job="vmtop"', 52.5, 100, {CPU})
    assert f'{CPU}{{job="vmtop"}}' in with_rule[0]
    assert "rate(" in with_rule[2]
    assert use_by_kind("", 52.5, {KIND_CPU, KIND_MEMORY}) == (f"{KIND_CPU}{{}}", (f"{KIND_MEMORY}{{}}",))
    assert "rate(" in use_by_kind('job="vmtop"', 52.5, {KIND_CPU, KIND_MEMORY})[0], "the sum has no label job"


def test_ids_that_no_other_host_has_are_asked_for_at_once() -> None:
    members = [Member(f"hv{number}:9922", "", "docker", f"id{number}") for number in range(50)]
    (query,) = values_of(members, "")
    assert "id0|" in query
    assert "instance=~" in query


def test_services_of_many_hosts_do_not_multiply() -> None:
    """50 hosts with one service each of ten: in one query that would be ten times as many series."""
    names = [f"/system.slice/s{number}.service" for number in range(50)]
    members = [Member(f"hv{number}", "", "systemd", names[number]) for number in range(50)]
    members += [Member(f"hv{(number + 1) % 50}", "", "systemd", names[number]) for number in range(50)]
    queries = values_of(members, "")
    assert len(queries) == 50
    assert all(query.count("slice") == 2 for query in queries)


def test_services_that_all_hosts_have_are_asked_for_at_once() -> None:
    members = [Member(f"hv{number}", "", "systemd", "/docker.service") for number in range(50)]
    assert len(values_of(members, "")) == 1


def _key(host: str) -> tuple[str, str] | None:
    return ("hv03:9922", "") if host == "hv03" else None


def test_a_filter_is_looked_for_on_every_host() -> None:
    assert wanted("", "", _key) == ""
    assert wanted("cpu>50 !x", "", _key) == ""
    assert wanted("web or db", "", _key) == ""
    assert wanted("kind=ct", 'job="v"', _key) == 'vmtop_workload_info{kind="container",job="v"}'
    assert wanted("host=hv03", "", _key) == 'vmtop_workload_info{instance="hv03:9922",host=""}'
    assert wanted("name~^web-[0-9]+$ cpu>5", "", _key) == 'vmtop_workload_info{name=~"(?i).*(?:^web-[0-9]+$).*"}'
    both = wanted("web shop", "", _key)
    assert both.count(" and ") == 1
    assert 'project=~"(?i).*shop.*"' in both


@given(st.text(max_size=60))
def test_no_filter_can_end_a_string_of_its_query(text: str) -> None:
    outside = _STRING.sub("", wanted(text, "", _key))
    assert '"' not in outside


def test_a_selector_has_what_everything_is_limited_to_last() -> None:
    assert selector('job="v"', 'id="x"', name="up") == 'up{id="x",job="v"}'
