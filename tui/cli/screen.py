"""Starting the screen from the command line: its options, and the terminal that it needs."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tui.cli.configuration import config_for_looking, loaded
from tui.configuration.settings_table import BY_NAME, SETTINGS
from tui.settings import log_file

if TYPE_CHECKING:
    from collectors.sampling.source import SourceSpec
    from tui.configuration.screen_state import ScreenState
    from tui.settings.screen_options import ScreenOptions


class Chosen(NamedTuple):
    """How the screen starts."""

    options: ScreenOptions
    state: ScreenState | None
    """What earlier runs left; `None` if this one leaves nothing."""
    is_left: bool
    """Whether something is as an earlier run left it."""
    is_fresh: bool
    """Whether what earlier runs left is ignored."""


def start(specs: Sequence[SourceSpec], chosen: Chosen) -> int:
    """Run the live screen and return its exit code."""
    require_terminal("'vmtop list' prints the same once, 'vmtop stream' as JSON, 'vmtop record' into a file.")
    gc.disable()  # what is loaded stays; the first screen enables it again
    from tui.app.live import run_live
    from tui.configuration.screen_state import state_file
    from tui.controllers.screen_memory import ScreenMemory

    path = None if chosen.state is None else state_file()
    memory = ScreenMemory(chosen.state, path, chosen.is_left, chosen.is_fresh)
    try:
        return run_live(specs, chosen.options, config_for_looking(), memory)
    except Exception as error:
        from collectors.session.format import SessionError  # late: nothing is painted before it otherwise

        if isinstance(error, SessionError):
            raise click.ClickException(str(error)) from error
        raise


def choose(fresh: bool = False, is_demo: bool = False, record: Path | None = None, **given: Any) -> Chosen:
    """Return how a screen starts: as the command line says, else the configuration, else as the user left it.

    Args:
        fresh: Ignore what the screen remembers.
        is_demo: The workloads do not exist. A demonstration neither knows nor changes what the screen remembers.
        record: Record into this file from the start.
        given: The options of the command line by parameter; `None` where an option was not given.
    """
    from tui.configuration.effective import LEFT, effective
    from tui.configuration.screen_state import ScreenState, load
    from tui.settings.screen_options import ScreenOptions

    log_file.keep_all()  # what of it cannot be used is a warning
    state = ScreenState() if is_demo else load()
    values = effective(given_settings(given), loaded().content, {} if fresh else state.values)

    def value(key: str) -> Any:
        return values[f"screen.{key}"].value

    options = ScreenOptions(
        interval_s=value("interval"),
        is_steady=values["screen.interval"].origin == BY_NAME["screen.interval"].flag,
        read_only=values["read_only"].value,
        only=value("only") or None,
        filter_text=value("filter"),
        sort=value("sort"),
        is_reversed=value("reverse"),
        order=value("order"),
        columns=value("columns"),
        own_columns=loaded().content.presets,
        show_all=value("stopped"),
        is_tree=value("tree"),
        scale=value("scale"),
        has_large_panes=value("large_panes"),
        theme=value("theme"),
        ascii=value("ascii") or not is_utf8(),
        mouse=value("mouse"),
        has_spool=value("spool"),
        is_demo=is_demo,
        record=record,
    )
    is_left = any(setting.origin == LEFT for setting in values.values())
    return Chosen(options, None if is_demo else state, is_left, fresh)


def given_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that options of the command line set, by name."""
    return {
        setting.name: not value if setting.is_negative else value
        for setting in SETTINGS
        if setting.flag and (value := given.get(setting.parameter)) is not None
    }


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
