"""Alerts that became events, and are read back: of a file that may hold anything."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from collectors.alerts.alert import Alert, Subject
from collectors.alerts.condition import parse_condition
from collectors.alerts.rule import Level, Rule
from collectors.alerts.told import BEGAN, ENDED, OVER, Told, beginning, ending, told, worst_levels
from collectors.model.workloads import Event, Kind, WorkloadId
from tests.helpers.strategies import workload

_WORDS = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=12).map(str.strip).filter(bool)
_RULES = _WORDS.filter(lambda name: ": " not in name and not name.endswith(":"))
_IDS = st.builds(WorkloadId, st.just("docker"), st.sampled_from("abc"), st.sampled_from(("", "hv01")))


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    """An alert that is over, or is not."""
    name, identity, began = draw(_WORDS), draw(_IDS), draw(st.floats(0, 1e9))
    rule = Rule(draw(_RULES), parse_condition("cpu > 1"), None, draw(st.sampled_from(Level)), draw(_WORDS))
    alert = Alert(rule, Subject(identity), name, began, draw(st.sampled_from(("", "cpu 99%: of one core"))))
    if draw(st.booleans()):
        alert.ended_wall, alert.end = began + draw(st.floats(0, 1e6)), draw(st.sampled_from((OVER, "it is gone")))
    return alert


@given(alerts())
def test_what_is_told_of_an_alert_is_all_of_it(alert: Alert) -> None:
    events = [beginning(alert)] + ([ending(alert)] if alert.ended_wall is not None else [])
    (found,) = told(events)
    expected = Told(
        alert.rule.name, alert.rule.level, alert.subject.id, alert.name, alert.sentence, alert.began_wall,
        alert.ended_wall, alert.end,
    )  # fmt: skip
    assert (found, found.title) == (expected, alert.title)


@given(st.lists(alerts(), max_size=8))
def test_no_alert_is_lost_or_made_up_and_they_come_in_the_order_in_which_they_began(every: list[Alert]) -> None:
    events = [(alert.began_wall, beginning(alert)) for alert in every]
    events += [(alert.ended_wall, ending(alert)) for alert in every if alert.ended_wall is not None]
    found = told(event for _, event in sorted(events, key=lambda pair: pair[0]))
    assert [one.began_wall for one in found] == sorted(alert.began_wall for alert in every)
    assert all(one.ended_wall is None or one.ended_wall >= one.began_wall for one in found)


_ANY = st.builds(
    Event,
    st.floats(0, 1e9),
    _IDS,
    st.sampled_from((BEGAN, ENDED, "die", "start")),
    st.text(max_size=20) | st.just("critical: oom: killed") | st.just("oom: over"),
    st.sampled_from(("web", "")),
)


@given(st.lists(_ANY, max_size=12))
def test_a_file_may_hold_anything(events: list[Event]) -> None:
    found = told(events)
    assert len(found) == sum(event.what == BEGAN for event in events)
    assert all(one.level in set(Level) for one in found)


def test_an_end_without_a_beginning_is_no_alert() -> None:
    assert told([Event(1.0, WorkloadId("docker", "a"), ENDED, "oom: over", "web")]) == []


def test_the_names_in_events_are_those_of_other_events_without_the_host() -> None:
    far = workload("web")
    identity = far.id._replace(host="hv01")
    alert = Alert(Rule("busy", parse_condition("cpu > 1")), Subject(identity), "web", 1.0)
    assert (beginning(alert).name, alert.title) == ("web", "hv01/web")
    of_host = Alert(alert.rule, Subject(WorkloadId("host", "x", "hv01")), "hv01", 1.0)
    assert of_host.title == "hv01"
    assert re.fullmatch(r"[a-z]+: busy: busy", beginning(alert).detail)


def test_the_levels_of_a_moment_are_the_gravest_that_are_active_and_a_source_is_not_the_host() -> None:
    host = workload("machine", Kind.HOST, "host")
    web = WorkloadId("docker", "web")
    found = worst_levels(
        [
            Told("a", Level.INFO, web, "web", "", 1.0),
            Told("b", Level.WARNING, web, "web", "", 2.0),
            Told("c", Level.CRITICAL, web, "web", "", 3.0, 4.0, OVER),
            Told("stuck", Level.CRITICAL, host.id, "docker", "", 3.0),
            Told("full", Level.WARNING, host.id, "machine", "", 3.0),
        ],
        host,
    )
    assert found == {web: Level.WARNING, host.id: Level.WARNING}
