"""The files of rules for Prometheus and vmalert, and the unit tests that promtool runs on them."""

from __future__ import annotations

import re

from collectors.exposition.alert_type import Alert, Case
from collectors.exposition.alerts import ALERTS
from collectors.exposition.recorded import RECORDED
from tui.presenters.monitoring.yaml_text import Data, yaml_text

RULES = "vmtop.rules.yml"
ALERTS_FILE = "vmtop.alerts.yml"
TESTS = "vmtop.rules.test.yml"

_TEMPLATE = re.compile(r"{{ \$labels\.(\w+) }}|{{ \$value \|[^}]*}}")


def recording_rules() -> str:
    """Return the recording rules as YAML."""
    rules: list[Data] = [{"record": rule.name, "expr": rule.expression} for rule in RECORDED]
    return yaml_text({"groups": [{"name": "vmtop", "rules": rules}]})


def alerting_rules() -> str:
    """Return the alerting rules as YAML. They look at every workload of a fleet, so once a minute has to be enough."""
    rules = [_rule(alert) for alert in ALERTS]
    return yaml_text({"groups": [{"name": "vmtop-alerts", "interval": "1m", "rules": rules}]})


def rule_tests() -> str:
    """Return unit tests of all alerts: series that raise each of them, and series that do not."""
    tests: list[Data] = [_test(alert, case) for alert in ALERTS for case in alert.cases]
    return yaml_text({"rule_files": [RULES, ALERTS_FILE], "evaluation_interval": "1m", "tests": tests})


def _rule(alert: Alert) -> Data:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.wait,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": alert.description},
    }


def _test(alert: Alert, case: Case) -> Data:
    expected: list[Data] = []
    if case.raises is not None:
        texts = {"summary": alert.summary, "description": alert.description}
        expected.append(
            {
                "exp_labels": {"severity": alert.severity, **case.raises},
                "exp_annotations": {key: _filled(text, case) for key, text in texts.items()},
            }
        )
    series: list[Data] = [{"series": name, "values": values} for name, values in case.series.items()]
    looked: Data = {"eval_time": case.at, "alertname": alert.name, "exp_alerts": expected}
    return {"interval": "1m", "input_series": series, "alert_rule_test": [looked]}


def _filled(text: str, case: Case) -> str:
    """Return a template as Prometheus fills it in for a case."""
    labels = case.raises or {}
    return _TEMPLATE.sub(lambda found: labels.get(found[1], "") if found[1] else case.value, text)
