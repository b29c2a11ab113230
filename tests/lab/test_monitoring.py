"""Dashboards and rules on real engines, which scrape a real `vmtop serve` beside real containers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.exposition.alerts import ALERTS
from collectors.exposition.recorded import RECORDED
from collectors.prometheus.server import Server
from collectors.prometheus.source import PrometheusSource
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.metric_engines import ENGINES, PROMETHEUS, MetricEngine, metric_engine, rule_evaluator
from tests.helpers.lab.served import Served, served
from tui.presenters.monitoring.files import monitoring_files
from tui.presenters.monitoring.other_names import CADVISOR, relabelling
from tui.presenters.monitoring.rules import ALERTS_FILE, RULES

pytestmark = pytest.mark.lab

FILES = monitoring_files()
_DASHBOARDS = [path for path in FILES if path.endswith(".json")]
_NAMES = ("mon-busy", "mon-hog")
_CHOSEN = {
    "$__rate_interval": "10s", "$__range": "5m", "$instance": "hv01", "$host": ".*", "$kind": ".*", "$name": ".*",
    "$top": "5",
}  # fmt: skip
_FAMILY = re.compile(r"[\w:]*vmtop_[\w:]+")


@pytest.fixture(scope="module")
def host(docker_lab: DockerLab, lab_root: Path) -> Iterator[Served]:
    containers = [docker_lab.run_busy(_NAMES[0], 0.2), docker_lab.run_memory_hog(_NAMES[1], 16, 32)]
    with served(lab_root / "monitored", "--docker", docker_lab.url) as this:
        yield this
    for container in containers:
        docker_lab.remove(container)


@pytest.fixture(scope="module", params=ENGINES)
def fleet(request: pytest.FixtureRequest, lab_root: Path, host: Served) -> Iterator[MetricEngine]:
    folder = lab_root / f"monitoring-{request.param}"
    rules = []
    for name in (RULES, ALERTS_FILE):
        path = lab_root / f"{request.param}-{name}"
        path.write_text(FILES[name])
        rules.append(path)
    own = rules if request.param == PROMETHEUS else []
    jobs = {"vmtop": (), "names": relabelling(CADVISOR)}
    targets = {"hv01": host.address, "hv02": host.address}  # two hosts with workloads of equal names and ids
    with skip_or_fail(), metric_engine(request.param, folder, targets, rules=own, jobs=jobs) as engine:
        if own:
            yield _filled(engine)
        else:
            with rule_evaluator(lab_root / "vmalert", engine, rules):
                yield _filled(engine)


def _filled(engine: MetricEngine) -> MetricEngine:
    """Return an engine once it has scraped this host for some seconds and evaluated the rules."""
    for name in _NAMES:
        engine.wait_for(f'rate(vmtop_cpu_seconds_total{{name="{name}"}}[10s])', timeout_s=60)
    for rule in RECORDED:
        engine.wait_for(rule.name, timeout_s=60)
    return engine


def _families(engine: MetricEngine) -> frozenset[str]:
    series = engine.query('count by (__name__) ({__name__=~".*vmtop.*|up|ALERTS"})')
    return frozenset(found["metric"]["__name__"] for found in series)


def _queries(dashboard: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for panel in json.loads(FILES[dashboard])["panels"]:
        for target in panel.get("targets", ()):
            yield panel, target


def _answer(engine: MetricEngine, asked: str) -> list[dict[str, Any]]:
    """Return the answer; without one, the machines of other tests that had such values may have gone, or scrapes are
    late."""
    deadline = time.monotonic() + 120
    while not (series := engine.query(asked) or engine.query(_unlimited(asked))):
        if not set(_FAMILY.findall(asked)) <= _families(engine):
            break
        assert time.monotonic() < deadline, asked
        time.sleep(1)
    return series


def _unlimited(expression: str) -> str:
    """Return a column of a table for all workloads: those that lead by another one may have nothing in it."""
    return expression.partition(" and on (")[0]


@pytest.mark.parametrize("dashboard", _DASHBOARDS)
def test_every_query_of_a_dashboard_is_answered(fleet: MetricEngine, dashboard: str) -> None:
    """With series, wherever the host has all that is asked for."""
    answered = 0
    for panel, target in _queries(dashboard):
        asked = target["expr"]
        for name, value in _CHOSEN.items():
            asked = asked.replace(name, value)
        is_about_trouble = "== 0" in asked or "ALERTS" in asked or "throttled" in asked
        series = fleet.query(asked) if is_about_trouble else _answer(fleet, asked)
        answered += bool(series)
        labels = re.findall(r"{{(\w+)}}", target["legendFormat"])
        for found in series:
            assert set(labels) <= set(found["metric"]), f"{panel['title']}: {asked}"
    assert answered >= 10


def test_every_variable_of_a_dashboard_has_values(fleet: MetricEngine) -> None:
    for dashboard in _DASHBOARDS:
        for variable in json.loads(FILES[dashboard])["templating"]["list"]:
            if variable["type"] != "query" or variable["name"] == "host":
                continue
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert found is not None
            selector = found[1]
            for name, value in _CHOSEN.items():
                selector = selector.replace(name, value)
            assert fleet.query(f"count by ({found[2]}) ({selector})"), selector


def test_every_alert_can_be_evaluated_and_the_quiet_host_raises_none_of_a_host(fleet: MetricEngine) -> None:
    for alert in ALERTS:
        series = fleet.query(alert.expression)
        if alert.name in {"VmtopHostDown", "VmtopWorkloadsOmitted"}:
            assert series == []


def test_dashboards_for_cadvisor_find_their_series(fleet: MetricEngine) -> None:
    asked = 'sum by (name) (rate(container_cpu_usage_seconds_total{name=~".+"}[10s]))'
    names = {found["metric"]["name"] for found in fleet.wait_for(asked, len(_NAMES))}
    assert set(_NAMES) <= names
    assert fleet.query('container_memory_working_set_bytes{name="mon-hog"}')
    limit = 'container_spec_memory_limit_bytes{instance="hv02", name="mon-hog"}'
    assert fleet.value(limit) == 32 << 20
    assert fleet.query('{__name__=~"vmtop_.*", job="names"}') == []


def test_the_fleet_view_finds_its_workloads_by_the_rules(fleet: MetricEngine) -> None:
    source = PrometheusSource(Server(fleet.url))
    source.open(lambda: None)
    try:
        seen = {(one.id.host, one.name) for one in source.read().workloads.values()}
    finally:
        source.close()
    assert {(host, name) for host in ("hv01", "hv02") for name in _NAMES} <= seen


def test_a_host_that_is_not_scraped_any_more_raises_its_alert(fleet: MetricEngine) -> None:
    fleet.scrape({"hv01": "127.0.0.1:9"})
    try:
        down = next(alert for alert in ALERTS if alert.name == "VmtopHostDown")
        assert fleet.wait_for(down.expression, timeout_s=60)[0]["metric"]["instance"] == "hv01"
    finally:
        fleet.scrape({})
