"""`logs`, `top`, `inspect` and `exec` without engines: what is printed where, and how they fail."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from collectors.inspection import processes
from collectors.inspection.raw_description import Document
from collectors.model.console import RunningCommand
from collectors.model.details import Column, Details, Page, Table
from collectors.model.errors import AccessDenied, SourceAbsent, SourceError, WorkloadGone
from collectors.model.logs import LogLine
from collectors.model.metrics import Unit
from collectors.model.workloads import Workload
from tests.helpers.strategies import workload
from tui.cli import main
from tui.cli.commands.workloads.top import SORT_KEYS
from tui.cli.exit_codes import DONE, FAILED, NO_SUCH, NOT_ALLOWED, USAGE
from tui.cli.work import exec as exec_command
from tui.cli.work import inspect as inspect_command
from tui.cli.work import logs as logs_command
from tui.cli.work import top as top_command
from tui.presenters.processes.table import OF_WORKLOAD

WEB, DB = workload("web"), workload("db")
COMMANDS = (logs_command, top_command, inspect_command, exec_command)


class FakeLog:
    """A log of numbered lines, ten seconds apart; two more are written when it is followed."""

    title = "a log of a test's"

    def __init__(self, count: int, workloads: int = 1) -> None:
        now = time.time()
        self.lines = [
            LogLine(number, now - 10 * (count - number) - 5, False, f"line {number}", workload=number % workloads)
            for number in range(count)
        ]
        self.is_closed = False
        self.at_once = 1000

    def last(self, count: int) -> list[LogLine]:
        return self.lines[-min(count, self.at_once) :]

    def first(self, count: int) -> list[LogLine]:
        return self.lines[:count]

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return self.lines[: line.position][-min(count, self.at_once) :]

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return self.lines[line.position + 1 :][:count]

    def until(self, wall: float, count: int) -> list[LogLine]:
        return [line for line in self.lines if (line.at or 0) <= wall][-count:]

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        yield from self.lines[0 if line is None else int(line.position) + 1 :]

    def interrupt(self) -> None:
        """Nothing is read for long."""

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        yield from (LogLine(0, None, False, f"new {number}") for number in (1, 2))

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name stand for the workload of that name."""
    for module in COMMANDS:
        monkeypatch.setattr(module, "find_workloads", lambda names, *_: [workload(name) for name in names])


def run(*arguments: str) -> Result:
    """Run the command in this process, without a terminal."""
    return CliRunner().invoke(main.main, arguments, prog_name="vmtop")


def open_fake(monkeypatch: pytest.MonkeyPatch, log: FakeLog) -> None:
    """Let this be the log that is opened."""
    monkeypatch.setattr(logs_command, "open_logs", lambda *_: log)


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
def test_logs_of_any_length_are_printed_in_full(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    log = FakeLog(count)
    open_fake(monkeypatch, log)
    done = run("logs", "web")
    assert (done.exit_code, done.stderr) == (DONE, "")
    assert done.stdout.splitlines() == [f"line {number}" for number in range(count)]
    assert log.is_closed


def test_the_last_lines_are_all_there_also_where_a_log_gives_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    log = FakeLog(100)
    log.at_once = 7
    open_fake(monkeypatch, log)
    assert run("logs", "web", "--tail", "50").stdout.splitlines() == [f"line {number}" for number in range(50, 100)]
    assert len(run("logs", "web", "--tail", "500").stdout.splitlines()) == 100


def test_logs_are_limited_followed_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    open_fake(monkeypatch, FakeLog(50))
    assert run("logs", "web", "--tail", "2", "-f").stdout.splitlines() == ["line 48", "line 49", "new 1", "new 2"]
    assert run("logs", "web", "--tail", "0", "-f").stdout.splitlines() == ["new 1", "new 2"]
    assert run("logs", "web", "--since", "30s").stdout.splitlines() == ["line 48", "line 49"]
    assert len(run("logs", "web", "--since", "1h").stdout.splitlines()) == 50
    open_fake(monkeypatch, FakeLog(4, workloads=2))
    assert run("logs", "web", "db").stdout.splitlines() == [
        "web | line 0",
        "db  | line 1",
        "web | line 2",
        "db  | line 3",
    ]
    assert " web | line 0" in run("logs", "-t", "web", "db").stdout.splitlines()[0]


def test_contradictions_and_bad_times_are_refused() -> None:
    assert "exclude each other" in run("logs", "web", "--tail", "1", "--since", "1m").stderr
    assert "is not a time" in run("logs", "web", "--since", "soon").stderr
    assert "exclude each other" in run("top", "web", "--watch", "--over", "2s").stderr
    assert "needs a terminal" in run("exec", "web").stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SourceAbsent("there is no log"), FAILED),
        (SourceError("broken \x1b]0;title\x07"), FAILED),
        (AccessDenied("not yours", "sudo vmtop"), NOT_ALLOWED),
        (WorkloadGone("the engine no longer has it"), NO_SUCH),
    ],
)
def test_what_cannot_be_read_is_one_sentence_with_its_fix_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: SourceError, code: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(logs_command, "open_logs", fail)
    monkeypatch.setattr(inspect_command, "read_document", fail)
    monkeypatch.setattr(exec_command, "run_command", fail)
    for words in (("logs", "web"), ("inspect", "web"), ("exec", "web", "--", "ls")):
        done = run(*words)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (code, "", 1)
        assert done.stderr.startswith("vmtop: web: ")
        assert "\x1b" not in done.stderr
        assert not error.remedy or f"(fix: {error.remedy})" in done.stderr


