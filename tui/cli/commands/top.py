"""`vmtop top`: the processes of a workload, as its page of processes shows them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count

import click

from collectors.engines.connections import EngineConnections
from collectors.inspection.details import DetailsReader
from collectors.inspection.processes import Owners, process_reader
from collectors.model.details import Details, Page
from collectors.model.errors import SourceDown
from collectors.model.workloads import Workload
from collectors.sampling.source import SourceSpec
from tui.cli.one_workload import find_workloads, reading
from tui.cli.options import name_argument, over_option, refuse_together, source_options, wait_option, watch_option
from tui.cli.repeat import Repeated, WatchCommand
from tui.cli.sampling import Wait
from tui.presenters.detail import table_lines
from tui.presenters.processes import OF_WORKLOAD, Lines, ProcessTable
from tui.presenters.styled_lines import Line, plain_text

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
        read = _of_engine(workload, connections) if workload.endpoint else _of_host(workload, connections)
        read()
        for number in count():
            time.sleep(over_s if watch_s is None or not number else watch_s)
            repeated.show(read())
            if watch_s is None:
                return 0
    return 0


def _of_host(workload: Workload, connections: EngineConnections) -> Callable[[], str]:
    """Return what reads the processes in a workload's control group, as a table.

    Raises:
        SourceError: When called: it has none on this host.
    """
    reader = process_reader(connections, lambda: None, lambda: workload)
    table = ProcessTable(OF_WORKLOAD, sort="")  # by CPU, without a sign in the headings
    owners = Owners([workload])

    def read() -> str:
        view = reader.read(True, lambda newest: newest.processes, lambda newest: (None, False))
        table.arrange(view.newest, view.texts, owners)
        width = _width()
        return _joined([[(table.summary(view.newest), "text")], table.heads(width), *Lines(table, width)], width)

    return read


def _of_engine(workload: Workload, connections: EngineConnections) -> Callable[[], str]:
    """Return what asks a remote engine for its table.

    Raises:
        SourceDown: When called: there is none, with the reason.
    """
    reader = DetailsReader(connections)

    def read() -> str:
        details = reader.read(workload)
        if not any(table.page is Page.PROCESSES for table in details.tables):
            raise SourceDown("; ".join(details.problems) or "its engine lists no processes")
        return _joined(table_lines(Details(details.at_ns, details.tables), Page.PROCESSES, _width()), _width())

    return read


def _width() -> int:
    return os.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH


def _joined(lines: Sequence[Line], width: int) -> str:
    return "".join(f"{plain_text(line).rstrip()[:width]}\n" for line in lines)
