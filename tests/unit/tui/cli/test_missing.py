"""What was asked for and has not come makes the exit code, with a sentence; what nobody asked for does not."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from collectors.analysis.rates import Deriver, Moment
from collectors.model.workloads import Availability, Kind, SourceState, Workload
from collectors.query.filter import parse
from collectors.sampling.source import SourceSpec
from tests.helpers.strategies import frame, workload
from tui.cli.exit_codes import DONE, FAILED, NO_ANSWER
from tui.cli.missing import exit_code, report
from tui.cli.sampling import Wait
from tui.presenters import load
from tui.presenters.reports.list_table import Choice

NAMES = ("host", "cgroup", "docker", "libvirt", "systemd")
SPECS = [SourceSpec(name) for name in NAMES]
NAMED_DOCKER = [*SPECS[:2], SourceSpec("docker", {"url": "unix:///run/other.sock"}), *SPECS[3:]]


def moment(states: Mapping[str, Availability], readings: int = 2) -> Moment:
    """Make a moment whose sources are ok, and read, unless a state is given: then they have never answered."""
    sources = tuple(
        SourceState(name, states[name], "", "a reason")
        if name in states
        else SourceState(name, Availability.OK, read_at_ns=1, cost_ns=1)
        for name in NAMES
    )
    workloads: dict[Workload, dict[str, int]] = {workload("web"): {}, workload("db", Kind.VM, "qemu"): {}}
    deriver = Deriver()
    for number in range(readings):
        seen = deriver.feed(msgspec.structs.replace(frame(number + 1, workloads), sources=sources))
    return seen


LATE, DOWN, DENIED, ABSENT = Availability.WAITING, Availability.DOWN, Availability.DENIED, Availability.ABSENT


@pytest.mark.parametrize(
    ("states", "specs", "choice", "code"),
    [
        ({}, SPECS, None, DONE),
        ({"docker": LATE}, SPECS, None, DONE),
        ({"cgroup": LATE}, SPECS, None, NO_ANSWER),
        ({"host": LATE}, SPECS, None, NO_ANSWER),
        ({"cgroup": DOWN}, SPECS, None, FAILED),
        ({"cgroup": ABSENT}, SPECS, None, DONE),
        ({"docker": LATE}, NAMED_DOCKER, None, NO_ANSWER),
        ({"docker": DOWN}, NAMED_DOCKER, None, FAILED),
        ({"docker": DENIED}, NAMED_DOCKER, None, FAILED),
        ({"docker": ABSENT}, NAMED_DOCKER, None, FAILED),
        ({"docker": DOWN}, SPECS, None, DONE),
        ({"docker": LATE}, SPECS, Choice(query=parse("web")), NO_ANSWER),
        ({"docker": LATE}, SPECS, Choice(query=parse("label.app=web or cpu>5")), NO_ANSWER),
        ({"docker": LATE}, SPECS, Choice(query=parse("cpu>5 mem>1G")), DONE),
        ({"docker": LATE}, SPECS, Choice(query=parse("kind=vm db")), DONE),
        ({"docker": LATE}, SPECS, Choice(query=parse("kind=vm or kind=container")), NO_ANSWER),
        ({"docker": LATE}, SPECS, Choice(only="container"), NO_ANSWER),
        ({"docker": LATE}, SPECS, Choice(only="vm"), DONE),
        ({"libvirt": LATE}, SPECS, Choice(only="vm"), NO_ANSWER),
        ({"docker": DENIED}, SPECS, Choice(query=parse("web")), DONE),
    ],
)
def test_exit_code_depends_on_what_was_asked_for(
    states: dict[str, Availability], specs: list[SourceSpec], choice: Choice | None, code: int
) -> None:
    assert exit_code(moment(states), specs, choice) == code


def test_one_reading_of_the_kernel_is_too_few_for_rates(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(moment({}, readings=1), SPECS, Wait(30)) == NO_ANSWER
    assert "cgroup has not been read twice, as rates need, in 0 s" in capsys.readouterr().err


def test_nothing_read_at_all_is_a_failure() -> None:
    seen = moment({"cgroup": ABSENT})
    bare = Deriver().feed(msgspec.structs.replace(seen.frame, samples={}, workloads={}))
    assert exit_code(bare, SPECS) == FAILED


def test_the_sentence_names_the_source_the_wait_the_load_and_the_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("os.getloadavg", lambda: (40.2, 1.0, 1.0))
    wait = Wait(30)
    wait.passed_s = 30.1
    report(moment({"docker": LATE}), SPECS, wait)
    assert capsys.readouterr().err == (
        "vmtop: docker has not answered in 30 s (load 40 on 2 cores); it may be slow or hang: "
        "wait longer with --wait 120, or try again when this host is less busy\n"
    )
    monkeypatch.setattr("os.getloadavg", lambda: (0.2, 1.0, 1.0))
    report(moment({"docker": LATE}), SPECS, wait)
    assert capsys.readouterr().err == (
        "vmtop: docker has not answered in 30 s; it may hang: check it, or wait longer with --wait 120\n"
    )


def test_an_engine_that_was_named_and_is_absent_is_said_to_be_so(capsys: pytest.CaptureFixture[str]) -> None:
    report(moment({"docker": ABSENT, "libvirt": ABSENT}), NAMED_DOCKER, Wait())
    assert capsys.readouterr().err == "vmtop: docker: a reason\n"


def test_load_is_not_mentioned_while_the_cores_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr("os.getloadavg", lambda: (1.0, 0.0, 0.0))
    assert load.load_words() == ""
    monkeypatch.setattr("os.getloadavg", lambda: (2.6, 0.0, 0.0))
    assert load.load_words() == " (load 3 on 1 core)"
