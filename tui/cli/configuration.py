"""The configuration on the command line: read once, and used for the defaults of every command's options.

A mistake in it stops no command that only looks: it goes on with defaults and says so. Commands that act, and the
server, which would be open without its passwords, refuse.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from tui.cli.lazy import LazyGroup

if TYPE_CHECKING:
    from tui.configuration.config import Config
    from tui.configuration.reading import FileContent

_KEY = "vmtop.configuration"
_QUICK = frozenset({"-h", "--help", "--version", "completion"})
"""What has to be quick, and needs no configuration."""
_SHOW_THEMSELVES = frozenset(
    {"demo", "config", "exec", "host", "serve", "start", "stop", "restart", "pause", "resume", "kill", "remove"}
)
"""Commands that show the mistake in a way of their own, or refuse because of it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read."""

    content: FileContent
    """Empty if there is no file, or if it cannot be used."""
    problem: str = ""
    """Why it cannot be used; a sentence."""


def loaded(ctx: click.Context | None = None) -> Loaded:
    """Return the configuration, which is read when it is first asked for."""
    root = (ctx or click.get_current_context()).find_root()
    if _KEY not in root.meta:
        root.meta[_KEY] = _load(root.command)
    found: Loaded = root.meta[_KEY]
    return found


def _load(program: click.Command) -> Loaded:
    from tui.cli.command_sections import SOURCES
    from tui.configuration.config import ConfigError, config_file
    from tui.configuration.reading import FileContent, read

    commands = program.rows if isinstance(program, LazyGroup) else ()
    try:
        content = read(option_tables=(SOURCES, *commands))
        content.config()
    except ConfigError as error:
        return Loaded(FileContent(config_file()), str(error))
    return Loaded(content)


def set_defaults(ctx: click.Context, arguments: Sequence[str]) -> None:
    """Set the defaults of the main command's own options."""
    if not _QUICK.intersection(arguments):
        ctx.default_map = _defaults(ctx, ctx.command)


def set_command_defaults(ctx: click.Context, name: str, command: click.Command, arguments: Sequence[str]) -> None:
    """Set the defaults of a command's options, before they are parsed."""
    if _QUICK.intersection((name, *arguments)):
        return
    defaults: MutableMapping[str, Any] = dict(ctx.default_map or {})
    defaults[name] = _defaults(ctx, command, name)
    ctx.default_map = defaults


def _defaults(ctx: click.Context, command: click.Command, name: str = "") -> dict[str, Any]:
    from tui.cli.command_sections import defaults_of

    found = loaded(ctx)
    problem = found.problem
    defaults: dict[str, Any] = {}
    if not problem:
        defaults, mistakes = defaults_of(command, name, found.content)
        problem = f"{found.content.path} {'; '.join(mistakes)}" if mistakes else ""
    ctx.find_root().meta[_KEY] = Loaded(found.content, problem)
    if problem and name and name not in _SHOW_THEMSELVES:
        click.echo(f"vmtop: {problem}; going on without it", err=True)
    return defaults


def read_config() -> Config:
    """Return the configuration for a command that acts.

    Raises:
        click.ClickException: There is a mistake in it: nothing may be done.
    """
    found = loaded()
    if found.problem:
        raise click.ClickException(found.problem)
    return found.content.config()


def config_for_looking() -> Config:
    """Return the configuration for what only looks; with a mistake in it, the default with actions locked."""
    from tui.configuration.config import Config

    found = loaded()
    return Config(read_only=True, problem=found.problem) if found.problem else found.content.config()


def configuration_summary(has_names: bool) -> list[str]:
    """Return what the configuration says, for a report; names of workloads only if they are asked for."""
    from tui.configuration.overview import summary

    found = loaded()
    path = found.content.path
    if found.problem:
        return [found.problem]
    return [f"{path}{'' if path.exists() else ' does not exist: defaults apply'}", *summary(found.content, has_names)]
