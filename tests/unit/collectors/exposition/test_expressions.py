"""The metrics as PromQL: all that the families can give, with the labels and windows that are asked for."""

from __future__ import annotations

import re

import pytest

from collectors.exposition.alerts import ALERTS
from collectors.exposition.expressions import EXPRESSIONS, WITHOUT, expression, written
from collectors.exposition.families import BY_NAME
from collectors.exposition.recorded import BY_METRIC, RECORDED
from collectors.model.metrics import METRICS

_FAMILY = re.compile(r"(?<![:\w])vmtop_\w+")


def test_every_metric_has_an_expression_or_is_known_to_have_none() -> None:
    assert set(EXPRESSIONS) <= set(METRICS)
    assert {"memory_overhead_bytes"} == WITHOUT


@pytest.mark.parametrize("key", EXPRESSIONS)
def test_an_expression_asks_for_exposed_families_only(key: str) -> None:
    families = set(_FAMILY.findall(EXPRESSIONS[key]))
    assert families
    assert families <= set(BY_NAME)


def test_rules_ask_for_exposed_families_only() -> None:
    texts = [rule.expression for rule in RECORDED] + [alert.expression for alert in ALERTS]
    assert {family for text in texts for family in _FAMILY.findall(text)} <= set(BY_NAME)


@pytest.mark.parametrize("key", EXPRESSIONS)
def test_counters_are_asked_for_their_growth_and_gauges_are_not(key: str) -> None:
    for family, follows in re.findall(r"(vmtop_\w+)(\{S[^}]*\}\[W\])?", EXPRESSIONS[key]):
        if key not in {"oom_kills", "cpu_seconds"}:
            assert bool(follows) == (BY_NAME[family].type == "counter"), family


def test_matchers_and_the_window_are_put_in_everywhere() -> None:
    assert expression("cpu_percent", 'instance="a"', "5m") == '100 * rate(vmtop_cpu_seconds_total{instance="a"}[5m])'
    assert expression("cpu_percent") == "100 * rate(vmtop_cpu_seconds_total[1m])"
    assert written('x{S, kind="vm"}', 'a="b"') == 'x{a="b", kind="vm"}'
    assert written('x{S, kind="vm"}') == 'x{kind="vm"}'


def test_a_rule_has_the_value_of_the_metric_that_it_stands_for() -> None:
    for key, rule in BY_METRIC.items():
        scaled = rule.expression if rule.scale == 1 else f"{rule.scale:g} * {rule.expression}"
        assert scaled == expression(key)


def test_every_alert_has_a_case_that_raises_it_and_one_that_does_not() -> None:
    for alert in ALERTS:
        assert {case.raises is None for case in alert.cases} == {True, False}, alert.name
        assert alert.severity in {"critical", "warning", "info"}
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)
