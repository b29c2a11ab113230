"""`vmtop list`: names, columns, forms that exclude each other, what xargs gets, and repeated lists."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator

import click
import jsonschema
import msgspec
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from collectors.actions.targets import find
from collectors.analysis.rates import Deriver
from collectors.model.metrics import METRICS
from collectors.model.workloads import Availability, Kind, SourceState, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.strategies import frame, workload
from tests.unit.tui.cli.test_main import SCHEMA, start
from tui.cli import main, sources
from tui.cli.commands.workloads import list as list_command
from tui.cli.exit_codes import DONE, FAILED, NO_ANSWER, NO_SUCH
from tui.cli.missing import nameless
from tui.presenters.reports.list_columns import UnknownColumn, parse_columns
from tui.presenters.reports.list_table import as_names


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main.main, ["list", *arguments], prog_name="vmtop")


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands read a fleet that does not exist, without measuring for long."""
    monkeypatch.setattr(sources, "specs", lambda *_: sources.demo(20, 7))


def show(monkeypatch: pytest.MonkeyPatch, *seen: Workload, **states: Availability) -> None:
    """Let the commands read these workloads, and sources in these states."""
    names = ("host", "cgroup", "docker", "libvirt")
    state = tuple(
        SourceState(name, states[name], "", "a reason")
        if name in states
        else SourceState(name, Availability.OK, read_at_ns=1, cost_ns=1)
        for name in names
    )
    deriver = Deriver()
    for number in (1, 2):
        raw = frame(number, {one: {} for one in seen})
        moment = deriver.feed(msgspec.structs.replace(raw, sources=state))
    monkeypatch.setattr(sources, "specs", lambda *_: [SourceSpec(name) for name in names])
    monkeypatch.setattr(list_command, "gather", lambda *_: moment)


WEB = workload("web")
STOPPED = workload("db-1", state=State.STOPPED)
MACHINE = workload("db-2", Kind.VM, "qemu")


def test_names_and_patterns_choose_also_what_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch, WEB, STOPPED, MACHINE)
    assert sorted(run("--quiet", "db-*").stdout.split()) == ["db-1", "db-2"]
    assert run("-q", "web", "vm:db-*").stdout.split() == ["db-2", "web"]
    assert run("-q").stdout.split() == ["db-2", "web"], "without a name, what is stopped is left out"


def test_a_name_of_several_workloads_means_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch, WEB, workload("web", Kind.VM, "qemu"))
    done = run("web", "--no-header")
    assert (done.exit_code, len(done.stdout.splitlines())) == (DONE, 2)


def test_an_unknown_name_is_reported_with_what_may_be_meant_and_the_rest_is_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    show(monkeypatch, WEB, MACHINE)
    done = run("-q", "wbe", "db-2", "z*")
    assert done.exit_code == NO_SUCH
    assert done.stdout == "db-2\n"
    assert "wbe: no such workload" in done.stderr
    assert "z*: no such workload" in done.stderr
    assert "did you mean vm:db-2?" in run("db-").stderr


def test_a_name_that_a_silent_source_could_know_is_not_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch, WEB, docker=Availability.WAITING)
    done = run("container:api")
    assert done.exit_code == NO_ANSWER
    assert "container:api: docker has not answered for 0 s and could know that name (use" in done.stderr
    show(monkeypatch, WEB, docker=Availability.DOWN)
    assert "docker has not answered for 0 s (a reason) and could know that name" in run("container:api").stderr


@pytest.mark.usefixtures("fleet")
def test_columns_are_those_that_are_asked_for_in_their_order() -> None:
    head, first, *_ = run("--columns", "cpu,NAME, memory_host_bytes,image", "--over", "100ms").stdout.splitlines()
    assert head.split() == ["CPU%", "NAME", "MEM", "IMAGE"]
    float(first.split()[0])
    rows = run("--csv", "--columns", "name,mem", "--no-header", "--limit", "2", "--over", "0.1").stdout.splitlines()
    assert [row.count(",") for row in rows] == [2, 2], "the time, and what was asked for"


@given(typed=st.text(max_size=30))
def test_columns_are_parsed_or_refused_in_a_sentence(typed: str) -> None:
    try:
        columns = parse_columns(typed)
    except UnknownColumn as error:
        reason = str(error)
        assert reason.isprintable()
    else:
        assert columns


REFUSED = [
    (["--json", "--csv"], "--json and --csv exclude each other"),
    (["-q", "--json"], "--json and --quiet exclude each other"),
    (["-q", "--columns", "name"], "exclude each other"),
    (["--json", "--columns", "name"], "--json and --columns exclude each other"),
    (["--watch", "--over", "2s"], "--over and --watch exclude each other"),
    (["--columns", "nmae"], "there is no column 'nmae'; did you mean 'name'?"),
    (["--columns", ","], "no column is named"),
    (["--over", "1ms"], "too short"),
    (["--over", "soon"], "invalid duration"),
]


@pytest.mark.parametrize(("arguments", "reason"), REFUSED, ids=[" ".join(words) for words, _ in REFUSED])
@pytest.mark.usefixtures("fleet")
def test_what_cannot_be_meant_is_refused_in_a_sentence(arguments: list[str], reason: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_column_that_nothing_could_be_measured_for_makes_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch, MACHINE, libvirt=Availability.DOWN)
    done = run("--columns", "name,vcpu")
    assert done.exit_code == FAILED
    assert "VCPU% could not be measured for any workload: libvirt cannot be read: a reason" in done.stderr
    assert run("--sort", "vcpu").exit_code == FAILED
    show(monkeypatch, MACHINE, libvirt=Availability.WAITING)
    assert run("--columns", "name,vcpu").exit_code == NO_ANSWER


