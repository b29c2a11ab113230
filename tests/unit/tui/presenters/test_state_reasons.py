"""The reason of a state is on the screen: in the table, on the page of a workload and in its JSON."""

from __future__ import annotations

import pytest

from collectors.analysis.history import History
from collectors.analysis.rates import Deriver, Reading
from collectors.json_document import describe
from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Kind, State, Unmeasured, Workload
from tests.helpers.strategies import frame, workload
from tests.helpers.table_rows import fields
from tui.presenters.formatting import state_text
from tui.presenters.pages.info_pages import why_page
from tui.presenters.reports import list_table
from tui.presenters.table import columns
from tui.presenters.table.cells import Cells
from tui.presenters.table.line import Line
from tui.presenters.table.state import Scale


def vm(state: State, reason: str | None = None) -> Workload:
    return workload("db", Kind.VM, "qemu", state=state, state_reason=reason)


@pytest.mark.parametrize(("described", "sign", "state"), [
    (vm(State.PAUSED, "I/O error"), "!", "I/O error"),
    (vm(State.PAUSED, "watchdog"), "!", "watchdog"),
    (vm(State.PAUSED, "by a user"), "‖", "paused"),
    (vm(State.STOPPED, "saved"), "○", "saved"),
    (vm(State.STOPPED, "shut down"), "○", "stopped"),
    (vm(State.CRASHED, "guest panicked"), "✗", "crashed"),
    (workload("a", state=State.STOPPED, exit_code=137, state_reason="out of memory"), "✗", "exit 137"),
    (workload("a", Kind.SERVICE, "systemd", state=State.CRASHED, state_reason="timed out"), "✗", "timed out"),
    (workload("a", state=State.STOPPED, health="unhealthy"), "○", "stopped"),
    (workload("a", health="unhealthy"), "!", "running"),
])  # fmt: skip
def test_the_table_tells_a_fault_from_a_pause_by_hand(described: Workload, sign: str, state: str) -> None:
    moment = Deriver().feed(frame(1, {described: {}}))
    reading = moment.readings[described.id]
    cells = Cells(History())
    cells.at(moment, Scale.CORE)
    line = Line("", reading=reading)
    shown_columns = [columns.column_of("state")]
    shown = fields(cells.line(line, shown_columns, is_marked=False), shown_columns)
    assert (shown["gutter"], shown["state"].rstrip()) == (f" {sign} ", state)


@pytest.mark.parametrize(("described", "text"), [
    (vm(State.RUNNING), "running"),
    (vm(State.PAUSED, "I/O error"), "paused (I/O error)"),
    (workload("a", state=State.STOPPED, exit_code=1), "stopped (exit code 1)"),
    (workload("a", state=State.STOPPED, exit_code=137, state_reason="out of memory"), "stopped (out of memory)"),
])  # fmt: skip
def test_a_state_is_written_with_its_reason(described: Workload, text: str) -> None:
    assert state_text(described) == text


def test_the_list_names_what_changes_what_to_do() -> None:
    readings = [Reading(vm(State.PAUSED, reason), ()) for reason in ("I/O error", "by a user")]
    readings += [Reading(vm(State.STOPPED, reason), ()) for reason in ("saved", "shut down")]
    rows = list_table.table(readings).splitlines()[1:]
    shown = ("paused (I/O error)", "paused  ", "stopped (saved)", "stopped  ")
    assert all(state in row for state, row in zip(shown, rows, strict=True))


def test_json_has_the_reason_and_the_exit_code() -> None:
    document = describe(Reading(workload("a", state=State.STOPPED, exit_code=3, state_reason="exit code 3"), ()))
    assert (document["state"], document["state_reason"], document["exit_code"]) == ("stopped", "exit code 3", 3)


def test_the_page_of_a_workload_gives_the_reason_of_each_empty_cell() -> None:
    noted = workload("web", unmeasured=(Unmeasured(Topic.TASKS, Cause.NO_CONTROLLER, "pids"),))
    moment = Deriver().feed(frame(1, {noted: {"cpu_total_ns": 1}}))
    page = why_page(moment.readings[noted.id], moment).plain
    assert "not known: the pids controller is not enabled for its cgroup" in page
    assert "not known: it has been read only once since it started" in page
