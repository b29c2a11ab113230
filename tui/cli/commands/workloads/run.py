"""`vmtop run`: a command in a control group of its own, and what it used."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collectors.running.budget import Limit, judge
from collectors.running.held_command import CommandNotStarted
from collectors.running.quantities import Measured, Usage
from collectors.running.runner import RunPlan, RunResult, run
from collectors.sampling.source import SourceSpec
from collectors.session.format import SessionError
from tui.cli.commands.workloads.limit_type import LimitType
from tui.cli.commands.workloads.run_recording import recorded
from tui.cli.exit_codes import DONE, FAILED, NOT_MEASURABLE, OVER_BUDGET
from tui.cli.options import FORCE, interval_option, source_options, wait_option
from tui.cli.progress import WaitingLine
from tui.cli.sampling import Wait
from tui.cli.verdict_files import check_folder, verdict_options, write_verdicts
from tui.presenters.pipelines.verdict import Outcome, Verdict
from tui.presenters.reports.run_report import command_text, document, lines, verdicts

if TYPE_CHECKING:
    from collectors.model.workloads import Workload

_NONE_SEEN = "no workload was seen that the command started"


@click.command("run", context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.argument("words", nargs=-1, required=True, metavar="[--] COMMAND...", type=click.UNPROCESSED)
@click.option(
    "--max", "limits", type=LimitType(), multiple=True, metavar="QUANTITY=VALUE", help="Fail above it: mem=2G."
)
@click.option("--workload", "name", metavar="NAME", help="Follow this workload while the command runs.")
@click.option("--new", "is_new", is_flag=True, help="Follow the containers and machines that the command starts.")
@click.option("--kill-rest", is_flag=True, help="End what the command leaves running, at once.")
@click.option(
    "--json",
    "json_path",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Write a JSON document, too; - is standard output, after the command's own.",
)
@click.option("--quiet", is_flag=True, help="Print only what went wrong.")
@click.option(
    "--record", "record_path", type=click.Path(path_type=Path), metavar="FILE", help="Record a session meanwhile."
)
@FORCE
@verdict_options
@interval_option
@wait_option
@source_options
def command(
    words: tuple[str, ...],
    limits: tuple[Limit, ...],
    name: str | None,
    is_new: bool,
    kill_rest: bool,
    json_path: Path | None,
    quiet: bool,
    record_path: Path | None,
    is_forced: bool,
    junit_path: Path | None,
    has_summary: bool,
    interval_s: float,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Run a COMMAND and print on standard error what it used: peak memory, CPU time, throttling, OOM kills, disk.

    The exit code is the COMMAND's own, and 128 and the number of the signal that ended it. A COMMAND that succeeds and
    used more than --max exits with 10, with 11 if that is unknown.

    \b
      vmtop run -- make -j4
      vmtop run --max mem=2G --max cpu_seconds=300 -- ./tests
      vmtop run --new -- docker compose run tests

    Exits with 127 if the COMMAND was not found, 126 if it cannot be executed.
    """
    if name is not None and is_new:
        raise click.UsageError("--workload and --new exclude each other; give one of them.")
    for path in (json_path, record_path):
        check_folder(path)
    follows = is_new or name is not None
    plan = RunPlan(
        words,
        specs if follows or record_path is not None else (),
        interval_s,
        follows,
        None if name is None else _Finder(name),
        wait.most_s,
        kill_rest,
        _Waiting(wait.most_s),
    )
    try:
        result, problem = recorded(plan, record_path, is_forced) if record_path is not None else (run(plan), "")
    except CommandNotStarted as error:
        _say(f"vmtop: {error}")
        return error.exit_code
    except SessionError as error:
        raise click.ClickException(str(error)) from error
    found = _judged(words, limits, result, follows)
    failures = [verdict for verdict in found if verdict.outcome is not Outcome.PASSED]
    if not quiet:
        _say(*lines(words, result))
    _say(*(f"vmtop: {_verdict_word(one)}: {one.subject}: {one.sentence}" for one in failures))
    problems = [problem] if problem else []
    problems += _write(words, result, found, json_path, junit_path, has_summary)
    _say(*(f"vmtop: {sentence}" for sentence in problems))
    return _exit_code(result, failures, bool(problems))


def _exit_code(result: RunResult, failures: Sequence[Verdict], has_problems: bool) -> int:
    """Return the command's own code if it failed; then what its use was, then whether the files were written."""
    if result.exit_code:
        return result.exit_code
    outcomes = {verdict.outcome for verdict in failures}
    if Outcome.FAILED in outcomes:
        return OVER_BUDGET
    if Outcome.UNKNOWN in outcomes:
        return NOT_MEASURABLE
    return FAILED if has_problems else DONE


def _judged(words: Sequence[str], limits: Sequence[Limit], result: RunResult, follows: bool) -> list[Verdict]:
    """Judge the followed workloads, each by itself; only the duration is always the command's."""
    seconds = result.usage["seconds"].value or 0.0
    own = [limit for limit in limits if not follows or limit.key == "seconds"]
    others = [limit for limit in limits if limit not in own]
    found = verdicts(command_text(words), judge(own, result.usage), seconds)
    for followed in result.workloads:
        found += verdicts(followed.workload.typed_name, judge(others, followed.usage), seconds)
    if others and not result.workloads:
        unseen: Usage = {limit.key: Measured(None, _NONE_SEEN) for limit in others}
        found += verdicts(command_text(words), judge(others, unseen), seconds)
    return found


def _verdict_word(verdict: Verdict) -> str:
    return "over budget" if verdict.outcome is Outcome.FAILED else "not known to be within budget"


class _Waiting:
    """Shows on a terminal which sources the command waits for."""

    def __init__(self, most_s: float) -> None:
        self._line = WaitingLine()
        self._most_s = most_s

    def __call__(self, names: Sequence[str], passed_s: float) -> None:
        if names:
            self._line.show(names, passed_s, self._most_s)
        else:
            self._line.__exit__()


class _Finder:
    """Finds a workload by its name, as the other commands do; one that is not there yet may come."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, workloads: Sequence[Workload]) -> Workload | None:
        from collectors.actions.targets import NoTarget, find

        try:
            return find(self._name, workloads)
        except NoTarget:
            return None


def _write(
    words: Sequence[str],
    result: RunResult,
    found: Sequence[Verdict],
    json_path: Path | None,
    junit_path: Path | None,
    has_summary: bool,
) -> list[str]:
    """Write the files; return what went wrong. The command has run: its exit code must not be lost."""
    problems = []
    if json_path is not None:
        text = json.dumps(document(words, result, found), indent=2, ensure_ascii=False) + "\n"
        try:
            if str(json_path) == "-":
                sys.stdout.write(text)
                sys.stdout.flush()
            else:
                json_path.write_text(text, encoding="utf-8", errors="replace")
        except OSError as error:
            problems.append(f"{click.format_filename(json_path)} cannot be written: {error.strerror}")
    return problems + write_verdicts("vmtop run", found, junit_path, has_summary)


def _say(*sentences: str) -> None:
    """Write to standard error; one that has gone takes nothing else with it."""
    with suppress(OSError):
        for sentence in sentences:
            click.echo(sentence, err=True)