def test_a_column_that_no_workload_has_is_not_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch, WEB)
    assert run("--columns", "name,vcpu,limit").exit_code == DONE


@pytest.mark.usefixtures("fleet")
def test_order_is_reversed_with_the_unknown_last() -> None:
    cells = [row.strip() for row in run("--columns", "cpu", "--reverse", "--no-header").stdout.splitlines()]
    known = [float(cell) for cell in cells if cell != "-"]
    assert known == sorted(known)
    assert cells[: len(known)] == [cell for cell in cells if cell != "-"]


NAMES = st.text(alphabet=st.sampled_from("ab-_.: '\"\\$*é\n"), min_size=1, max_size=6)


@given(names=st.lists(NAMES, min_size=1, max_size=6))
def test_each_line_of_quiet_means_one_workload_and_survives_xargs(names: list[str]) -> None:
    kinds = ((Kind.VM, "qemu"), (Kind.CONTAINER, "docker"))
    made = [(name, *kind) for number, name in enumerate(names) for kind in kinds[: 1 + number % 2]]
    seen = [
        msgspec.structs.replace(workload(name, kind, engine), id=WorkloadId(engine, f"{number:064x}"))
        for number, (name, kind, engine) in enumerate(made)
    ]
    moment = Deriver().feed(frame(1, {one: {} for one in seen}))
    readings = list(moment.readings.values())
    lines = as_names(moment, readings).splitlines()
    assert len(lines) == len(readings)
    for line, reading in zip(lines, readings, strict=True):
        assert not set(line) & set(" '\"\\$*\n")
        assert find(line, moment.frame.workloads.values()) == reading.workload


def test_json_says_over_how_long_rates_are_and_why_values_are_missing(fleet: None) -> None:
    document = json.loads(run("--json", "--over", "0.3").stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["rates_over_seconds"] >= 0.27
    for one in document["workloads"]:
        assert set(one["reasons"]) == {key for key, value in one["metrics"].items() if value is None} <= set(METRICS)
        assert all(one["reasons"].values())


def test_repeated_lists_are_one_below_the_other_or_a_line_of_json_each() -> None:
    tables = start("list", "--watch", "0.2", "--limit", "2")
    assert tables.stdout is not None
    lines = [line.split(maxsplit=1)[:1] for line in itertools.islice(tables.stdout, 7)]
    assert [line[0] if line else "" for line in lines][::4] == ["NAME", "NAME"]
    assert lines[3] == []
    assert_ends_quietly(tables)
    documents = start("list", "--watch", "0.2", "--json", "--limit", "2")
    assert documents.stdout is not None
    for line in itertools.islice(documents.stdout, 2):
        jsonschema.validate(json.loads(line), SCHEMA)
    assert_ends_quietly(documents)


def assert_ends_quietly(process: subprocess.Popen[str]) -> None:
    """Close the pipe that a process writes to."""
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr.read() == ""


def test_watch_takes_a_span_only_where_one_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[float, tuple[str, ...]]] = []

    def watch(_: object, choice: object, *rest: float) -> int:
        calls.append((rest[-1], choice.names))  # type: ignore[attr-defined]
        return 0

    monkeypatch.setattr(list_command, "_watch", watch)
    for words in (["--watch"], ["--watch", "web"], ["--watch", "5", "web"], ["web", "--watch", "--all"]):
        assert run(*words).exit_code == 0
    assert calls == [(2.0, ()), (2.0, ("web",)), (5.0, ("web",)), (2.0, ("web",))]


def completions(*words: str) -> Iterator[str]:
    """Complete the last word."""
    complete = ShellComplete(main.main, {}, "vmtop", "_VMTOP_COMPLETE")
    return (item.value for item in complete.get_completions(list(words[:-1]), words[-1]))


@pytest.mark.usefixtures("fleet")
def test_shell_completes_names_columns_and_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.cli.completion.workload_names.hurry", lambda: None)
    assert "db-primary" in set(completions("list", "db"))
    assert set(completions("stop", "vm:db")) == {"vm:db-primary", "vm:db-replica"}
    assert "name,mem" in set(completions("list", "--columns", "name,m"))
    assert "cpu" in set(completions("list", "--sort", "c"))
    assert isinstance(main.main, click.Group)


@pytest.mark.parametrize(
    ("availability", "is_named", "sentence"),
    [
        (
            Availability.ABSENT,
            False,
            "docker: no Docker socket at /x: the names of 2 containers are unknown; give --docker, or see vmtop doctor",
        ),
        (Availability.ABSENT, True, ""),
        (Availability.OK, False, ""),
    ],
)
def test_without_an_engine_one_sentence_says_whose_names_are_unknown(
    availability: Availability, is_named: bool, sentence: str
) -> None:
    seen = [msgspec.structs.replace(workload(name), name_is_known=is_named) for name in ("a", "b")]
    state = SourceState("docker", availability, reason="no Docker socket at /x")
    moment = Deriver().feed(msgspec.structs.replace(frame(1, {one: {} for one in seen}), sources=(state,)))
    assert nameless(moment, [SourceSpec("docker", {"url": None})]) == sentence


def test_quiet_prints_the_name_of_a_service_that_is_no_unit() -> None:
    seen = msgspec.structs.replace(
        workload("process_api", Kind.SERVICE, "cgroup"), id=WorkloadId("cgroup", "/process_api")
    )
    moment = Deriver().feed(frame(1, {seen: {}}))
    assert as_names(moment, list(moment.readings.values())) == "process_api\n"
    assert find("process_api", [seen]) == seen
