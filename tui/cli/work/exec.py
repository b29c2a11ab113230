"""A shell in a container, the console of a virtual machine, or one command."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import click

from collectors.inspection.console import open_console, run_command
from collectors.model.console import RunningCommand
from collectors.sampling.source import SourceSpec
from tui.cli.configuration import read_config
from tui.cli.exit_codes import DONE, REFUSED
from tui.cli.one_workload import find_workloads, reading
from tui.cli.sampling import Wait
from tui.configuration.config import config_file

_STEERING = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")
"""Control characters but for the ends of lines and tabs, those of UTF-8 (ECMA-48, C1) included."""


def run(name: str, words: tuple[str, ...], wait: Wait, specs: Sequence[SourceSpec]) -> int:
    """Open a shell or a console, or with words run these; return the exit code."""
    if read_config().read_only:
        click.echo(f"vmtop: not done: {config_file()} says read_only = true", err=True)
        return REFUSED
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not words and not is_terminal:
        raise click.UsageError(
            "a shell or a console needs a terminal; in a container, a command after -- needs none, such as -- ps aux."
        )
    (workload,) = find_workloads([name], specs, wait)
    with reading(workload, specs) as connections:
        if words and not is_terminal:
            return _run(run_command(workload, words, connections))
        console = open_console(workload, connections, words)
        from tui.terminal.console_session import attach
        from tui.terminal.signals import ENDING, SIGNALS

        try:
            with SIGNALS.listening(ENDING):
                ending = attach(console, sys.stdin.fileno(), sys.stdout.fileno(), is_answering=True)
        finally:
            console.close()
    click.echo(f"vmtop: {workload.name}: {ending}", err=True)
    return SIGNALS.code or (console.exit_code or DONE if words else DONE)


def _run(run: RunningCommand) -> int:
    """Pass on what a command writes, and return its exit code.

    What goes to a terminal cannot steer it: nothing would put it in order afterwards.
    """
    try:
        for is_error, data in run.output():
            stream = sys.stderr if is_error else sys.stdout
            stream.buffer.write(_STEERING.sub(b"?", data) if stream.isatty() else data)
            stream.buffer.flush()
        return run.exit_code()
    finally:
        run.close()
