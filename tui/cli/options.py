"""Options that several commands share.

Nothing is imported here but click: `vmtop --help` has to be quick.
"""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import click

from tui.cli.types import AddressType, FilterType, IntervalType
from tui.settings import log_file

if TYPE_CHECKING:
    from tui.settings.config import Config

Command = TypeVar("Command", bound=Callable[..., Any])

log = logging.getLogger(__name__)

_DOCKER_SCHEMES = ("unix://", "tcp://", "http://", "https://", "ssh://")


def _start_log(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    """Log into the file that was named, or say at once why that cannot be."""
    if path is None:
        return
    log_file.keep_all(path)
    log.info("vmtop begins, with arguments %s", " ".join(sys.argv[1:]))
    if log_file.FILE.problem:
        raise click.UsageError(log_file.FILE.problem)


def log_option(command: Command) -> Command:
    """Add `--log`. It takes effect by itself: no command has to pass it on."""
    return click.option(
        "--log",
        type=click.Path(path_type=Path),
        metavar="FILE",
        expose_value=False,
        callback=_start_log,
        help="Log into this file instead of ~/.local/state/vmtop/vmtop.log.",
    )(command)


class EngineOption(NamedTuple):
    """The option that names the daemons of one engine; it may be repeated."""

    engine: str
    """Also the option's name."""
    key: str
    """What the engine's source calls an address."""
    metavar: str
    schemes: tuple[str, ...]
    """How an address may begin; empty for any."""
    help: str
    has_insecure: bool = False
    """Whether the engine may be used without encryption, if `--insecure` allows it."""


ENGINE_OPTIONS = (
    EngineOption(
        "docker", "url", "URL", _DOCKER_SCHEMES, "Docker engine, e.g. ssh://user@host; may be repeated.", True
    ),
    EngineOption("libvirt", "uri", "URI", (), "libvirt connection, e.g. qemu:///system; may be repeated."),
)


class SourceChoice(NamedTuple):
    """The sources that the command line asks for."""

    addresses: Mapping[str, tuple[str, ...]]
    """By engine; none means the daemon of this host."""
    insecure: bool = False
    """Whether an engine may be used without encryption."""


def source_options(command: Command) -> Command:
    """Add the options that choose sources; the command gets them as one `SourceChoice` called `wanted`."""

    @functools.wraps(command)
    def with_sources(*args: Any, **values: Any) -> Any:
        addresses = {row.engine: values.pop(row.engine) for row in ENGINE_OPTIONS}
        return command(*args, wanted=SourceChoice(addresses, values.pop("insecure")), **values)

    changed: Any = log_option(with_sources)
    changed = click.option("--insecure", is_flag=True, help="Allow a Docker engine over TCP without TLS.")(changed)
    for row in reversed(ENGINE_OPTIONS):
        kind, name = AddressType(row.schemes), f"--{row.engine}"
        changed = click.option(name, row.engine, multiple=True, metavar=row.metavar, type=kind, help=row.help)(changed)
    return cast(Command, changed)


def choice_options(command: Command) -> Command:
    """Add the options that choose workloads."""
    for option in (
        click.option("--filter", "query", type=FilterType(), metavar="EXPR", help="Show only what matches."),
        click.option("--only", type=click.Choice(("vm", "container", "service")), help="Show one kind of workload."),
    ):
        command = option(command)
    return command


def look_options(command: Command) -> Command:
    """Add the options of a screen's looks."""
    for option in (
        click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal."),
        click.option("--ascii", "is_ascii", is_flag=True, help="Draw with ASCII only."),
    ):
        command = option(command)
    return command


def live_options(command: Command) -> Command:
    """Add the options of the live screen."""
    for option in (
        click.option("--no-spool", is_flag=True, help="Do not record in the background; disables S and T."),
        click.option("--record", "record", type=click.Path(path_type=Path), metavar="FILE", help="Record from now on."),
        click.option("--read-only", is_flag=True, help="Start with actions locked; L unlocks them."),
        look_options,
        interval_option,
    ):
        command = option(command)
    return command


def read_config() -> Config:
    """Read the configuration; a mistake in it is an error of one sentence."""
    from tui.settings.config import ConfigError, load_config

    try:
        return load_config()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


def interval_option(command: Command) -> Command:
    """Add `--interval`."""
    return click.option(
        "--interval",
        "interval_s",
        type=IntervalType(0.2, 60),
        default=1.0,
        show_default=True,
        metavar="SECONDS",
        help="Time between readings.",
    )(command)


def timeout_options(command: Command) -> Command:
    """Add the options of a graceful end."""
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


FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))


FORCE = click.option("--force", "is_forced", is_flag=True, help="Overwrite an existing file.")


FROM = click.option("--from", "start", metavar="TIME", help="Start: 03:10, 10m ago, 2026-11-24 03:12.")


TO = click.option("--to", "stop", metavar="TIME", help="End; +5m counts from the start.")
