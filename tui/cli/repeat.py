"""What `--watch` repeats: the option with or without a span, and one picture after the other."""

from __future__ import annotations

import os
import re
import sys

import click

WATCH_S = "2s"
"""The span of `--watch` without one."""
_ROOM = 3
"""Lines of a terminal that stay free: for the cursor, a message, and what ends it."""
_SPAN = re.compile(r"\d+(\.\d+)?\s*[a-z]*", re.IGNORECASE)


class WatchCommand(click.Command):
    """A command with `--watch [SPAN]`: a word after it that is not a span is an argument."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give `--watch` its default where no span follows."""
        args = list(args)
        end = args.index("--") if "--" in args else len(args)
        for index in range(end):
            if args[index] == "--watch" and not _SPAN.fullmatch((args[index + 1 : index + 2] or [""])[0]):
                args[index] = f"--watch={WATCH_S}"
        return super().parse_args(ctx, args)


class Repeated:
    """Prints a text again and again: in place on a terminal, else below each other with an empty line between them.

    Args:
        is_in_place: Whether a terminal is cleared before each text; otherwise nothing is ever added to the text.
    """

    def __init__(self, is_in_place: bool) -> None:
        self._is_in_place = is_in_place
        self.is_terminal = is_in_place and sys.stdout.isatty()
        """Whether each text replaces the one before it."""
        self.count = 0
        """Number of texts so far."""

    def show(self, text: str) -> None:
        """Print the next text; on a terminal as much of its beginning as there is room for."""
        if self.is_terminal:
            click.echo("\x1b[H\x1b[2J", nl=False)
            text = "".join(text.splitlines(keepends=True)[: max(1, os.get_terminal_size().lines - _ROOM)])
        elif self._is_in_place and self.count:
            click.echo()
        self.count += 1
        click.echo(text, nl=False)
        sys.stdout.flush()
