"""Options that several commands share.

Nothing is imported here but click and the table of the engines' options: `vmtop --help` has to be quick.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from collectors.engines.options import EngineOption
from collectors.engines.registry import options as engine_options
from tui.cli.completion.session_path import SessionPath
from tui.cli.types import AddressType, FilterType, IntervalType, KindType, SettingType, SpanType
from tui.configuration.settings_table import BY_NAME, SETTINGS, Setting
from tui.configuration.value_types import Switch
from tui.settings import log_file

if TYPE_CHECKING:
    from tui.cli.sampling import Wait

Command = TypeVar("Command", bound=Callable[..., Any])

log = logging.getLogger(__name__)

_HOST = "host"
"""The parameter of `--host`."""
_INTERVAL, _LOG = BY_NAME["screen.interval"], BY_NAME["log"]


def _start_log(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    """Log into the given file, or fail at once if it cannot be written."""
    if path is None:
        return
    log_file.keep_all(path)
    log.info("vmtop begins, with arguments %s", " ".join(sys.argv[1:]))
    if log_file.FILE.problem:
        raise click.UsageError(log_file.FILE.problem)


def log_option(command: Command) -> Command:
    """Add `--log`. It takes effect by itself: no command has to pass it on."""
    return click.option(
        _LOG.flag,
        type=click.Path(path_type=Path),
        metavar=_LOG.metavar,
        expose_value=False,
        callback=_start_log,
        help=_LOG.help,
    )(command)


def source_options(command: Command) -> Command:
    """Add the options that choose sources, and `--log`.

    The command gets the sources as `specs`; a group gets none when a command of it runs.
    """
    options = engine_options()

    @wraps(command)
    def with_specs(*arguments: Any, **values: Any) -> Any:
        option_values = {name: values.pop(name) for name in (_HOST, *(option.parameter for option in options))}
        if click.get_current_context().invoked_subcommand is not None:
            return command(*arguments, specs=[], **values)
        from tui.cli import sources

        return command(*arguments, specs=sources.specs(option_values), **values)

    wrapped: Any = log_option(with_specs)
    for option in reversed(options):
        wrapped = _engine_option(option)(wrapped)
    return cast(Command, host_option(wrapped))


def host_option(command: Command) -> Command:
    """Add `--host`; the command gets the words as `host`."""
    return click.option(
        "--host",
        _HOST,
        multiple=True,
        metavar="HOST",
        shell_complete=_complete_hosts,
        help="Watch this host by ssh instead of the local one: a name of the configuration, [USER@]HOST[:PORT], "
        "tag:TAG, all, or local. May be repeated.",
    )(command)


def _complete_hosts(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from tui.cli.sources import host_words

    return [word for word in host_words(ctx) if word.startswith(incomplete)]


def _engine_option(option: EngineOption) -> Callable[[Command], Command]:
    """Return the decorator of an engine's option."""
    if option.is_switch:
        return click.option(option.flag, option.parameter, is_flag=True, help=option.help)
    value_type, metavar = AddressType(option.schemes), option.metavar
    return click.option(
        option.flag, option.parameter, type=value_type, multiple=True, metavar=metavar, help=option.help
    )


def choice_options(command: Command) -> Command:
    """Add the options that choose workloads."""
    for option in (
        click.option("--filter", "query", type=FilterType(), metavar="EXPR", help="Show only what matches."),
        click.option(
            "--only", type=KindType(), help="Show one kind of workload: vm, container (ct), service (svc) or host."
        ),
    ):
        command = option(command)
    return command


def screen_options(command: Command, parameters: Collection[str] | None = None) -> Command:
    """Add the options of the live screen, each of which is a setting, and `--fresh`.

    Args:
        command: The command.
        parameters: The parameters to add; by default all.
    """
    fresh = click.option("--fresh", is_flag=True, help="Start without what the screen remembers of the last time.")
    command = fresh(command)
    for setting in reversed(SETTINGS):
        if setting.flag and setting is not _LOG and (parameters is None or setting.parameter in parameters):
            command = _setting_option(setting)(command)
    return command


def _setting_option(setting: Setting) -> Callable[[Command], Command]:
    """Return the decorator of a setting's option. Without the option, its value comes from elsewhere: `None`."""
    help_text = setting.option_help or setting.help
    if isinstance(setting.type, Switch):
        return click.option(setting.flag, setting.parameter, is_flag=True, default=None, help=help_text)
    value_type = SettingType(setting.type)
    return click.option(setting.flag, setting.parameter, type=value_type, metavar=setting.metavar, help=help_text)


