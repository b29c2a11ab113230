"""Starting the screen from the command line: its options, and the terminal that it needs."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.cli.options import read_config

if TYPE_CHECKING:
    from collectors.query.filter import Query
    from collectors.sampling.source import SourceSpec
    from tui.settings.screen_options import ScreenOptions


def start(specs: Sequence[SourceSpec], options: ScreenOptions) -> int:
    """Run the live screen and return its exit code."""
    require_terminal("'vmtop list' prints the same once, 'vmtop stream' as JSON, 'vmtop record' into a file.")
    gc.disable()  # what is loaded stays; the first screen enables it again
    from collectors.session.format import SessionError
    from tui.app.live import run_live

    try:
        return run_live(specs, options, read_config())
    except SessionError as error:
        raise click.ClickException(str(error)) from error


def choose(
    query: Query | None,
    only: str | None,
    is_ascii: bool = False,
    no_mouse: bool = False,
    no_spool: bool = False,
    **screen_options: Any,
) -> ScreenOptions:
    """Return the options of a screen, from those of the command line."""
    from tui.settings.screen_options import ScreenOptions

    interval_source = click.get_current_context().get_parameter_source("interval_s")
    return ScreenOptions(
        is_steady=interval_source is click.core.ParameterSource.COMMANDLINE,
        only=only,
        filter_text=query.text if query else "",
        ascii=is_ascii or not is_utf8(),
        mouse=not no_mouse,
        has_spool=not no_spool,
        **screen_options,
    )


def is_utf8() -> bool:
    """Return whether the terminal is likely to accept UTF-8, judging by the locale that the user has set.

    Python writes UTF-8 in the locale C too and changes the variables accordingly (PEP 538, PEP 540): the kernel still
    has the original values. Where none is set, as in most containers, UTF-8 is assumed.
    """
    if "utf" not in (sys.stdout.encoding or "").lower():
        return False
    variables = (entry.partition(b"=") for entry in Path("/proc/self/environ").read_bytes().split(b"\0"))
    lower_values = {name: value.lower() for name, _, value in variables if value}
    locale = next((lower_values[name] for name in (b"LC_ALL", b"LC_CTYPE", b"LANG") if name in lower_values), b"utf")
    return b"utf" in locale


def require_terminal(alternatives: str) -> None:
    """Refuse to start a screen without a terminal; `alternatives` names the commands that need none."""
    if not sys.stdout.isatty() or not sys.stdin.isatty() or os.environ.get("TERM", "") in ("", "dumb"):
        raise click.UsageError(f"the screen needs a terminal; {alternatives}")
