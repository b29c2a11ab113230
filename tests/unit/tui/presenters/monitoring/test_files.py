"""The shipped files for Prometheus and Grafana: up to date in the docs, and accepted by those that read them."""

from __future__ import annotations

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from collectors.exposition.alerts import ALERTS
from collectors.exposition.families import BY_NAME, Of
from collectors.exposition.recorded import RECORDED
from tests.helpers.checkout import ROOT
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.process import find_program
from tui.presenters.monitoring.files import monitoring_files
from tui.presenters.monitoring.other_names import CADVISOR, LIBVIRT, Names

FILES = monitoring_files()
DASHBOARDS = [path for path in FILES if path.endswith(".json")]
_VARIABLE = re.compile(r"\$\{?(\w+)")
_BUILT_IN = frozenset({"__rate_interval", "__range", "__url_time_range", "__data", "__all"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("monitoring")
    for path, text in FILES.items():
        (top / path).parent.mkdir(exist_ok=True)
        (top / path).write_text(text)
    return top


def accepted(program: str, *words: str | Path) -> str:
    """Run a program that checks files; return what it says of them."""
    with skip_or_fail():
        path = find_program(program)
    done = subprocess.run([path, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_files_in_the_docs_are_up_to_date() -> None:
    """`vmtop monitoring docs/prometheus --force` brings them up to date."""
    docs = ROOT / "docs" / "prometheus"
    assert {str(path.relative_to(docs)) for path in docs.rglob("*") if path.is_file()} == set(FILES)
    for path, text in FILES.items():
        assert (docs / path).read_text() == text, path


@pytest.mark.parametrize("name", ["scrape.yml", "cadvisor-names.yml", "libvirt-names.yml"])
def test_prometheus_takes_the_scrape_configuration(folder: Path, name: str) -> None:
    assert "SUCCESS" in accepted("promtool", "check", "config", folder / name)


def test_prometheus_takes_the_rules(folder: Path) -> None:
    accepted("promtool", "check", "rules", folder / "vmtop.rules.yml", folder / "vmtop.alerts.yml")


def test_each_alert_fires_where_it_should_and_nowhere_else(folder: Path) -> None:
    assert "SUCCESS" in accepted("promtool", "test", "rules", folder / "vmtop.rules.test.yml")


def test_vmalert_takes_the_rules(folder: Path) -> None:
    rules = [f"-rule={folder}/{name}" for name in ("vmtop.rules.yml", "vmtop.alerts.yml")]
    accepted("vmalert", "-dryRun", *rules)


def panels(name: str) -> list[dict[str, Any]]:
    return list(json.loads(FILES[name])["panels"])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_numbers_of_their_own_and_do_not_overlap(name: str) -> None:
    placed = panels(name)
    assert len({panel["id"] for panel in placed}) == len(placed)
    for one, other in combinations((panel["gridPos"] for panel in placed), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in placed)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_variable_that_is_used_can_be_chosen(name: str) -> None:
    board = json.loads(FILES[name])
    known = {variable["name"] for variable in board["templating"]["list"]}
    text = json.dumps(board["panels"]) + json.dumps(board["templating"])
    used = set(_VARIABLE.findall(text)) - _BUILT_IN
    assert used <= known
    assert known - used <= {"host"}


def test_no_dashboard_asks_for_every_workload_of_a_fleet_when_it_is_opened() -> None:
    names = json.loads(FILES["grafana/workload.json"])["templating"]["list"]
    assert not next(variable for variable in names if variable["name"] == "name").get("includeAll")
    instances = json.loads(FILES["grafana/host.json"])["templating"]["list"]
    assert not next(variable for variable in instances if variable["name"] == "instance").get("multi")


def test_the_fleet_asks_for_recorded_values_and_for_what_each_host_has_once() -> None:
    """What is computed for every workload of a fleet at each look takes seconds, or more samples than are allowed."""
    for panel in panels("grafana/fleet.json"):
        for target in panel.get("targets", ()):
            families = [BY_NAME[name] for name in re.findall(r"(?<![\w:])vmtop_\w+", target["expr"])]
            assert all(family.of is not Of.WORKLOAD for family in families), target["expr"]


def test_links_lead_to_dashboards_that_exist() -> None:
    known = {json.loads(FILES[name])["uid"] for name in DASHBOARDS}
    linked = {found for name in DASHBOARDS for found in re.findall(r'"/d/([\w-]+)\?', FILES[name])}
    assert linked
    assert linked <= known


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_ask_for_families_and_rules_that_exist(name: str) -> None:
    rules = {rule.name for rule in RECORDED}
    for panel in panels(name):
        for target in panel.get("targets", ()):
            asked = set(re.findall(r"[\w:]*vmtop_[\w:]+", target["expr"]))
            assert asked - rules <= set(BY_NAME), panel["title"]
            assert target["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize("other", [CADVISOR, LIBVIRT], ids=["cAdvisor", "libvirt exporter"])
def test_another_exporters_names_stand_for_families_that_exist(other: Names) -> None:
    assert {f"vmtop_{name}" for name in other.names} <= set(BY_NAME)
    assert len(set(other.names.values())) == len(other.names)
    for ours, theirs in other.names.items():
        is_counter = BY_NAME[f"vmtop_{ours}"].type == "counter"
        assert theirs.endswith("_total") == is_counter, theirs


def test_a_target_is_in_every_scrape_configuration() -> None:
    files = monitoring_files(["hv07:9922"])
    for name in ("scrape.yml", "cadvisor-names.yml", "libvirt-names.yml"):
        assert '- targets: ["hv07:9922"]\n' in files[name]


def test_the_docs_name_every_alert_with_its_severity_and_every_file() -> None:
    page = (ROOT / "docs" / "dashboards.md").read_text()
    listed = re.findall(r"\| `(Vmtop\w+)` \| (\w+) \|.*`for: (\w+)`", page)
    assert listed == [(alert.name, alert.severity, alert.wait) for alert in ALERTS]
    assert all(f"`{path}`" in page or path.startswith("grafana/") for path in FILES)


def test_what_the_docs_turn_off_first_is_exposed_and_no_rule_needs_it() -> None:
    page = (ROOT / "docs" / "scale.md").read_text()
    (pattern,) = re.findall(r"regex: (vmtop_.*)", page)
    dropped = {name for name in BY_NAME if re.fullmatch(pattern, name)}
    assert len(dropped) >= 8
    needed = {name for rule in RECORDED for name in re.findall(r"(?<![\w:])vmtop_\w+", rule.expression)}
    assert not dropped & needed
    assert not dropped & {name for alert in ALERTS for name in re.findall(r"(?<![\w:])vmtop_\w+", alert.expression)}
