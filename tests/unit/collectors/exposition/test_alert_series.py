"""`vmtop_alert` in a scrape, in both dialects: one series for each active alert, whatever its texts are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.alerts.condition import parse_condition
from collectors.alerts.rule import Level, Rule
from collectors.exposition.alert_series import AlertSeries
from collectors.exposition.exposer import Choice, Exposer
from collectors.exposition.text import Dialect
from collectors.model.workloads import Availability, SourceState
from tests.helpers.alert_frames import Host
from tests.helpers.hostile_text import TEXTS
from tests.helpers.strategies import frame, workload
from tests.unit.collectors.exposition.test_text import OWN, Found, parsed
from tui.cli.commands.exposition.exposing import _series
from tui.controllers.headless_alerts import HeadlessAlerts


@pytest.fixture(params=list(Dialect))
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return Dialect(request.param)


def exposed(dialect: Dialect, *alerts: AlertSeries) -> list[tuple[dict[str, str], float]]:
    text = Exposer(Choice()).text(frame(2.0, {}), dialect, OWN, alerts)
    found: Found = parsed(text, dialect)
    return found.get("vmtop_alert", [])


def test_an_alert_about_a_workload_has_the_labels_by_which_its_other_series_are_known(dialect: Dialect) -> None:
    web = workload("web")
    (series,) = exposed(dialect, AlertSeries("memory limit", "warning", web))
    assert series == (
        {
            "rule": "memory limit",
            "level": "warning",
            "kind": "container",
            "engine": "docker",
            "id": web.short_id,
            "name": "web",
        },
        1.0,
    )


def test_an_alert_about_a_source_names_it_and_that_of_another_host_its_host(dialect: Dialect) -> None:
    found = exposed(
        dialect,
        AlertSeries("source down", "warning", None, "docker"),
        AlertSeries("host memory", "critical", None, "", "hv01"),
    )
    assert [labels for labels, _ in found] == [
        {"rule": "source down", "level": "warning", "source": "docker"},
        {"rule": "host memory", "level": "critical", "host": "hv01"},
    ]


def test_without_an_alert_there_is_no_series(dialect: Dialect) -> None:
    assert exposed(dialect) == []


def test_two_alerts_of_one_name_are_one_series(dialect: Dialect) -> None:
    assert len(exposed(dialect, *[AlertSeries("a", "info", workload("web"))] * 2)) == 1


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_hostile_name_is_one_label(dialect: Dialect, text: str) -> None:
    ((labels, value),) = exposed(dialect, AlertSeries(text, "info", workload(text)))
    assert value == 1
    assert {"rule", "level", "kind", "engine", "id", "name"} >= set(labels)


@given(st.text(), st.sampled_from(list(Dialect)))
def test_any_text_is_parsed_back(text: str, dialect: Dialect) -> None:
    assert len(exposed(dialect, AlertSeries(text, "info", None, "docker"))) == 1


def test_what_is_judged_is_what_is_exposed_until_it_is_over(dialect: Dialect) -> None:
    host = Host(sources=(SourceState("docker", Availability.STALE),))
    rules = [
        Rule("busy", parse_condition("cpu > 80"), level=Level.CRITICAL),
        Rule("stuck", parse_condition("source=stale")),
    ]
    alerts = HeadlessAlerts(rules, has_programs=False)
    identity = host.add(cpu_percent=90)
    for _ in range(3):
        alerts.judge(host.moment())
    labels = [labels for labels, _ in exposed(dialect, *map(_series, alerts.active))]
    assert [(one["rule"], one.get("name"), one.get("source")) for one in labels] == [
        ("busy", "web", None),
        ("stuck", None, "docker"),
    ]
    host.cpu_percent[identity] = 1.0
    host.sources = (SourceState("docker", Availability.OK),)
    for _ in range(15):
        alerts.judge(host.moment())
    assert exposed(dialect, *map(_series, alerts.active)) == []
