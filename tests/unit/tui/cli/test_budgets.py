"""`vmtop compare --fail-if`: exit codes, sentences, and what pipelines read."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result

from collectors.model.workloads import Kind, Workload
from tests.helpers.junit import cases
from tests.helpers.strategies import frame, workload
from tests.unit.collectors.session.test_session_file import write
from tui.cli.exit_codes import DONE, FAILED, NO_SUCH, NOT_MEASURABLE, OVER_BUDGET, USAGE
from tui.cli.main import main

MIB = 1 << 20


def record(path: Path, level_mib: float, seconds: int = 60, described: Workload | None = None, seed: int = 1) -> str:
    """Write a recording of a workload whose memory scatters by 2 % around a level."""
    random, described = Random(seed), described or workload("web")  # noqa: S311  # to be repeated
    frames = []
    for second in range(seconds):
        held = int(level_mib * MIB * (1 + random.gauss(0, 0.02)))
        frames.append(frame(10.0 + second, {described: {"memory_charged_bytes": held, "cpu_total_ns": second * 10**7}}))
    return str(write(path, frames))


@pytest.fixture
def before(tmp_path: Path) -> str:
    return record(tmp_path / "main.gz", 100.0)


@pytest.fixture
def after(tmp_path: Path) -> str:
    return record(tmp_path / "pr.gz", 120.0, seed=2)


def judge(*arguments: str, conditions: tuple[str, ...] = ("mem > +10%",), env: dict[str, str] | None = None) -> Result:
    words = [word for condition in conditions for word in ("--fail-if", condition)]
    return CliRunner().invoke(main, ["compare", *arguments, "--past", *words], prog_name="vmtop", env=env)


def test_a_budget_that_is_exceeded_has_an_exit_code_and_a_sentence(before: str, after: str) -> None:
    result = judge("web", "--session", before, "--session", after)
    assert result.exit_code == OVER_BUDGET
    first, second = result.stdout.splitlines()
    assert first == "over budget: web: mem > +10%"
    assert second.startswith("  mean of MEM was 100M and is 119M: +1")
    assert second.endswith("(99 % certain, from 12 and 12 windows of 5.0s)")


def test_a_budget_that_is_kept_exits_with_zero(before: str, after: str) -> None:
    result = judge("web", "--session", before, "--session", after, conditions=("mem > +30%", "cpu > 80%"))
    assert result.exit_code == DONE
    assert [line.split(":")[0] for line in result.stdout.splitlines()[::2]] == ["within budget"] * 2


def test_one_budget_that_is_exceeded_counts_more_than_one_that_is_unknown(before: str, after: str) -> None:
    both = ("mem > +10%", "steal > 5%")
    assert judge("web", "--session", before, "--session", after, conditions=both).exit_code == OVER_BUDGET
    result = judge("web", "--session", before, "--session", after, conditions=("mem > +30%", "steal > 5%"))
    assert result.exit_code == NOT_MEASURABLE
    assert "not measurable: web: steal > 5%\n  STEAL% is not measured in the recording" in result.stdout


def test_a_recording_that_is_too_short_is_not_measurable(before: str, tmp_path: Path) -> None:
    short = record(tmp_path / "short.gz", 100.0, seconds=12)
    result = judge("web", "--session", before, "--session", short)
    assert result.exit_code == NOT_MEASURABLE
    assert "the shorter recording has 12 s of it" in result.stdout
    by_window = judge("web", "--session", before, "--session", before, "--window", "12s")
    assert by_window.exit_code == NOT_MEASURABLE, "the last 12 seconds of a long one are as short"


def test_a_workload_that_is_in_neither_or_one_recording_is_not_measurable(before: str, after: str) -> None:
    result = judge("db", "--session", before, "--session", after)
    assert result.exit_code == NOT_MEASURABLE
    assert "not measurable: db: mem > +10%\n  it is not in the second recording" in result.stdout
    one = judge("db", "web", "--session", before, "--session", after)
    assert "it is not in the first recording" in one.stdout


def test_a_machine_and_a_container_of_other_names_are_compared(tmp_path: Path) -> None:
    container = record(tmp_path / "ct.gz", 100.0)
    machine = record(tmp_path / "vm.gz", 150.0, described=workload("web-vm", Kind.VM, "libvirt"), seed=3)
    result = judge("web", "web-vm", "--session", container, "--session", machine)
    assert result.exit_code == OVER_BUDGET
    assert result.stdout.startswith("over budget: web-vm:")


def test_two_workloads_of_one_recording_are_compared_and_one_has_a_bound(before: str) -> None:
    assert judge("web", "web", "--session", before).exit_code == DONE
    assert judge("web", "--session", before, conditions=("mem.max > 50M",)).exit_code == OVER_BUDGET


def test_a_name_of_several_workloads_is_refused(tmp_path: Path) -> None:
    twins = [workload("web"), workload("web", Kind.VM, "libvirt")]
    frames = [frame(10.0 + second, {twin: {"memory_charged_bytes": 5} for twin in twins}) for second in range(40)]
    path = str(write(tmp_path / "twins.gz", frames))
    result = judge("web", "--session", path, conditions=("mem > 5M",))
    assert result.exit_code == NO_SUCH
    assert "specify one of them" in result.stderr
    assert judge("vm:web", "--session", path, conditions=("mem > 5M",)).exit_code == DONE


def test_verdicts_are_written_for_pipelines(before: str, after: str, tmp_path: Path) -> None:
    junit, summary = tmp_path / "out.xml", tmp_path / "summary.md"
    conditions = ("mem > +10%", "mem > +30%", "steal > 5%")
    words = ("web", "--session", before, "--session", after, "--junit", str(junit), "--summary")
    result = judge(*words, conditions=conditions, env={"GITHUB_STEP_SUMMARY": str(summary)})
    assert result.exit_code == OVER_BUDGET
    assert [(case.name, case.outcome) for case in cases(junit.read_text())] == [
        ("web: mem > +10%", "failure"),
        ("web: mem > +30%", "passed"),
        ("web: steal > 5%", "error"),
    ]
    assert summary.read_text().count("\n| ") == 4


def test_a_verdict_counts_more_than_the_file_that_cannot_be_written(before: str, after: str) -> None:
    sessions = ("web", "--session", before, "--session", after, "--junit", "/proc/out.xml")
    result = judge(*sessions)
    assert (result.exit_code, "/proc/out.xml cannot be written" in result.stderr) == (OVER_BUDGET, True)
    assert judge(*sessions, conditions=("mem > +30%",)).exit_code == FAILED


def test_the_document_has_every_number_and_null_for_what_is_unknown(before: str, after: str) -> None:
    conditions = ("mem > +10%", "steal > 5%")
    result = judge("web", "--session", before, "--session", after, "--json", conditions=conditions)
    told = json.loads(result.stdout)
    assert told["schema"] == "vmtop.budget/1"
    assert told["sides"][0] == {"session": before, "name": "web", "is_there": True}
    known, unknown = told["conditions"]
    assert known["outcome"] == "failed"
    assert 10 < known["low"] < 20 < known["high"] + 2
    assert known["windows"] == [12, 12]
    assert (unknown["outcome"], unknown["first"], unknown["second"], unknown["low"]) == ("unknown", None, None, None)
    assert "not measured" in unknown["sentence"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("web", "--fail-if", "mem > +10%"), "add --past"),
        (("web", "--past", "--session", "a.gz", "--fail-if", "mem > +10%"), "a second --session, or a second NAME"),
        (("--past", "--session", "a.gz", "--fail-if", "mem > 1G"), "one NAME, or two"),
        (("a", "b", "c", "--past", "--session", "a.gz", "--fail-if", "mem > 1G"), "one NAME, or two"),
        (("web", "--past", "--session", "a.gz", "--fail-if", "mem > lots"), "--fail-if: 'mem' is compared with"),
        (("web", "--past", "--session", "a.gz", "--stat", "max", "--fail-if", "mem > 1G"), "mem.p95"),
        (("web", "--past", "--session", "a.gz", "--junit", "a.xml"), "they need --fail-if"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(arguments: tuple[str, ...], words: str) -> None:
    result = CliRunner().invoke(main, ["compare", *arguments], prog_name="vmtop")
    assert result.exit_code == USAGE
    assert words in " ".join(result.stderr.split())


def test_a_recording_that_is_not_there_is_an_error_and_no_verdict(before: str, tmp_path: Path) -> None:
    result = judge("web", "--session", before, "--session", str(tmp_path / "none.gz"))
    assert result.exit_code == FAILED
    assert result.stdout == ""
