"""The columns that are facts of a workload: its name and what is special about it, its kind, state, identity. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from rich.cells import cell_len

from collectors.analysis.hosts import facts_of_host
from collectors.analysis.rates import Moment, Reading
from collectors.analysis.state_log import StateLog
from collectors.model.workloads import State, Workload, WorkloadId
from tui.presenters.formatting import ABSENT, duration, fit
from tui.presenters.main_screen.identity_cells import IDENTITY_TEXTS, ports_runs
from tui.presenters.main_screen.resting_rows import has_changed, is_new
from tui.presenters.main_screen.row_words import name_words
from tui.presenters.main_screen.signs import KIND_TONES, SHORT_KINDS, state_sign
from tui.presenters.styled_lines import Run
from tui.presenters.table.line import Line


class Table(Protocol):
    """What facts need in addition to their own line."""

    @property
    def moment(self) -> Moment | None: ...
    @property
    def states(self) -> StateLog: ...
    @property
    def host_names(self) -> Mapping[str, str]: ...
    @property
    def ellipsis(self) -> str: ...
    def words_of_action(self, identity: WorkloadId) -> Run | None: ...


_LEAST_OF_POD = 3
"""Cells for the name of a pod, below which that of its container is cut."""
FactCell = Callable[[Table, Line, Reading, int], list[Run]]
"""Formats a fact in so many cells."""


def _name(cells: Table, line: Line, reading: Reading, width: int) -> list[Run]:
    """Format the name, and after it, where there is room, what is not as it should be or what is being done."""
    workload = reading.workload
    if workload.is_host:
        return [(fit("host", width), "title")]
    name = ("  " if line.depth else "") + (line.label if line.depth else workload.name)
    tone = "text" if workload.state.is_active and workload.name_is_known else "muted"
    wall = cells.moment.frame.wall if cells.moment is not None else 0.0
    if is_new(cells.states, line.id, wall) and workload.state.is_active:
        tone = "accent"
    words = cells.words_of_action(line.id) or name_words(workload)
    if words is None and tone == "accent":
        words = ("new", tone)
    elif words is not None and has_changed(cells.states, line.id, wall):
        words = (words[0], f"{words[1]} bold")
    size = cell_len(name)
    if words is None or size + 1 + len(words[0]) > width:
        return [(shortened(name, width, cells.ellipsis), tone)]
    return [(name, tone), (fit(f" {words[0]}", width - size), words[1])]


def shortened(name: str, width: int, ellipsis: str) -> str:
    """Cut or pad a name; of a container in a pod its own name is kept whole, which its neighbours do not share."""
    pod, slash, own = name.rpartition("/")
    room = width - cell_len(own) - 1
    if cell_len(name) <= width or not slash or room < _LEAST_OF_POD:
        return fit(name, width, ellipsis)
    return f"{fit(pod, room, ellipsis)}/{own}"


def _uptime(cells: Table, line: Line, reading: Reading, width: int) -> list[Run]:
    """Format the time since the start."""
    moment = cells.moment
    if moment is not None and reading.workload.is_host:
        known = facts_of_host(moment.frame, reading.workload.id).get("uptime_s")
        return [(duration(float(known) if known else None, width), "text" if known else "muted")]
    return [(uptime_of(reading.workload, moment, width), "muted")]


def uptime_of(workload: Workload, moment: Moment | None, width: int) -> str:
    """Return the time since a workload's start, in so many cells; that it is not known if it does not run."""
    started = workload.started_at
    if started is None or moment is None or not workload.state.is_active:
        return duration(None, width)
    return duration(max(0.0, moment.frame.wall - started), width)


def _host(cells: Table, line: Line, reading: Reading, width: int) -> list[Run]:
    name = reading.workload.host_name
    return [(fit(cells.host_names.get(name, name), width, cells.ellipsis), "muted")]


def _kind(cells: Table, line: Line, reading: Reading, width: int) -> list[Run]:
    workload = reading.workload
    return [(fit("" if workload.is_host else SHORT_KINDS[workload.kind], width), KIND_TONES[workload.kind])]


_SHORT_REASONS = frozenset({"saved", "out of memory", "watchdog", "timed out"})
"""Reasons for being at rest that say more in the column STATE than the state does."""


def _state(cells: Table, line: Line, reading: Reading, width: int) -> list[Run]:
    workload = reading.workload
    is_at_rest = not workload.state.is_active
    short_text = workload.state.value
    if is_at_rest and workload.exit_code is not None:
        short_text = f"exit {workload.exit_code}"
    elif workload.is_faulted or (is_at_rest and workload.state_reason in _SHORT_REASONS):
        short_text = workload.state_reason or short_text
    tone = "text" if workload.state is State.RUNNING else "bad" if workload.is_faulted else state_sign(workload).tone
    return [(fit(short_text, width, cells.ellipsis), tone)]


def _health(cells: Table, line: Line, reading: Reading, width: int) -> list[Run]:
    health = reading.workload.health
    return [(fit(health or "-", width), "warn" if health == "unhealthy" else "text" if health else "muted")]


def _fact(value: str | None, width: int, ellipsis: str) -> list[Run]:
    return [(fit(value or "-", width, ellipsis), "text" if value else "muted")]


def _identity(text_of: Callable[[Workload, int], str]) -> Callable[[Table, Line, Reading, int], list[Run]]:
    def cell(cells: Table, line: Line, reading: Reading, width: int) -> list[Run]:
        text = text_of(reading.workload, width)
        return [(fit(text, width, cells.ellipsis), "muted" if text.strip() == ABSENT else "text")]

    return cell


FACT_CELLS: dict[str, FactCell] = {
    "host": _host,
    "name": _name,
    "kind": _kind,
    "state": _state,
    "uptime": _uptime,
    "health": _health,
    "project": lambda cells, line, reading, width: _fact(reading.workload.project, width, cells.ellipsis),
    "ports": lambda cells, line, reading, width: ports_runs(reading.workload.ports, width, cells.ellipsis),
    "image": lambda cells, line, reading, width: _fact(reading.workload.image, width, cells.ellipsis),
    **{key: _identity(text_of) for key, text_of in IDENTITY_TEXTS.items()},
}
