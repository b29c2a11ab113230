"""Acting on workloads: finding them, asking, and a line for each outcome.

With several workloads, the exit code is the gravest one: see `GRAVEST_FIRST`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Sequence

import click

from collectors.actions.confirmation import CAN_WAIT, besides, consequence, describe, equivalent
from collectors.actions.log import ActionLog
from collectors.actions.look import Looker
from collectors.actions.protection import Protection
from collectors.actions.rules import engine_forbids
from collectors.actions.runner import Action, Runner
from collectors.model.actions import AfterTimeout, Look, Request, Result, Verb
from collectors.model.workloads import Workload
from collectors.sampling.source import SourceSpec
from collectors.sampling.timeout import ANSWER_S
from tui.cli import exit_codes
from tui.cli.commands.workloads.action_lines import SENTENCES, ActionLines
from tui.cli.sampling import Wait
from tui.cli.targets import choose
from tui.configuration.config import Config, config_file
from tui.controllers.services import make_services, who
from tui.settings.paths import state_folder

CODES = {
    Result.DONE: exit_codes.DONE,
    Result.ALREADY: exit_codes.DONE,
    Result.FAILED: exit_codes.FAILED,
    Result.UNKNOWN: exit_codes.UNKNOWN,
    Result.DENIED: exit_codes.NOT_ALLOWED,
    Result.REFUSED: exit_codes.REFUSED,
    Result.GONE: exit_codes.NO_SUCH,
    Result.CHANGED: exit_codes.NO_SUCH,
    Result.TIMED_OUT: exit_codes.TIMED_OUT,
}
GRAVEST_FIRST = (
    exit_codes.FAILED,
    exit_codes.UNKNOWN,
    exit_codes.NO_ANSWER,
    exit_codes.NOT_ALLOWED,
    exit_codes.REFUSED,
    exit_codes.NO_SUCH,
    exit_codes.TIMED_OUT,
    exit_codes.DONE,
)


def run(
    verb: Verb,
    names: Sequence[str],
    specs: Sequence[SourceSpec],
    config: Config,
    is_sure: bool,
    timeout_s: float | None,
    after: AfterTimeout,
    wait: Wait,
    lines: ActionLines = SENTENCES,
    epoch: str | None = None,
) -> int:
    """Find the workloads, ask, act, and print a line for each outcome; return the exit code.

    Args:
        verb: What to do.
        names: The workloads, as they were typed.
        specs: The sources.
        config: The user's configuration.
        is_sure: Whether it was confirmed on the command line.
        timeout_s: Seconds that the user granted; `None` for the configuration's.
        after: What follows a time-out.
        wait: How long the sources are waited for.
        lines: Prints what happens.
        epoch: The only run that it is meant for; `None` for whichever there is.
    """
    if config.read_only:
        click.echo(f"vmtop: not done: {config_file()} says read_only = true", err=True)
        return CODES[Result.REFUSED]
    chosen = choose(names, specs, wait)
    if chosen.code:
        return chosen.code
    services = make_services(specs, config, state_folder() / "actions.log")
    runner = Runner(services.connections.actions, ActionLog(services.action_log), who())
    looker = Looker(runner, Protection(config.actions.allow_protected))
    looks = [_look(looker, verb, workload, chosen.all_workloads) for workload in chosen.workloads]
    requests = [
        Request(
            verb,
            workload,
            _granted_s(verb, workload, timeout_s, config),
            after,
            look.seen,
            look.nested,
            services.connections.needs_id(workload),
            look.dependents,
            services.connections.command_address(workload),
            epoch,
        )
        for workload, look in zip(chosen.workloads, looks, strict=True)
    ]
    refusals = [_refusal(request, look) for request, look in zip(requests, looks, strict=True)]
    for request, refusal in zip(requests, refusals, strict=True):
        if refusal:
            lines.refused(request, refusal)
    allowed = [request for request, refusal in zip(requests, refusals, strict=True) if not refusal]
    if is_sure:
        for request in allowed:
            for sentence in besides(request):
                click.echo(f"vmtop: {request.workload.name}: {sentence}", err=True)
    if not allowed or not (is_sure or _is_confirmed(allowed)):
        return CODES[Result.REFUSED]
    codes = _act(runner, allowed, lines)
    codes += [CODES[Result.REFUSED]] * (len(requests) - len(allowed))
    return next(code for code in GRAVEST_FIRST if code in codes)


def _granted_s(verb: Verb, workload: Workload, timeout_s: float | None, config: Config) -> float:
    if verb not in CAN_WAIT:
        return ANSWER_S
    return config.actions.timeout_s.of(workload.kind) if timeout_s is None else timeout_s


def _look(looker: Looker, verb: Verb, workload: Workload, all_workloads: Collection[Workload]) -> Look:
    """Return what the action would meet; report if the engine cannot be asked."""
    if engine_forbids(verb, workload):
        return Look(None)
    look = looker.look(workload, all_workloads, ANSWER_S)
    if look.problem:
        click.echo(f"vmtop: {workload.name}: {look.problem}", err=True)
    return look


def _refusal(request: Request, look: Look) -> str:
    """Return why vmtop does not even ask the engine; the state is left to the runner, which looks again."""
    workload = request.workload
    real_name = request.seen.name if request.seen else workload.name
    if reason := engine_forbids(request.verb, workload):
        return f"{workload.name}: {reason}"
    if reason := look.protected:
        place = f"the configuration of {workload.id.host}" if workload.id.host else str(config_file())
        name = workload.name if real_name == workload.name else f"{workload.name}, which is {real_name},"
        return f"{name} is protected: {reason} (allow_protected in {place} makes exceptions)"
    return ""


def _is_confirmed(requests: Sequence[Request]) -> bool:
    """Ask for confirmation; without a terminal, say which option skips it."""
    if not sys.stdin.isatty():
        raise click.UsageError("stdin is not a terminal; use --yes to skip the confirmation.")
    for request in requests:
        click.echo(f"{request.verb}: {describe(request.workload)}", err=True)
        for sentence in (consequence(request), *besides(request)):
            click.echo(f"  {sentence}", err=True)
        for command in equivalent(request):
            click.echo(f"  the same by hand: {command}", err=True)
    return click.confirm("Go on?", default=False, err=True)


def _act(runner: Runner, requests: Sequence[Request], lines: ActionLines) -> list[int]:
    """Submit all, print each outcome as it comes, and return the codes."""
    finished = threading.Semaphore(0)

    def on_change(action: Action) -> None:
        if action.outcome is not None:
            finished.release()
        else:
            lines.changed(action)

    runner.on_change(on_change)
    actions = [runner.submit(request) for request in requests]
    reported: set[int] = set()
    codes: list[int] = []
    while len(reported) < len(actions):
        finished.acquire()
        for index, action in enumerate(actions):
            if action.outcome is not None and index not in reported:
                reported.add(index)
                code = CODES[action.outcome.result]
                lines.ended(action.request, action.outcome, is_failure=code != 0)
                codes.append(code)
    return codes
