"""How `vmtop` takes its arguments and fails: option types, options that commands share, one sentence for an error.

Nothing is imported here but click: `vmtop --help` has to be quick.
"""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from tui import log_file

if TYPE_CHECKING:
    from collectors.query import Query
    from tui.config import Config
    from tui.options import ScreenOptions

Command = TypeVar("Command", bound=Callable[..., Any])

log = logging.getLogger(__name__)

USAGE_ERROR = 2
_INTERRUPTED = 130
_LONGEST_SENTENCE = 4000
_DOCKER_SCHEMES = ("unix://", "tcp://", "http://", "https://", "ssh://")


class Program(click.Group):
    """A group whose errors are one sentence, and which ends quietly when its reader has gone."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and exit with 0, 1 (it failed), 2 (bad arguments) or 130 (interrupted)."""
        with log_file.taking():
            try:
                code = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            except click.ClickException as error:
                click.echo(f"vmtop: {_sentence(error)}", err=True)
                code = error.exit_code
            except click.Abort:
                code = _INTERRUPTED
            except Exception as error:
                # The boundary to the person, who gets a sentence; the log has the traceback.
                code = _tell_failure(error)
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a closed pipe is no error."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still buffered would be written, and fail, once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.ClickException(f"cannot write: {error.strerror or error}") from error
        return code


def _tell_failure(error: Exception) -> int:
    from collectors.text import inert

    log.exception("the command failed")
    said = inert(f"{type(error).__name__}: {error}")
    click.echo(f"vmtop: it failed in a way that no one foresaw: {said}{log_file.FILE.reference}", err=True)
    return 1


def _sentence(error: click.ClickException) -> str:
    """Return what an error says, on one line; it may name a path or a word of a stranger's."""
    from collectors.text import inert

    return inert(" ".join(error.format_message().split()), _LONGEST_SENTENCE)


class FilterType(click.ParamType["Query"]):
    """A filter expression, parsed."""

    name = "expr"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Query:
        """Parse the filter, or fail with the reason."""
        from collectors.query import Query, QueryError, parse

        if isinstance(value, Query):
            return value
        try:
            return parse(value)
        except QueryError as error:
            self.fail(str(error), param, ctx)


class IntervalType(click.FloatRange):
    """A range of seconds, which `nan` is not in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Check the range."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return seconds


class SpanType(click.ParamType[float]):
    """A span of time, in seconds, that is longer than nothing."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse it, or fail with the reason."""
        from collectors.times import TimeError, parse_span

        if isinstance(value, float):
            return value
        try:
            seconds = parse_span(str(value))
        except TimeError as error:
            self.fail(str(error), param, ctx)
        if not seconds:
            self.fail(f"{value!r} is no time at all; leave the option out instead.", param, ctx)
        return seconds


class SortType(click.ParamType[str]):
    """A metric or a field to sort by."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check that there is such a key."""
        from collectors.query import QueryError, sort_key

        try:
            sort_key(value)
        except QueryError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class AddressType(click.ParamType[str]):
    """The address of a daemon; only its form is looked at."""

    name = "url"

    def __init__(self, schemes: Sequence[str] = ()) -> None:
        self._schemes = tuple(schemes)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the address's scheme."""
        address = str(value)
        scheme, separator, rest = address.partition("://" if self._schemes else ":")
        if not scheme or not separator or not rest or not address.isprintable() or " " in address:
            known = " or ".join(self._schemes) if self._schemes else "qemu:///system"
            self.fail(f"{address!r} is no address; it begins like {known}.", param, ctx)
        if self._schemes and f"{scheme}://" not in self._schemes:
            self.fail(f"{address!r} has to begin with one of {', '.join(self._schemes)}.", param, ctx)
        try:
            _ = urlsplit(address).port
        except ValueError as error:
            self.fail(f"{address!r} is no address: {error}.", param, ctx)
        return address


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


def source_options(command: Command) -> Command:
    """Add the options that choose sources, and the log that tells how it went with them."""
    for option in (
        log_option,
        click.option("--insecure", is_flag=True, help="Allow a Docker engine over TCP without TLS."),
        click.option(
            "--libvirt",
            "libvirt_uris",
            multiple=True,
            metavar="URI",
            type=AddressType(),
            help="libvirt connection, e.g. qemu:///system; may be repeated.",
        ),
        click.option(
            "--docker",
            "docker_urls",
            multiple=True,
            metavar="URL",
            type=AddressType(_DOCKER_SCHEMES),
            help="Docker engine, e.g. ssh://user@host; may be repeated.",
        ),
    ):
        command = option(command)
    return command


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
        click.option("--no-spool", is_flag=True, help="Keep no session in the background: no S, no T."),
        click.option("--record", "record", type=click.Path(path_type=Path), metavar="FILE", help="Record from now on."),
        click.option("--read-only", is_flag=True, help="Start with actions locked; L unlocks them."),
        look_options,
        interval_option,
    ):
        command = option(command)
    return command


def screen_choice(
    query: Query | None,
    only: str | None,
    is_ascii: bool = False,
    no_mouse: bool = False,
    no_spool: bool = False,
    **wishes: Any,
) -> ScreenOptions:
    """Return the options of a screen, from those of the command line."""
    from tui.options import ScreenOptions

    asked = click.get_current_context().get_parameter_source("interval_s")
    return ScreenOptions(
        is_steady=asked is click.core.ParameterSource.COMMANDLINE,
        only=only,
        filter_text=query.text if query else "",
        ascii=is_ascii or not is_utf8(),
        mouse=not no_mouse,
        has_spool=not no_spool,
        **wishes,
    )


def is_utf8() -> bool:
    """Return whether the terminal is likely to take UTF-8, by the locale that the person has set.

    Python writes UTF-8 in the locale C too and changes the variables accordingly (PEP 538, PEP 540): the kernel still
    has them as they were. Where none is set, as in most containers, nothing speaks against UTF-8.
    """
    if "utf" not in (sys.stdout.encoding or "").lower():
        return False
    pairs = (entry.partition(b"=") for entry in Path("/proc/self/environ").read_bytes().split(b"\0"))
    given = {name: value.lower() for name, _, value in pairs if value}
    locale = next((given[name] for name in (b"LC_ALL", b"LC_CTYPE", b"LANG") if name in given), b"utf")
    return b"utf" in locale


def read_config() -> Config:
    """Read the configuration; a mistake in it is an error of one sentence."""
    from tui.config import ConfigError, load_config

    try:
        return load_config()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


def require_terminal(instead: str) -> None:
    """Refuse to start a screen where there is none; say what does the same without one."""
    if not sys.stdout.isatty() or not sys.stdin.isatty() or os.environ.get("TERM", "") in ("", "dumb"):
        raise click.UsageError(f"the screen needs a terminal; {instead}")


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
    """Add the options of what is graceful."""
    for option in (
        click.option(
            "--then",
            "after",
            type=click.Choice(("force", "leave")),
            default="force",
            show_default=True,
            help="What follows the time-out: kill, force off or reset it, or leave it as it is.",
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
