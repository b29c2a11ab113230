"""Workloads are judged side by side, with the alerts that judging one after the other by every rule has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.alerts import watch as judging
from collectors.alerts.alert import Alert, Subject
from collectors.alerts.built_in import built_in_rules
from collectors.alerts.condition import parse_condition
from collectors.alerts.evidence import Evidence
from collectors.alerts.rule import Rule
from collectors.alerts.watch import AlertWatch
from collectors.analysis.columns import Columns
from collectors.analysis.rates import Deriver, Moment
from collectors.model.workloads import Event, Kind, State, WorkloadId
from collectors.query.filter import Query, parse
from tests.helpers.alert_frames import Host
from tests.helpers.demo_fleet import Fleet

RULES = (
    *built_in_rules(),
    Rule("busy", parse_condition("cpu > 50% of limit or cpu > 150 for 3s"), parse("cpu < 20")),
    Rule("cores", parse_condition("cpu > 90")),
    Rule("ended", parse_condition("state=stopped name~[ab] for 2s")),
    Rule("large", parse_condition("mem > 90% of limit kind=ct"), parse("mem < 80% of limit")),
    Rule("again", parse_condition("event=restarted 2 times in 5s")),
)
NAMES = ("a", "b", "c", "d", "e")


class PlainWatch(AlertWatch):
    """Holds every rule against one workload after the other: as slow as it is simple."""

    def _cases_of_workloads(self, evidence: Evidence, moment: Moment) -> Iterator[judging._Case]:
        parts = max(1, -(-len(moment.readings) // judging.MOST_JUDGED))
        self._turn = (self._turn + 1) % parts
        for index, reading in enumerate(moment.readings.values()):
            workload = reading.workload
            for rule, condition in self._of_workloads:
                kinds = condition.query.kinds
                if workload.is_host or (kinds is not None and workload.kind not in kinds):
                    continue
                is_standing = (rule.name, Subject(workload.id)) in self._standings
                is_turn = index % parts == self._turn
                if is_standing or (is_turn and condition.query.verdict(reading) is True):
                    yield self._held(evidence, rule, condition, reading)


def _told(alerts: list[Alert]) -> list[tuple[object, ...]]:
    return [
        (alert.rule.name, alert.subject, alert.name, alert.began_wall, alert.detail, alert.ended_wall, alert.end)
        for alert in alerts
    ]


_CHANGES = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(
        ("cpu", "idle", "memory", "frozen", "mute", "sick", "well", "stopped", "running", "gone", "back", "restart")
    ),
)


def _change(host: Host, name: str, what: str) -> None:
    identity = WorkloadId("docker", name)
    if what == "back" or identity not in host.workloads:
        host.add(name, kind=Kind.VM if name == "e" else Kind.CONTAINER, health="healthy", restarts=0)
    elif what == "gone":
        del host.workloads[identity]
    elif what in ("cpu", "idle"):
        host.cpu_percent[identity] = 180.0 if what == "cpu" else 0.0
    elif what == "memory":
        used = host.fields.get(identity, {}).get("memory_charged_bytes")
        bytes_used = 970 if used == 100 else 100
        host.measure(
            identity, memory_charged_bytes=bytes_used, memory_unreclaimable_bytes=bytes_used, memory_limit_bytes=1000
        )
    elif what in ("frozen", "mute"):
        (host.frozen if what == "frozen" else host.mute).symmetric_difference_update({identity})
    elif what == "restart":
        host.change(identity, restarts=(host.workloads[identity].restarts or 0) + 2)
    else:
        facts = {"sick": {"health": "unhealthy"}, "well": {"health": "healthy"}}
        host.change(identity, **facts.get(what, {"state": State(what)} if what in ("stopped", "running") else {}))


@given(st.lists(st.tuples(st.lists(_CHANGES, max_size=4), st.sampled_from((1.0, 1.0, 5.0, 12.0))), max_size=40))
def test_whatever_happens_the_alerts_are_those_of_judging_one_by_one(
    script: list[tuple[list[tuple[str, str]], float]],
) -> None:
    host, watch, plain = Host(), AlertWatch(RULES), PlainWatch(RULES)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(judging, "MOST_JUDGED", 2)  # so that there are turns
        for changes, step_s in script:
            for name, what in changes:
                _change(host, name, what)
            moment = host.moment(step_s=step_s)
            changed = watch.feed(moment)
            assert _told(changed) == _told(plain.feed(moment))
            assert _told(watch.active) == _told(plain.active)


@pytest.mark.parametrize("most", [7, 1000])
def test_the_alerts_of_a_fleet_are_those_of_judging_one_by_one(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "MOST_JUDGED", most)
    fleet, deriver, watch, plain = Fleet(40), Deriver(), AlertWatch(RULES), PlainWatch(RULES)
    begun = 0
    for _ in range(40):
        moment = deriver.feed(fleet.frame())
        changed = watch.feed(moment)
        assert _told(changed) == _told(plain.feed(moment))
        begun += len(changed)
    assert begun > 3


def test_a_workload_for_which_no_rule_holds_is_asked_for_nothing_by_itself() -> None:
    host, watch = Host(), AlertWatch(RULES)
    for name in NAMES:
        host.add(name, cpu_percent=10.0)
    for _ in range(5):
        moment = host.moment()
        assert watch.feed(moment) == []
    assert watch.judged == 0
    assert all(reading._values is None for reading in moment.readings.values())


def test_a_workload_at_rest_is_not_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    passing = Query.passing

    def spy(query: Query, columns: Columns) -> list[int]:
        seen.append([reading.workload.name for reading in columns.readings])
        return passing(query, columns)

    host, watch = Host(), AlertWatch([rule for rule in RULES if rule.name == "cores"])
    host.add("busy", cpu_percent=10.0)
    host.frozen.add(host.add("resting"))
    monkeypatch.setattr(Query, "passing", spy)
    for _ in range(3):
        watch.feed(host.moment())
    assert seen == [["busy", "resting"], ["busy"], ["busy"]]


def test_a_start_is_counted_also_where_another_workload_has_gone_or_come() -> None:
    host, watch = Host(), AlertWatch([Rule("again", parse_condition("event=restarted"))])
    for name in NAMES:
        host.add(name, restarts=0)
    watch.feed(host.moment())
    del host.workloads[WorkloadId("docker", "b")]
    host.add("new", restarts=7)
    host.change(WorkloadId("docker", "d"), restarts=1)
    assert [alert.name for alert in watch.feed(host.moment(Event(0, WorkloadId("docker", "b"), "die")))] == ["d"]
    host.change(WorkloadId("docker", "a"), restarts=1)
    assert [alert.name for alert in watch.feed(host.moment())] == ["a"]