def test_inspect_prints_the_text_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_command, "read_document", lambda *_: Document("inspection", ('{"a":', "1}")))
    assert run("inspect", "web").stdout == '{"a":\n1}\n'
    assert '"schema": "vmtop.inspect/1"' in run("inspect", "--json", "web", "db").stdout


def test_top_prints_the_second_reading_of_a_remote_engine_or_why_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = (Column("PID", Unit.COUNT), Column("COMMAND"))
    readings = itertools.count(1)

    class Reader:
        def __init__(self, *_: object) -> None: ...

        def read(self, _: Workload) -> Details:
            return Details(0, (Table(Page.PROCESSES, "processes", columns, ((next(readings), "sleep"),)),))

    monkeypatch.setattr(top_command, "DetailsReader", Reader)
    rows = run("top", "web", "--over", "0.1").stdout.splitlines()
    assert [row.split() for row in rows[1:]] == [["PID", "COMMAND"], ["2", "sleep"]]
    monkeypatch.setattr(Reader, "read", lambda *_: Details(0, (), ("no right",)))
    done = run("top", "web", "--over", "0.1")
    assert (done.exit_code, done.stdout, done.stderr) == (FAILED, "", "vmtop: web: no right\n")


def test_top_shows_the_processes_of_a_group_on_this_host(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path("/proc/self/cgroup").read_text().splitlines()[0].rpartition(":")[2]
    monkeypatch.setattr(top_command, "find_workloads", lambda *_: [workload("here", cgroup=here)])
    monkeypatch.setattr(processes, "pids_below", lambda _: [os.getpid()])
    head, row = run("top", "here", "--over", "0.1", "--sort", "memory").stdout.splitlines()
    assert "PID" in head
    assert "COMMAND" in head
    assert row.split()[0] == str(os.getpid())
    monkeypatch.setattr(processes, "pids_below", lambda _: [])
    done = run("top", "here", "--over", "0.1")
    assert (done.exit_code, done.stdout) == (FAILED, "")
    assert "it has no process that this user may see" in done.stderr


@pytest.mark.parametrize("is_terminal", [True, False])
def test_what_a_command_writes_cannot_steer_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], is_terminal: bool
) -> None:
    hostile = b"\x1b]0;title\x07 \xc2\x9b31m \xff ok\t\r\n"

    class Hostile:
        def output(self) -> Iterator[tuple[bool, bytes]]:
            yield from ((False, hostile), (True, hostile))

        def exit_code(self) -> int:
            return 0

        def close(self) -> None: ...

    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: is_terminal)
    assert exec_command._run(Hostile()) == 0
    for written in capfdbinary.readouterr():
        assert written == (b"?]0;title? ?31m \xff ok\t\r\n" if is_terminal else hostile)


def test_exec_passes_on_both_streams_and_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Running:
        def output(self) -> Iterator[tuple[bool, bytes]]:
            yield from ((False, b"out\n"), (True, b"err\n"))

        def exit_code(self) -> int:
            return 42

        def close(self) -> None: ...

    typed: list[Sequence[str]] = []

    def start(_: Workload, words: Sequence[str], *rest: object) -> RunningCommand:
        typed.append(words)
        return Running()

    monkeypatch.setattr(exec_command, "run_command", start)
    done = run("exec", "web", "--", "sh", "-c", "exit 42", "--json")
    assert (done.exit_code, done.stdout, done.stderr) == (42, "out\n", "err\n")
    assert typed == [("sh", "-c", "exit 42", "--json")]


def test_without_a_terminal_exec_says_what_needs_one_and_what_does_not() -> None:
    done = run("exec", "web")
    assert (done.exit_code, done.stdout) == (USAGE, "")
    assert "a shell or a console needs a terminal; in a container, a command after -- needs none" in done.stderr


def test_top_sorts_by_the_columns_that_its_table_has() -> None:
    assert tuple(column.key for column in OF_WORKLOAD) == SORT_KEYS
