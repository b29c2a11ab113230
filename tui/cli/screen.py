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
    **looks: Any,
) -> ScreenOptions:
    """Return the options of a screen, from those of the command line."""
    from tui.settings.screen_options import ScreenOptions

    asked = click.get_current_context().get_parameter_source("interval_s")
    return ScreenOptions(
        is_steady=asked is click.core.ParameterSource.COMMANDLINE,
        only=only,
        filter_text=query.text if query else "",
        ascii=is_ascii or not is_utf8(),
        mouse=not no_mouse,
        has_spool=not no_spool,
        **looks,
    )


def is_utf8() -> bool:
    """Return whether the terminal is likely to take UTF-8, by the locale that the user has set.

    Python writes UTF-8 in the locale C too and changes the variables accordingly (PEP 538, PEP 540): the kernel still
    has them as they were. Where none is set, as in most containers, nothing speaks against UTF-8.
    """
    if "utf" not in (sys.stdout.encoding or "").lower():
        return False
    pairs = (entry.partition(b"=") for entry in Path("/proc/self/environ").read_bytes().split(b"\0"))
    given = {name: value.lower() for name, _, value in pairs if value}
    locale = next((given[name] for name in (b"LC_ALL", b"LC_CTYPE", b"LANG") if name in given), b"utf")
    return b"utf" in locale


def require_terminal(instead: str) -> None:
    """Refuse to start a screen where there is none; say what does the same without one."""
    if not sys.stdout.isatty() or not sys.stdin.isatty() or os.environ.get("TERM", "") in ("", "dumb"):
        raise click.UsageError(f"the screen needs a terminal; {instead}")