def live_options(command: Command) -> Command:
    """Add the options of the live screen."""
    record = click.option(
        "--record", "record", type=click.Path(path_type=Path), metavar="FILE", help="Record from now on."
    )
    return screen_options(record(command))


def replay_options(command: Command) -> Command:
    """Add the options of the screen that a session has a use for."""
    return screen_options(command, {"sort", "only", "filter", "theme", "ascii", "no_mouse"})


def interval_option(command: Command) -> Command:
    """Add `--interval`."""
    return click.option(
        "--interval",
        "interval_s",
        type=SettingType(_INTERVAL.type),
        default=_INTERVAL.default,
        show_default=True,
        metavar=_INTERVAL.metavar,
        help=_INTERVAL.help,
    )(command)


def wait_option(command: Command) -> Command:
    """Add `--wait`; the command gets it as `wait`, a `Wait`."""

    def start(ctx: click.Context, _param: click.Parameter, seconds: float) -> Wait | None:
        if ctx.resilient_parsing:
            return None  # a shell completes: nothing is waited for
        from tui.cli.sampling import Wait

        return Wait(seconds)

    return click.option(
        "--wait",
        type=IntervalType(0, 3600),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        callback=start,
        help="Longest wait for the first answers, which are late on a busy host.",
    )(command)


def over_option(command: Command) -> Command:
    """Add `--over`; the command gets it as `over_s`, in seconds."""
    return click.option(
        "--over",
        "over_s",
        type=SpanType(0.1),
        default="1s",
        show_default=True,
        metavar="SPAN",
        help="Time over which rates are measured: 300ms, 5s, 1m ...",
    )(command)


def watch_option(command: Command) -> Command:
    """Add `--watch`, to a `WatchCommand`; the command gets it as `watch_s`, in seconds, or `None`."""
    return click.option(
        "--watch",
        "watch_s",
        type=SpanType(0.2),
        metavar="[SPAN]",
        help="Print again every 2s, 10s ... (2 seconds without SPAN), with rates over that time.",
    )(command)


def _complete_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from tui.cli.completion.workload_names import names_like

    return names_like(incomplete, ctx.params)


def names_argument(is_required: bool = True, metavar: str = "") -> Callable[[Command], Command]:
    """Add the names of workloads, which the shell can complete; the command gets them as `names`."""

    metavar = metavar or ("NAME..." if is_required else "[NAME...]")
    return click.argument("names", nargs=-1, required=is_required, metavar=metavar, shell_complete=_complete_names)


def name_argument(command: Command) -> Command:
    """Add the name of one workload, which the shell can complete; the command gets it as `name`."""
    return click.argument("name", metavar="NAME", shell_complete=_complete_names)(command)


def refuse_together(ctx: click.Context, *groups: tuple[str, ...]) -> None:
    """Refuse options that contradict each other: of each group, only one may be given.

    Args:
        ctx: The command's context.
        groups: Options as they are typed, such as `("--json", "--csv")`.

    Raises:
        click.UsageError: Two of a group are given.
    """
    given = {
        next(option for option in parameter.opts if option.startswith("--"))
        for parameter in ctx.command.params
        if isinstance(parameter, click.Option)
        and ctx.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE
    }
    for group in groups:
        if len(both := [option for option in group if option in given]) > 1:
            raise click.UsageError(f"{both[0]} and {both[1]} exclude each other; give one of them.", ctx)


def timeout_options(command: Command) -> Command:
    """Add the options of the graceful verbs."""
    for option in (
        click.option(
            "--then",
            "after",
            type=click.Choice(("force", "leave")),
            default="force",
            show_default=True,
            help="After the time-out: kill, force off or reset it, or leave it as it is.",
        ),
        click.option(
            "--timeout",
            "timeout_s",
            type=IntervalType(0, 3600),
            metavar="SECONDS",
            help="Time it is given; by default 10 for a container, 60 for a VM, 90 for a service.",
        ),
    ):
        command = option(command)
    return command


def refuse_before(ctx: click.Context) -> None:
    """Refuse options in front of a subcommand, where they would have no effect."""
    for parameter in ctx.command.params:
        name = parameter.name or ""
        if ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{parameter.opts[0]} belongs after {ctx.invoked_subcommand!r}.", ctx)


FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...", type=SessionPath())


FORCE = click.option("--force", "is_forced", is_flag=True, help="Overwrite an existing file.")


FROM = click.option("--from", "start", metavar="TIME", help="Start: 03:10, 10m ago, 2026-11-24 03:12.")


TO = click.option("--to", "stop", metavar="TIME", help="End; +5m counts from the start.")
