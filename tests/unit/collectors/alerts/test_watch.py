"""Alerts begin when a rule has held for its time and end when it has not for a while; the unknown decides nothing."""

from __future__ import annotations

import pytest

from collectors.alerts.alert import Alert
from collectors.alerts.condition import parse_condition
from collectors.alerts.rule import Level, Rule
from collectors.alerts.standing import QUIET_S
from collectors.alerts.told import OVER
from collectors.alerts.watch import ABSENT, AT_REST, GONE, MOST_JUDGED, NEW_RUN, SILENCED, AlertWatch
from collectors.model.workloads import Availability, Event, Kind, SourceState, State, WorkloadId
from collectors.query.filter import parse
from tests.helpers.alert_frames import WALL, Host


def rule(when: str, until: str = "", name: str = "busy", **options: object) -> Rule:
    return Rule(name, parse_condition(when), parse(until) if until else None, **options)  # type: ignore[arg-type]


def run(watch: AlertWatch, host: Host, seconds: int) -> list[Alert]:
    return [alert for _ in range(seconds) for alert in watch.feed(host.moment())]


@pytest.fixture
def host() -> Host:
    return Host()


def test_a_rule_that_holds_for_its_time_is_an_alert_and_not_before(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80 for 5s")])
    identity = host.add(cpu_percent=90)
    assert run(watch, host, 6) == []  # the first frame has no rate
    (alert,) = run(watch, host, 1)
    assert (alert.subject.id, alert.name, alert.detail, alert.is_active) == (identity, "web", "cpu 90%", True)
    assert watch.active == [alert]
    assert run(watch, host, 10) == []


def test_it_ends_only_after_it_has_not_held_for_a_while(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80")])
    identity = host.add(cpu_percent=90)
    (alert,) = run(watch, host, 2)
    for _ in range(4):  # it flickers
        host.cpu_percent[identity] = 10
        assert run(watch, host, int(QUIET_S) - 2) == []
        host.cpu_percent[identity] = 90
        assert run(watch, host, 2) == []
    host.cpu_percent[identity] = 10
    assert run(watch, host, int(QUIET_S) + 1) == [alert]
    assert (alert.end, alert.ended_wall, list(watch.ended), watch.active) == (OVER, WALL + host.at_s, [alert], [])


def test_between_its_two_thresholds_it_goes_on(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80", until="cpu < 50")])
    identity = host.add(cpu_percent=90)
    (alert,) = run(watch, host, 2)
    host.cpu_percent[identity] = 60
    assert run(watch, host, 60) == []
    host.cpu_percent[identity] = 40
    assert run(watch, host, 15) == [alert]


def test_a_moment_below_the_threshold_begins_the_time_anew(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80 for 5s")])
    identity = host.add(cpu_percent=90)
    run(watch, host, 5)
    host.cpu_percent[identity] = 10
    run(watch, host, 1)
    host.cpu_percent[identity] = 90
    assert run(watch, host, 5) == []
    assert len(run(watch, host, 2)) == 1


def test_time_that_was_not_measured_does_not_count(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80 for 20s")])
    identity = host.add(cpu_percent=90)
    run(watch, host, 10)
    host.frozen.add(identity)
    assert run(watch, host, 40) == []  # its last number is above the threshold, and stale
    host.frozen.clear()
    assert run(watch, host, 3) == []


def test_a_value_that_becomes_stale_does_not_end_an_alert(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80")])
    identity = host.add(cpu_percent=90)
    (alert,) = run(watch, host, 2)
    host.frozen.add(identity)
    assert run(watch, host, 60) == []
    assert watch.active == [alert]


def test_one_that_no_longer_runs_ends_the_alerts_about_what_it_used(host: Host) -> None:
    watch = AlertWatch([rule("limit > 95%", until="limit < 90%")])
    identity = host.add()
    host.measure(identity, memory_charged_bytes=97, memory_limit_bytes=100)
    (alert,) = run(watch, host, 2)
    host.change(identity, state=State.STOPPED)
    host.fields.clear()
    host.mute.add(identity)
    assert run(watch, host, int(QUIET_S) + 2) == [alert]
    assert alert.end == AT_REST


def test_one_whose_engine_does_not_answer_is_not_known_to_be_at_rest(host: Host) -> None:
    watch = AlertWatch([rule("limit > 95%", until="limit < 90%")])
    identity = host.add()
    host.measure(identity, memory_charged_bytes=97, memory_limit_bytes=100)
    run(watch, host, 2)
    host.change(identity, state=State.STOPPED)
    host.mute.add(identity)
    host.sources = (SourceState("docker", Availability.STALE),)
    assert run(watch, host, 300) == []


def test_a_limit_that_was_lifted_ends_the_alert_about_it_after_a_minute(host: Host) -> None:
    watch = AlertWatch([rule("limit > 95%", until="limit < 90%")])
    identity = host.add()
    host.measure(identity, memory_charged_bytes=97, memory_limit_bytes=100)
    (alert,) = run(watch, host, 2)
    host.measure(identity, memory_limit_bytes=None)
    assert run(watch, host, 50) == []
    assert run(watch, host, 12) == [alert]
    assert alert.end == ABSENT


def test_a_gap_between_frames_is_no_time_that_it_held(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80 for 30s")])
    host.add(cpu_percent=90)
    run(watch, host, 5)
    assert watch.feed(host.moment(step_s=300)) == []
    assert run(watch, host, 5) == []


def test_what_is_not_measured_at_all_is_never_an_alert(host: Host) -> None:
    watch = AlertWatch([rule("!limit < 90%", name="a"), rule("health != healthy", name="b"), rule("rx < 1", name="c")])
    host.add(cpu_percent=90)
    assert run(watch, host, 30) == []


def test_one_that_is_gone_ends_its_alert(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80")])
    identity = host.add(cpu_percent=90)
    (alert,) = run(watch, host, 2)
    del host.workloads[identity]
    assert run(watch, host, 1) == [alert]
    assert alert.end == GONE


def test_another_run_ends_all_and_begins_anew(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80 for 3s"), rule("event=die 2 times in 1m", name="dies")])
    identity = host.add(cpu_percent=90)
    (alert,) = run(watch, host, 5)
    watch.feed(host.moment(Event(0, identity, "die")))
    later = Host(run="2" * 16, at_s=3.0)
    later.add(cpu_percent=90)
    assert run(watch, later, 3) == [alert]
    assert alert.end == NEW_RUN
    assert watch.feed(later.moment(Event(0, identity, "die"))) == []
    assert len(run(watch, later, 2)) == 1


def test_frames_that_come_faster_than_each_second_are_judged_each_second(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80 for 2s")])
    host.add(cpu_percent=90)
    for _ in range(40):
        watch.feed(host.moment(step_s=0.1))
    assert watch.judged <= 5
    assert len(watch.active) == 1


def test_idle_workloads_are_not_judged_again(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80"), rule("mem > 1G", name="big")])
    for number in range(50):
        host.add(f"idle-{number}")
    run(watch, host, 3)
    before = watch.judged
    host.frozen.update(host.workloads)
    run(watch, host, 20)
    assert watch.judged - before <= 2 * 50 * 2


def test_of_very_many_a_part_is_judged_at_each_moment_and_all_in_turn(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80")])
    for number in range(3 * MOST_JUDGED):
        host.add(f"web-{number}", cpu_percent=1)
    host.moment()
    watch.feed(host.moment())
    assert watch.judged <= MOST_JUDGED
    for identity in host.workloads:
        host.cpu_percent[identity] = 90
    begun = [alert for _ in range(4) for alert in watch.feed(host.moment())]
    assert len(begun) == 3 * MOST_JUDGED


def test_of_very_many_those_that_a_rule_holds_for_have_their_turn_with_the_others(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80"), rule("mem > 1G", name="big")])
    for number in range(3 * MOST_JUDGED):
        host.add(f"web-{number}", cpu_percent=90)
    run(watch, host, 4)
    assert len(watch.active) == 3 * MOST_JUDGED
    before = watch.judged
    watch.feed(host.moment())
    assert watch.judged - before <= 3 * MOST_JUDGED + MOST_JUDGED
    for identity in host.workloads:
        host.measure(identity, memory_charged_bytes=2 << 30)
    assert len(run(watch, host, 4)) == 3 * MOST_JUDGED, "the other rule begins in their turns"


def test_an_event_is_an_alert_at_once_and_until_its_time_is_up(host: Host) -> None:
    watch = AlertWatch([rule("event=oom in 1m", name="oom", level=Level.CRITICAL)])
    identity = host.add()
    run(watch, host, 3)
    (alert,) = watch.feed(host.moment(Event(0, identity, "oom", "killed python")))
    assert (alert.detail, alert.rule.level) == ("killed python", Level.CRITICAL)
    assert run(watch, host, 59) == []
    assert run(watch, host, 14) == [alert]


def test_only_so_many_within_its_time_are_an_alert(host: Host) -> None:
    watch = AlertWatch([rule("event=die 3 times in 1m", name="loop")])
    identity = host.add()
    die = Event(0, identity, "die")
    for _ in range(5):
        assert watch.feed(host.moment(die, step_s=61)) == []
    watch.feed(host.moment(die))
    assert len(watch.feed(host.moment(die))) == 1


def test_a_start_by_the_engine_counts_and_one_by_the_user_does_not(host: Host) -> None:
    watch = AlertWatch([rule("event=restarted 3 times in 10m", name="loop")])
    crashing, restarted = host.add("crashing", restarts=7), host.add("restarted", restarts=0)
    run(watch, host, 3)
    for count in (8, 9):
        host.change(crashing, restarts=count)
        assert watch.feed(host.moment(Event(0, restarted, "restart"), Event(0, restarted, "die"))) == []
    host.change(crashing, restarts=10)
    (alert,) = watch.feed(host.moment(Event(0, restarted, "restart")))
    assert (alert.name, alert.detail) == ("crashing", "3 times in 10 min")


def test_what_happened_is_over_after_its_time_and_not_gone_with_its_workload(host: Host) -> None:
    watch = AlertWatch([rule("event=oom in 20s", name="oom")])
    identity = host.add()
    (alert,) = watch.feed(host.moment(Event(0, identity, "oom")))
    del host.workloads[identity]
    assert run(watch, host, 19) == []
    assert run(watch, host, int(QUIET_S) + 2) == [alert]
    assert (alert.end, watch.active) == (OVER, [])


def test_what_happens_again_before_it_is_quiet_is_the_same_alert(host: Host) -> None:
    watch = AlertWatch([rule("event=oom in 20s", name="oom")])
    identity = host.add()
    (alert,) = watch.feed(host.moment(Event(0, identity, "oom")))
    run(watch, host, 24)
    assert watch.feed(host.moment(Event(0, identity, "oom"))) == []
    assert watch.active == [alert]


def test_an_event_rule_asks_for_the_workloads_of_its_filter_even_of_one_that_is_gone(host: Host) -> None:
    watch = AlertWatch([rule("event=die kind=ct name~^web", name="dies")])
    host.add("web-1"), host.add("db")
    gone = WorkloadId("docker", "gone")
    events = [Event(0, WorkloadId("docker", name), "die") for name in ("web-1", "db")]
    begun = watch.feed(host.moment(*events, Event(0, gone, "die", "", "web-2")))
    assert sorted(alert.name for alert in begun) == ["web-1", "web-2"]


def test_one_that_ends_and_is_gone_is_known_by_what_it_was_a_moment_ago_or_by_its_engine(host: Host) -> None:
    watch = AlertWatch([rule("event=die project=shop", name="shop"), rule("event=die kind=vm", name="machines")])
    identity = host.add("web", project="shop")
    run(watch, host, 2)
    del host.workloads[identity]
    unseen = WorkloadId("virtualbox", "a-uuid")
    begun = watch.feed(host.moment(Event(0, identity, "die", "", "web"), Event(0, unseen, "die", "", "box")))
    assert sorted((alert.rule.name, alert.name) for alert in begun) == [("machines", "box"), ("shop", "web")]


def test_an_alert_is_not_what_another_alert_follows_from(host: Host) -> None:
    watch = AlertWatch([rule("event=alert", name="echo")])
    assert watch.feed(host.moment(Event(0, host.add(), "alert", "info: busy: busy"))) == []


def test_a_filter_is_for_workloads_and_one_of_hosts_for_hosts(host: Host) -> None:
    watch = AlertWatch([rule("mem > 1G", name="any"), rule("kind=host limit > 95%", name="full", level=Level.CRITICAL)])
    host.add(cpu_percent=1)
    host.host_fields = {"memory_charged_bytes": 7 << 30}
    assert run(watch, host, 3) == []
    host.host_fields = {"memory_charged_bytes": (8 << 30) - 1000}
    (alert,) = run(watch, host, 1)
    assert (alert.name, alert.rule.name, alert.detail) == ("machine", "full", "limit 100%")


def test_a_source_that_does_not_answer_is_an_alert_of_its_own(host: Host) -> None:
    stuck = rule("source=stale|down docker for 3s", name="stuck")
    watch = AlertWatch([stuck])
    host.sources = (SourceState("libvirt", Availability.STALE), SourceState("docker", Availability.OK))
    assert run(watch, host, 5) == []
    host.sources = (SourceState("docker", Availability.STALE, "", "it has not answered for 5 s"),)
    (alert,) = run(watch, host, 4)
    assert (alert.name, alert.detail) == ("docker", "it has not answered for 5 s")
    host.sources = (SourceState("docker", Availability.OK),)
    assert run(watch, host, 12) == [alert]


def test_a_workload_of_an_engine_that_is_stale_is_not_known_to_be_unhealthy(host: Host) -> None:
    watch = AlertWatch([rule("health = unhealthy for 5s", name="sick")])
    host.add(health="unhealthy")
    host.sources = (SourceState("docker", Availability.STALE),)
    assert run(watch, host, 20) == []
    host.sources = (SourceState("docker", Availability.OK),)
    assert len(run(watch, host, 6)) == 1


def test_an_engine_whose_disk_is_full_is_an_alert_and_one_that_is_not_measured_is_none(host: Host) -> None:
    watch = AlertWatch([rule("engine disk > 90%", name="disk")])
    host.sources = (
        SourceState("docker", Availability.OK, storage_percent=95.0),
        SourceState("podman", Availability.OK),
    )
    (alert,) = run(watch, host, 1)
    assert (alert.name, alert.detail) == ("docker", "95% full")


def test_a_rule_that_is_off_and_a_subject_that_is_silenced_tell_nothing(host: Host) -> None:
    watch = AlertWatch([rule("cpu > 80"), rule("cpu > 10", name="off", is_on=False)])
    host.add(cpu_percent=90)
    (alert,) = run(watch, host, 2)
    watch.silence(alert, WALL + host.at_s, WALL + host.at_s + 30)
    assert (alert.end, watch.active) == (SILENCED, [])
    assert run(watch, host, 28) == []
    assert len(run(watch, host, 4)) == 1


def test_the_gravest_come_first(host: Host) -> None:
    rules = [rule("cpu > 80", name=level, level=level) for level in Level]
    watch = AlertWatch(rules)
    host.add(cpu_percent=90)
    run(watch, host, 2)
    assert [alert.rule.level for alert in watch.active] == [Level.CRITICAL, Level.WARNING, Level.INFO]


def test_a_machine_and_a_state_can_be_asked_for(host: Host) -> None:
    watch = AlertWatch([rule("kind=vm state=paused reason~'I/O error'", name="fault")])
    identity = host.add("db", kind=Kind.VM, engine="qemu", state=State.PAUSED)
    assert run(watch, host, 3) == []
    host.change(identity, state_reason="I/O error")
    assert len(run(watch, host, 1)) == 1
