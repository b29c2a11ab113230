"""Opens a console of the selected workload and shows how it ended."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import SuspendNotSupported

from collectors.engines.connections import EngineConnections
from collectors.inspection.console import open_console
from collectors.model.console import Console
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.sampling.timeout import call_with_timeout
from tui.controllers.background import run_blocking
from tui.terminal.console_session import attach
from tui.terminal.driver import has_answered

if TYPE_CHECKING:
    from textual.app import App

log = logging.getLogger(__name__)

_CLOSE_S = 2.0


async def open_shell(app: App[Any], workload: Workload, connections: EngineConnections) -> None:
    """Open the console of a workload, hand the terminal over, and come back to the screen.

    Args:
        app: The app to suspend.
        workload: The workload to open a console on.
        connections: Connections to the engines.
    """
    app.notify(f"opening {workload.name} ...", timeout=2, markup=False)
    try:
        console = await run_blocking(partial(open_console, workload, connections))
    except SourceError as error:
        remedy = f" (fix: {error.remedy})" if error.remedy else ""
        app.notify(f"{error.reason}{remedy}", severity="warning", timeout=8, markup=False)
        return
    sentence, severity = visit(app, console)
    app.notify(f"{workload.name}: {sentence}", severity=severity, timeout=5, markup=False)  # type: ignore[arg-type]
    app.refresh(layout=True)


def visit(app: App[Any], console: Console) -> tuple[str, str]:
    """Hand the terminal over to a console until it ends or is left; return how it ended and the severity."""
    try:
        with app.suspend():
            return _visit(console, has_answered(app))
    except SuspendNotSupported:
        return "this terminal cannot be used for a console", "warning"
    finally:
        _close(console)


def _terminal() -> int:
    """Return the terminal's own descriptor: while the screen is up, Textual writes to a copy of standard error."""
    return sys.__stderr__.fileno() if sys.__stderr__ else 1


def _visit(console: Console, is_answering: bool) -> tuple[str, str]:
    """Connect the terminal to a console; return how it ended and the severity. Never raises.

    Textual cannot resume the screen after an exception here.
    """
    try:
        incoming = sys.__stdin__.fileno() if sys.__stdin__ else 0
        return attach(console, incoming, _terminal(), is_answering), "information"
    except Exception as error:
        # Console output is untrusted: whatever failed, restore the screen and report it.
        log.exception("%s failed", console.title)
        return f"the console failed: {type(error).__name__}: {sanitize(str(error))}", "error"


def _close(console: Console) -> None:
    try:
        call_with_timeout(_CLOSE_S, console.close)
    except SourceError as error:
        log.warning("closing a console: %s", error.reason)
