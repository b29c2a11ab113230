"""Printing the processes of a workload, once or again and again."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count

from collectors.engines.connections import EngineConnections
from collectors.inspection.details import DetailsReader
from collectors.inspection.processes import Owners, has_process_list, process_reader
from collectors.model.details import Details, Page
from collectors.model.errors import SourceDown
from collectors.model.workloads import Workload
from collectors.sampling.source import SourceSpec
from tui.cli.one_workload import find_workloads, reading
from tui.cli.repeat import Repeated
from tui.cli.sampling import Wait
from tui.cli.screen import is_utf8
from tui.presenters.pages.detail import table_lines
from tui.presenters.processes.table import OF_WORKLOAD, Lines, ProcessTable
from tui.presenters.styled_lines import Line, plain_text

_WIDTH = 1000
"""Cells of a line where there is no terminal."""


def run(
    name: str, sort: str, is_tree: bool, over_s: float, watch_s: float | None, wait: Wait, specs: Sequence[SourceSpec]
) -> int:
    """Print the processes of the named workload, as the options of `vmtop top` say; return the exit code."""
    (workload,) = find_workloads([name], specs, wait)
    repeated = Repeated(is_in_place=watch_s is not None)
    with reading(workload, specs) as connections:
        table = ProcessTable(OF_WORKLOAD, sort, is_tree=is_tree, is_ascii=not is_utf8())
        read = (
            _listed(workload, connections, table) if has_process_list(workload) else _elsewhere(workload, connections)
        )
        read()
        for number in count():
            time.sleep(over_s if watch_s is None or not number else watch_s)
            repeated.show("".join(f"{plain_text(line).rstrip()}\n" for line in read()))
            if watch_s is None:
                break
    return 0


def _listed(workload: Workload, connections: EngineConnections, table: ProcessTable) -> Callable[[], Sequence[Line]]:
    """Return a function that reads the processes of a workload on its host, and makes the lines of the table."""
    reader = process_reader(connections, lambda: None, lambda: workload)
    owners = Owners([workload], host=workload.id.host)

    def read() -> Sequence[Line]:
        view = reader.read(True, lambda newest: newest.processes, lambda newest: (None, False))
        if not view.newest.processes:
            raise SourceDown(view.newest.note or "it has no process that this user may see")
        table.arrange(view.newest, view.texts, owners)
        return [table.heads(_width()), *Lines(table, _width())]

    return read


def _elsewhere(workload: Workload, connections: EngineConnections) -> Callable[[], Sequence[Line]]:
    """Return a function that asks the engine for the processes of a workload, and makes the lines of its table."""
    reader = DetailsReader(connections)

    def read() -> Sequence[Line]:
        details = reader.read(workload)
        if not any(table.page is Page.PROCESSES for table in details.tables):
            raise SourceDown("; ".join(details.problems) or "its processes cannot be seen from this host")
        return table_lines(Details(details.at_ns, details.tables), Page.PROCESSES, _width())

    return read


def _width() -> int:
    return os.get_terminal_size().columns if sys.stdout.isatty() else _WIDTH
