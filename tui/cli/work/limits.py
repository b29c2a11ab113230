"""Reading and setting the limits of running workloads."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import click

from collectors.actions.limits.setter import Setter
from collectors.actions.limits.words import is_change, parse_changes
from collectors.actions.log import ActionLog
from collectors.actions.look import Looker
from collectors.actions.protection import Protection
from collectors.actions.runner import Runner
from collectors.analysis.rates import Reading
from collectors.model.actions import Result
from collectors.model.errors import SourceError
from collectors.model.limit_changes.plans import Plan, Use
from collectors.model.limits import Amount, LimitError, LimitKey, Way
from collectors.sampling.source import SourceSpec
from tui.cli import exit_codes
from tui.cli.commands.workloads.limit_lines import LimitLines
from tui.cli.configuration import read_config
from tui.cli.sampling import Wait
from tui.cli.targets import Chosen, choose
from tui.cli.work.actions import CODES, GRAVEST_FIRST
from tui.configuration.config import Config, config_file
from tui.controllers.services import Services, make_services, who
from tui.settings.paths import state_folder


def run(
    names: Sequence[str],
    is_kept: bool,
    is_dry: bool,
    is_json: bool,
    is_sure: bool,
    wait: Wait,
    specs: Sequence[SourceSpec],
) -> int:
    """Set the limits of the named workloads, as the options of `vmtop set` say; return the exit code.

    Args:
        names: Names, and limits with their amounts.
        is_kept: Also for the next start.
        is_dry: Only say what would be done.
        is_json: Print documents instead of sentences.
        is_sure: Whether it was confirmed on the command line.
        wait: How long the sources are waited for.
        specs: The sources.
    """
    workload_names = [word for word in names if not is_change(word)]
    words = [word for word in names if is_change(word)]
    try:
        changes = parse_changes(words)
    except LimitError as error:
        raise click.UsageError(f"{error}.") from error
    if not workload_names:
        raise click.UsageError("name a workload, such as: vmtop set web memory=512M.")
    config, lines = read_config(), LimitLines(is_json)
    if config.read_only and changes and not is_dry:
        click.echo(f"vmtop: not done: {config_file()} says read_only = true", err=True)
        return exit_codes.REFUSED
    chosen = choose(workload_names, specs, wait, is_action=bool(changes))
    if chosen.code:
        return chosen.code
    services = make_services(specs, config, state_folder() / "actions.log")
    setter = make_setter(services, config)
    if not changes:
        return _show(chosen, setter, lines)
    plans = _plans(chosen, setter, changes, is_kept, services)
    if is_dry:
        for plan in plans:
            lines.plan(plan, is_dry=True)
        return _gravest([plan.kind if plan.refusal else Result.DONE for plan in plans])
    if not is_sure and not _is_confirmed(plans, lines):
        return exit_codes.REFUSED
    if is_sure:
        for plan in plans:
            lines.warnings(plan)
    results = []
    for plan in plans:
        applied = setter.apply(plan)
        lines.ended(applied)
        results.append(applied.result)
    return _gravest(results)


def make_setter(services: Services, config: Config) -> Setter:
    """Return what sets limits, with the log and the protection of the other actions."""
    runner = Runner(services.connections.actions, ActionLog(services.action_log), who())
    looker = Looker(runner, Protection(config.actions.allow_protected))
    return Setter(runner, looker, services.connections.limits)


def use_of(reading: Reading | None) -> Use:
    """Return what a workload uses now; what was not read is missing."""
    if reading is None:
        return Use()
    percent = reading.value("cpu_percent")
    return Use(
        reading.value("memory_inside_bytes"),
        reading.value("memory_peak_bytes"),
        None if percent is None else percent / 100,
        pids=reading.value("pids"),
    )


def _plans(
    chosen: Chosen, setter: Setter, changes: Mapping[LimitKey, Amount | None], is_kept: bool, services: Services
) -> list[Plan]:
    connections = services.connections
    return [
        setter.plan(
            workload,
            changes,
            use_of(chosen.moment.readings.get(workload.id)),
            Way(is_kept, connections.needs_id(workload), connections.command_address(workload)),
            chosen.all_workloads,
        )
        for workload in chosen.workloads
    ]


def _show(chosen: Chosen, setter: Setter, lines: LimitLines) -> int:
    """Print the limits of each workload; return the gravest code of those that could not be read."""
    codes = [exit_codes.DONE]
    for workload in chosen.workloads:
        try:
            lines.limits(workload, setter.read_limits(workload))
        except SourceError as error:
            click.echo(f"vmtop: {workload.name}: {error.reason}", err=True)
            if error.remedy:
                click.echo(f"  fix: {error.remedy}", err=True)
            codes.append(exit_codes.FAILED)
    return max(codes)


def _is_confirmed(plans: Sequence[Plan], lines: LimitLines) -> bool:
    """Ask for confirmation; without a terminal, say which option skips it. What is refused anyway needs no answer."""
    if all(plan.refusal for plan in plans):
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("stdin is not a terminal; use --yes to skip the confirmation.")
    for plan in plans:
        lines.plan(plan, is_dry=False)
    return click.confirm("Go on?", default=False, err=True)


def _gravest(results: Sequence[Result]) -> int:
    codes = {CODES[result] for result in results}
    return next(code for code in GRAVEST_FIRST if code in codes)
