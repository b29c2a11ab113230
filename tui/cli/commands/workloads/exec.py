"""`vmtop exec`: a shell in a container, the console of a virtual machine, or one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.options import name_argument, source_options, wait_option

if TYPE_CHECKING:
    from collectors.sampling.source import SourceSpec
    from tui.cli.sampling import Wait


@click.command("exec")
@name_argument
@click.argument("words", nargs=-1, metavar="[-- COMMAND...]", type=click.UNPROCESSED)
@wait_option
@source_options
def command(name: str, words: tuple[str, ...], wait: Wait, specs: list[SourceSpec]) -> int:
    """Open a shell in a container, or the serial console of a virtual machine; Ctrl-] comes back.

    With a COMMAND, that is run in the container instead, and the exit code is its own. Its output may go to a pipe; it
    gets no input then.

    \b
      vmtop exec web
      vmtop exec web -- ps aux
      vmtop exec vm:db

    Exits with 1 if there is nothing to connect to, otherwise as `vmtop logs` does.
    """
    from tui.cli.work.exec import run

    return run(name, words, wait, specs)
