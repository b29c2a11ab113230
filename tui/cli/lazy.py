"""A group of commands that are imported when they are run, completed, or asked for help."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group that lists and completes its commands from a table, without importing them.

    Args:
        rows: For each command its module and one line of help, which is empty for a command that people do not type. A
            module has `command`, or `COMMANDS` by name.
    """

    def __init__(self, *args: Any, rows: Mapping[str, tuple[str, str]], **extra: Any) -> None:
        super().__init__(*args, **extra)
        self.rows = rows

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in order."""
        return sorted(self.rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command with its line of help alone; `None` if there is none of that name."""
        row = self.rows.get(cmd_name)
        return None if row is None else click.Command(cmd_name, help=row[1], hidden=not row[1])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Import the command that the arguments name; for one that does not exist, suggest the nearest."""
        if not ctx.resilient_parsing and args[0] not in self.rows and not args[0].startswith("-"):
            for near in get_close_matches(args[0], self.rows, 1):
                ctx.fail(f"No such command {args[0]!r}. Did you mean {near!r}?")
        name, command, rest = super().resolve_command(ctx, args)
        return name, None if command is None or name is None else self.load(name), rest

    def load(self, name: str) -> click.Command:
        """Import a command."""
        module = vars(import_module(self.rows[name][0]))
        command: click.Command = module["command"] if "command" in module else module["COMMANDS"][name]
        return command
