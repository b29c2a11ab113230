"""`vmtop config`: what applies and why, a commented file, the schema."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from collectors.engines.registry import options as engine_options
from tui.cli.command_sections import SOURCES, mistakes_in, option_tables
from tui.cli.configuration import loaded
from tui.cli.exit_codes import DONE, FAILED
from tui.cli.lazy import LazyGroup
from tui.cli.options import screen_options
from tui.cli.screen import given_settings
from tui.configuration.default_file import default_file
from tui.configuration.effective import Effective, effective
from tui.configuration.overview import overview
from tui.configuration.reading import FileContent
from tui.configuration.schema import schema
from tui.configuration.screen_state import ScreenState, load


@click.command("config")
@click.option("--default", "form", flag_value="default", help="Print a commented file with every setting.")
@click.option("--schema", "form", flag_value="schema", help="Print the JSON schema, for editors.")
@click.option("--check", "form", flag_value="check", help="Only look for mistakes.")
@screen_options
@click.pass_context
def command(ctx: click.Context, /, form: str | None, fresh: bool, **options: Any) -> int:
    """Show the configuration, and where each value comes from.

    Prints all that applies as TOML: an option of the screen counts more than the configuration file, and that more than
    what the screen remembers of its last run (--fresh leaves that out). What is printed is a configuration itself.

    Exits with 1 if the file has a mistake; each is printed with its line.
    """
    group = ctx.find_root().command
    assert isinstance(group, LazyGroup)  # noqa: S101  # it is vmtop itself
    if form == "default":
        click.echo(default_file(option_tables(group)), nl=False)
        return DONE
    if form == "schema":
        click.echo(json.dumps(schema(option_tables(group)), indent=2, ensure_ascii=False))
        return DONE
    found = loaded(ctx)
    mistakes = [found.problem] if found.problem else []
    others = mistakes_in(found.content, group)
    mistakes += [f"{found.content.path} {words}" for words in others if words not in found.problem]
    for sentence in mistakes:
        click.echo(f"vmtop: {sentence}", err=True)
    if form == "check":
        return FAILED if mistakes else DONE
    state = ScreenState() if fresh else load()
    values = effective(given_settings(options), found.content, state.values)
    exists = "" if found.content.path.exists() else " (there is none)"
    click.echo(f"# {found.content.path}{exists}\n")
    click.echo(overview(values, found.content, _sources(found.content)), nl=False)
    return FAILED if mistakes else DONE


def _sources(content: FileContent) -> dict[str, Effective]:
    """Return the options of `[sources]` that have a value: from the file, or an address from the environment."""
    rows = {
        key: Effective(value, f"{content.path.name}:{content.line(SOURCES, key)}")
        for key, value in content.options.get(SOURCES, {}).items()
    }
    for option in engine_options():
        address = os.environ.get(option.variable) if option.variable else None
        if address and option.parameter not in rows:
            rows[option.parameter] = Effective([address], f"environment: {option.variable}")
    return rows
