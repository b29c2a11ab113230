"""`vmtop top`: the processes of a workload, as its page of processes shows them."""

from __future__ import annotations

import os
import sys
import time
from itertools import count

import click

from collectors.inspection.details import DetailsReader
from collectors.model.details import Details, Page
from collectors.model.errors import SourceDown
from collectors.sampling.source import SourceSpec
from tui.cli.one_workload import find_workloads, reading
from tui.cli.options import name_argument, over_option, refuse_together, source_options, wait_option, watch_option
from tui.cli.repeat import Repeated, WatchCommand
from tui.cli.sampling import Wait
from tui.presenters.detail import table_lines
from tui.presenters.styled_lines import plain_text

_WIDTH = 1000
"""Cells of a line where there is no terminal."""


@click.command("top", cls=WatchCommand)
@name_argument
@over_option
@watch_option
@wait_option
@source_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    name: str,
    over_s: float,
    watch_s: float | None,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Print the processes of a workload, and what each of them uses.

    Rates are measured over one second (--over).

    \b
      vmtop top web
      vmtop top vm:db --watch 5

    Exits as `vmtop logs` does.
    """
    refuse_together(ctx, ("--over", "--watch"))
    (workload,) = find_workloads([name], specs, wait)
    repeated = Repeated(is_in_place=True)
    with reading(workload, specs) as connections:
        reader = DetailsReader(connections)
        reader.read(workload)
        for number in count():
            time.sleep(over_s if watch_s is None or not number else watch_s)
            repeated.show(_text(reader.read(workload)))
            if watch_s is None:
                return 0
    return 0


def _text(details: Details) -> str:
    """Return the table.

    Raises:
        SourceDown: There is none, with the reason.
    """
    if not any(table.page is Page.PROCESSES for table in details.tables):
        raise SourceDown("; ".join(details.problems) or "none of its processes can be seen from this host")
    width = os.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH
    lines = table_lines(Details(details.at_ns, details.tables), Page.PROCESSES, width)
    return "".join(f"{plain_text(line).rstrip()[:width]}\n" for line in lines)
