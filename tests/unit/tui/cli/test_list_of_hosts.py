"""`vmtop list` where there are several hosts, and the demo that has some."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from click.testing import CliRunner

from collectors.analysis.rates import Deriver, Moment
from collectors.fleet.demo import DemoHost
from collectors.model.errors import SourceDown
from collectors.model.workloads import Availability, SourceState
from collectors.query.filter import parse
from tests.helpers.far_fleet import FarFleet
from tests.helpers.stand_in_ssh import place
from tui.cli import sources
from tui.cli.main import main
from tui.presenters.reports.list_table import Choice, as_csv, choose, table
from tui.presenters.reports.troubles import troubles


def moment() -> Moment:
    fleet, deriver = FarFleet(is_local=True), Deriver()
    deriver.feed(fleet.frame())
    return deriver.feed(fleet.frame())


def test_the_table_begins_with_the_host() -> None:
    rows, _ = choose(moment(), Choice(sort="host"))
    lines = table(rows, 80, has_hosts=True).splitlines()
    assert lines[0].startswith("HOST ")
    assert [line.split()[0] for line in lines[1:]] == ["hv01"] * 10 + ["hv02"] * 10 + ["local"] * 10
    assert all(len(line) <= 80 for line in lines)


def test_csv_begins_with_the_host() -> None:
    of = moment()
    rows, _ = choose(of, Choice(query=parse("host=hv02")))
    found = list(csv.DictReader(io.StringIO(as_csv(of, rows))))
    assert list(found[0])[:3] == ["time", "host", "id"]
    assert {row["host"] for row in found} == {"hv02"}


def test_the_hosts_themselves_are_not_listed() -> None:
    rows, _ = choose(moment(), Choice())
    assert len(rows) == 30


def test_the_demo_has_as_many_hosts_as_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "specs", lambda *_: sources.demo(5, 7, hosts=3))
    printed = CliRunner().invoke(main, ["list", "--columns", "host,name", "--over", "0.2s", "--sort", "host"])
    assert printed.exit_code == 0, printed.output
    assert {line.split()[0] for line in printed.stdout.splitlines()[1:]} == {"hv01", "hv02", "hv03"}


def test_a_host_of_the_demo_comes_and_goes() -> None:
    now = [100.0]
    host = DemoHost("hv03", 5, comes_and_goes=True, clock=lambda: now[0])
    assert len(host.read().workloads) == 6
    now[0] += 100.0
    with pytest.raises(SourceDown, match="hv03"):
        host.read()
    now[0] += 120.0
    assert host.read().hosts["hv03"].cpus == 32


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("second has no sudo", "second has no sudo"),
        ("vmtop on second: the configuration is wrong", "vmtop on second: the configuration is wrong"),
        ("ssh to second: the connection ended", "ssh to second: the connection ended"),
        ("secondary is another one", "second: secondary is another one"),
        ("no answer yet", "second: no answer yet"),
    ],
)
def test_a_sentence_names_the_host_once(reason: str, sentence: str) -> None:
    state = SourceState("second", Availability.DOWN, reason=reason, remedy="ssh second")
    assert troubles([state]) == [f"{sentence} (fix: ssh second)"]


@pytest.mark.parametrize(("form", "is_printed"), [([], False), (["--json"], True), (["--csv"], True)])
def test_no_host_that_answers_makes_no_heads_of_a_table(
    form: list[str], is_printed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", place(tmp_path / "bin", "echo refused >&2; exit 255"))
    printed = CliRunner().invoke(main, ["list", "--host", "hv09", "--wait", "5", *form])
    assert printed.exit_code == 1
    assert printed.stderr.startswith("vmtop: ssh to hv09: refused")
    assert bool(printed.stdout) is is_printed
