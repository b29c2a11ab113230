"""The programs of alerts: what they are told, how many wait, and what becomes of those that fail or hang."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.alerts.alert import Alert, Subject
from collectors.alerts.condition import parse_condition
from collectors.alerts.rule import Level, Rule
from collectors.safety.sanitize import sanitize_name
from tests.helpers.hostile_text import TEXTS
from tests.helpers.lab.process import wait_until
from tests.helpers.strategies import HOST, workload
from tui.controllers import alert_programs as module
from tui.controllers.alert_programs import AlertPrograms, variables


def alert(*run: str, name: str = "web", is_of_source: bool = False) -> Alert:
    rule = Rule("busy", parse_condition("cpu > 90"), None, Level.CRITICAL, "too much is asked of it", tuple(run))
    described = None if is_of_source else workload(name, image="shop/web:1")
    subject = Subject(HOST, "docker") if described is None else Subject(described.id)
    return Alert(rule, subject, "docker" if described is None else name, 1.0, "cpu 99%", described)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def programs(told: list[str]) -> Iterator[AlertPrograms]:
    made = AlertPrograms(told.append)
    yield made
    made.close()


def ended(told: list[str], count: int = 1) -> list[str]:
    wait_until(lambda: len(told) >= count, 60, f"{count} sentences")
    return told


def test_a_program_is_told_the_alert_and_the_workload_by_its_environment(
    programs: AlertPrograms, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    programs.run(alert("sh", "-c", f"env >{out}.new; mv {out}.new {out}", "{name}"))
    wait_until(out.exists, 60, "the program's file")
    found = dict(line.split("=", 1) for line in out.read_text().splitlines() if line.startswith("VMTOP_"))
    expected = {
        "VMTOP_ALERT": "busy",
        "VMTOP_LEVEL": "critical",
        "VMTOP_SUBJECT": "web",
        "VMTOP_TEXT": "too much is asked of it (cpu 99%)",
        "VMTOP_NAME": "web",
        "VMTOP_KIND": "container",
        "VMTOP_ENGINE": "docker",
        "VMTOP_STATE": "running",
        "VMTOP_IMAGE": "shop/web:1",
    }
    assert {name: found.get(name) for name in expected} == expected


def test_an_alert_about_a_source_has_no_workload_in_its_environment() -> None:
    made = variables(alert("x", is_of_source=True))
    own = {name: value for name, value in made.items() if name.startswith("VMTOP_") and name not in os.environ}
    assert sorted(own) == ["VMTOP_ALERT", "VMTOP_LEVEL", "VMTOP_SUBJECT", "VMTOP_TEXT"]
    assert own["VMTOP_SUBJECT"] == "docker"


def test_what_the_workload_says_never_hides_what_the_alert_says() -> None:
    made = variables(alert("x", name="VMTOP_ALERT"))
    assert (made["VMTOP_ALERT"], made["VMTOP_SUBJECT"], made["VMTOP_NAME"]) == ("busy", "VMTOP_ALERT", "VMTOP_ALERT")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_hostile_name_reaches_a_program_as_one_value_or_not_at_all(
    programs: AlertPrograms, told: list[str], tmp_path: Path, text: str
) -> None:
    name, out = sanitize_name(text), tmp_path / "out"
    script = f"""
import os, sys
print(repr((sys.argv[1:], os.environ["VMTOP_SUBJECT"])), file=open({str(out)!r}, "w"))
sys.exit(3)
"""
    programs.run(alert(sys.executable, "-c", script, "{name}", name=name))
    (sentence,) = ended(told)
    if out.exists():
        assert out.read_text() == repr(([name], name)) + "\n"
    else:
        assert "was not run: " in sentence
    assert sentence.isprintable()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("sh", "-c", "echo no such channel; exit 4"), "busy: sh ended with exit code 4: no such channel"),
        (("sh", "-c", "exit 4"), "busy: sh ended with exit code 4"),
        (("sh", "-c", "kill -9 $$"), "busy: sh ended by SIGKILL"),
        (("/no/such/program",), "busy: /no/such/program cannot be run: No such file or directory"),
    ],
)
def test_a_program_that_fails_is_told(
    programs: AlertPrograms, told: list[str], words: tuple[str, ...], sentence: str
) -> None:
    programs.run(alert(*words))
    assert ended(told) == [sentence]


def test_a_placeholder_of_a_workload_is_of_no_use_for_a_source(programs: AlertPrograms, told: list[str]) -> None:
    programs.run(alert("notify", "{name}", is_of_source=True))
    assert ended(told) == ["busy: notify was not run: {name} is that of a workload, and this is about none"]


def test_a_program_that_hangs_is_killed_and_told(
    programs: AlertPrograms, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    programs.run(alert("sleep", "1000"))
    assert ended(told) == ["busy: sleep took longer than 0.2 s and was killed"]


def test_a_hundred_wait_and_what_is_more_is_told_once(
    programs: AlertPrograms, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAITING_AT_MOST", 3)
    gate = tmp_path / "gate"
    waiting = alert("sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.05; done; echo x >>{tmp_path}/ran")
    for count in range(module._AT_ONCE):
        programs.run(waiting)
        wait_until(lambda: not programs._waiting, 60, f"the start of {count + 1}")
    for _ in range(10):
        programs.run(waiting)
    assert told == ["busy: not run, as the programs of 3 alerts wait for their turn"]
    gate.touch()
    wait_until(lambda: programs._threads == 0, 60, "the end of all")
    assert (tmp_path / "ran").read_text().count("x") == module._AT_ONCE + 3
    assert len(told) == 1


def test_after_the_end_none_is_run(programs: AlertPrograms, told: list[str]) -> None:
    programs.close()
    programs.run(alert("false"))
    assert (programs._threads, told) == (0, [])


def test_one_that_runs_does_not_keep_vmtop_from_ending_and_is_left_to_its_end(tmp_path: Path) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done"
    script = f"touch {tmp_path}/begun; while [ ! -e {gate} ]; do sleep 0.05; done; touch {done}"
    code = f"""
import os, time
from tests.unit.tui.controllers.test_alert_programs import alert
from tui.controllers.alert_programs import AlertPrograms
programs = AlertPrograms()
programs.run(alert("sh", "-c", {script!r}))
while not os.path.exists({str(tmp_path / "begun")!r}):
    time.sleep(0.05)
programs.close()
"""
    try:
        subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
        assert not done.exists()
    finally:
        gate.touch()
    wait_until(done.exists, 60, "the program's own end")


def test_without_a_program_nothing_is_started(programs: AlertPrograms) -> None:
    programs.run(alert())
    assert programs._threads == 0
