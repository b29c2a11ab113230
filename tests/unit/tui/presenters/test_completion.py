"""Completion of a filter: fields, metrics and values, only for the last word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.query.filter import parse
from tui.presenters.prompts.completion import common_start, completions

SHOP = Workload(WorkloadId("docker", "1"), Kind.CONTAINER, "web 1", State.RUNNING, project="shop")


def test_a_field_is_completed_with_its_usual_sign() -> None:
    assert completions("ki", []) == ["kind="]
    assert "kind=vm cpu>" in completions("kind=vm cp", [])


def test_a_value_is_one_that_exists_now_and_is_quoted_where_it_has_to_be() -> None:
    assert completions("project=", [SHOP]) == ["project=shop"]
    assert completions("!name=we", [SHOP]) == ['!name="web 1"']
    assert completions("kind=v", []) == ["kind=vm"]


def test_nothing_is_offered_for_what_is_complete_or_unknown() -> None:
    for text in ("", "kind=vm ", "kind=vm", "nothing", "cpu>5", "xyz=1"):
        assert completions(text, [SHOP]) == []


@given(st.text(max_size=20))
def test_a_completion_begins_with_what_stands_before_the_last_word(text: str) -> None:
    before = text[: len(text) - len(text.split(" ")[-1])]
    assert all(candidate.startswith(before) for candidate in completions(text, [SHOP]))


@given(st.sampled_from(["kind=", "state=", "engine=", "project=", "name="]))
def test_a_completed_value_is_a_valid_filter(field: str) -> None:
    for candidate in completions(field, [SHOP]):
        parse(candidate)


@given(st.lists(st.text("ab", max_size=5), min_size=1))
def test_the_common_start_begins_every_candidate(candidates: list[str]) -> None:
    assert all(candidate.startswith(common_start(candidates)) for candidate in candidates)
