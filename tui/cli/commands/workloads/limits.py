"""`vmtop set`: limits of running workloads, read, changed, and checked in what the engine then says."""

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
from tui.cli.options import names_argument, source_options, wait_option
from tui.cli.sampling import Wait
from tui.cli.targets import Chosen, choose
from tui.cli.work.actions import CODES, GRAVEST_FIRST
from tui.configuration.config import Config, config_file
from tui.controllers.services import Services, make_services, who
from tui.settings.paths import state_folder


@click.command("set")
@names_argument(metavar="NAME... [LIMIT=AMOUNT...]")
@click.option("--persist", "is_kept", is_flag=True, help="Also for the next start, where the engine can keep it.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Only say what would be done.")
@click.option("--json", "is_json", is_flag=True, help="Print limits and outcomes as JSON, one document per line.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask for confirmation.")
@wait_option
@source_options
def command(
    names: tuple[str, ...],
    is_kept: bool,
    is_dry: bool,
    is_json: bool,
    is_sure: bool,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Set limits of running workloads at once; without a LIMIT, print those they have.

    Limits are cpu (cores), cpu_weight (100 is ordinary), cpuset, vcpus, memory, pids, disk_read, disk_write,
    disk_read_iops, disk_write_iops, net_in and net_out. An AMOUNT of none takes a limit away. What is set is read back
    from the engine, and logged with what was there before.

    \b
      vmtop set web
      vmtop set web api cpu=1.5 memory=512M
      vmtop set vm:db memory=4G vcpus=2 --persist
      vmtop set web cpu=none --dry-run

    Exits with 0 when all is done, 1 failed, 3 no such workload or several, 4 not allowed, 5 refused by vmtop or not
    possible, 6 accepted but not reached in time, 7 outcome unknown, 8 a source that could know a NAME has not answered.
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
