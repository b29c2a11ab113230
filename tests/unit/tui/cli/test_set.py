"""`vmtop set` on the demo's workloads: what it prints, asks, refuses, and how it exits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from collectors.engines.demo.engine import demo_specs
from collectors.engines.demo.limits import DemoLimits
from collectors.model.errors import SourceDown
from collectors.sampling.source import SourceSpec
from tui.cli import main, sources
from tui.cli.exit_codes import DONE, NO_SUCH, REFUSED, UNKNOWN, USAGE

Run = Callable[..., Result]
WEB, VM, SERVICE = "blog-web-1", "db-primary", "sshd.service"


@pytest.fixture
def specs() -> list[SourceSpec]:
    return demo_specs(10, 7)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, specs: list[SourceSpec]) -> Run:
    monkeypatch.setattr(sources, "specs", lambda *_: specs)

    def invoke(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(main.main, ["set", *words], prog_name="vmtop", input=typed)

    return invoke


def lines(done: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_without_a_limit_those_that_are_there_are_printed(run: Run) -> None:
    done = run(WEB)
    assert done.exit_code == DONE, done.output
    assert "memory           1GiB" in done.stdout
    assert "cpu_weight       none" in done.stdout
    assert "vcpus" not in done.stdout
    assert "vcpus" in run(VM).stdout


def test_a_limit_is_set_and_both_values_are_told(run: Run) -> None:
    (before,) = (line["now"] for line in lines(run(WEB, "--json")) if line["limit"] == "memory")
    done = run(WEB, "memory=777M", "pids=9", "--yes", "--json")
    assert done.exit_code == DONE, done.output
    memory, pids = lines(done)
    assert (memory["limit"], memory["old"], memory["new"], memory["after"]) == (
        "memory",
        before,
        777 << 20,
        777 << 20,
    )
    assert (memory["schema"], memory["result"], memory["name"]) == ("vmtop.limits/1", "done", WEB)
    assert (pids["old"], pids["new"]) == (None, 9)
    assert "is already none" in run(WEB, "pids=none", "--yes").output


def test_what_is_protected_is_refused_and_the_others_are_done(run: Run) -> None:
    done = run(WEB, SERVICE, "cpu_weight=50", "--yes")
    assert done.exit_code == REFUSED, done.output
    assert "cpu_weight is 50, was none" in done.stdout
    assert "it is protected: it provides remote access" in done.stderr


def test_several_get_the_same_limits(run: Run) -> None:
    done = run(WEB, VM, "cpu_weight=50", "--yes")
    assert done.exit_code == DONE, done.output
    assert done.stdout.count("cpu_weight is 50, was none") == 2


def test_a_dry_run_says_all_and_does_nothing(run: Run) -> None:
    done = run(WEB, "cpu_weight=50", "--dry-run")
    assert done.exit_code == DONE
    assert "cpu_weight=50 (was none), until it is changed" in done.stdout
    assert f"the same by hand: demo set cpu_weight=50 {WEB}" in done.stdout
    (line,) = lines(run(WEB, "cpu_weight=50", "--dry-run", "--json"))
    assert (line["now"], line["new"], line["objection"]) == (None, 50, "")
    assert "result" not in line


def test_a_limit_below_what_it_uses_warns(run: Run) -> None:
    done = run(WEB, "memory=1M", "--yes")
    assert "it may be killed at once" in done.stderr
    assert done.exit_code == DONE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((WEB, "memory="), "memory=none takes the limit away"),
        ((WEB, "cpu=1", "cpu=2"), "cpu is given twice"),
        ((WEB, "cpuset=3-1"), "runs backwards"),
        ((WEB, "pids=0.5"), "write a whole number"),
        ((WEB, "cpu=nan"), "write a number of cores"),
        ((WEB, "colour=red"), "is no limit"),
        (("cpu=1",), "name a workload"),
        ((WEB, "cpu_weight=7"), "stdin is not a terminal; use --yes"),
    ],
)
def test_what_is_no_limit_is_a_mistake_of_usage(run: Run, words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.exit_code == USAGE, done.output
    assert said in done.output


def test_what_it_cannot_have_refuses_all_of_it(run: Run) -> None:
    done = run(WEB, "vcpus=2", "pids=9", "--yes")
    assert done.exit_code == REFUSED, done.output
    assert "only a virtual machine has virtual CPUs" in done.output
    (pids,) = (line["now"] for line in lines(run(WEB, "--json")) if line["limit"] == "pids")
    assert pids is None


def test_a_dry_run_says_of_every_limit_that_it_would_not_be_set(run: Run) -> None:
    done = run(WEB, "vcpus=2", "pids=9", "--dry-run")
    assert done.exit_code == REFUSED, done.output
    assert "  pids not done: vcpus cannot be set with it" in done.output
    assert "pids=9 (was" not in done.output


def test_a_name_of_nothing_is_told_and_nothing_is_done(run: Run) -> None:
    done = run("nobody", "cpu=1", "--yes")
    assert done.exit_code == NO_SUCH
    assert "nothing was done" in done.output.lower()


def test_a_configuration_that_only_reads_refuses_to_set_and_not_to_show(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "vmtop").mkdir()
    (tmp_path / "vmtop" / "config.toml").write_text("read_only = true\n")
    done = run(WEB, "cpu_weight=50", "--yes")
    assert (done.exit_code, "read_only = true" in done.output) == (REFUSED, True)
    assert run(WEB).exit_code == DONE
    assert run(WEB, "cpu_weight=50", "--dry-run").exit_code == DONE


def test_what_cannot_be_read_back_is_unknown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    send = DemoLimits.send

    def break_down(self: DemoLimits, *arguments: Any) -> None:
        send(self, *arguments)
        raise SourceDown("the connection was lost")

    monkeypatch.setattr(DemoLimits, "send", break_down)
    done = run(WEB, "cpu_weight=50", "--yes")
    assert done.exit_code == UNKNOWN, done.output
    assert "outcome unknown: the connection was lost" in done.output
