"""The table of processes: order, filter, tree, widths, and lines that are made only when they are seen."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.inspection.processes import Owners
from collectors.model.details import Fact
from collectors.model.processes import Process, ProcessDetails, ProcessId, ProcessPass, ProcessText, Thread
from collectors.model.workloads import Kind, Workload, WorkloadId
from tui.presenters.processes.details import pane_lines, thread_lines
from tui.presenters.processes.table import OF_HOST, OF_WORKLOAD, Lines, ProcessTable, Row, wanted
from tui.presenters.styled_lines import plain_text

BOX = Workload(WorkloadId("docker", "a"), Kind.CONTAINER, "box", cgroup="/box")


def process(pid: int, cpu: float | None = 0.0, name: str = "web", parent: int = 1, memory: int = 0) -> Process:
    return Process(
        ProcessId(pid, pid * 10), parent, name, "S", cpu, float(pid), memory, 1, ("/box",) if pid % 2 else ()
    )


def arranged(processes: list[Process], **settings: object) -> ProcessTable:
    table = ProcessTable(OF_HOST, **settings)  # type: ignore[arg-type]
    texts = {each.id: ProcessText(f"{each.name} --all", f"user{each.pid}", None) for each in processes}
    table.arrange(ProcessPass(1, 1, tuple(processes)), texts, Owners([BOX]))
    return table


def pids(table: ProcessTable) -> list[int]:
    return [row.process.pid for row in table.rows]


CROWD = [process(2, 5.0, memory=9), process(3, None, memory=7), process(4, 80.0, "db", memory=1)]


@pytest.mark.parametrize(
    ("sort", "is_reversed", "order"),
    [
        ("cpu", False, [4, 2, 3]),
        ("cpu", True, [3, 2, 4]),
        ("memory", False, [2, 3, 4]),
        ("time", False, [4, 3, 2]),
        ("pid", True, [2, 3, 4]),
        ("name", False, [4, 2, 3]),
        ("owner", False, [3, 2, 4]),
    ],
)
def test_the_order(sort: str, is_reversed: bool, order: list[int]) -> None:
    assert pids(arranged(CROWD, sort=sort, is_reversed=is_reversed)) == order


@pytest.mark.parametrize(("text", "left"), [("db", [4]), ("ALL user3", [3]), ("box", [3]), ("4", [4]), ("nothing", [])])
def test_the_filter_looks_at_command_user_workload_and_pid(text: str, left: list[int]) -> None:
    table = arranged(CROWD, filter_text=text)
    assert pids(table) == left
    assert f"{len(left)} of 3 match" in table.summary(ProcessPass(1, 1, tuple(CROWD)))


def test_the_tree_puts_children_below_their_parents_and_survives_a_ring() -> None:
    family = [process(10), process(11, parent=10), process(12, parent=10), process(13, parent=11), process(9, parent=7)]
    table = arranged(family, is_tree=True, sort="pid", is_reversed=True)
    assert [row.branch + str(row.process.pid) for row in table.rows] == ["9", "10", "├─ 11", "│  └─ 13", "└─ 12"]
    assert pids(arranged([process(5, parent=5)], is_tree=True)) == [5]


def test_the_cursor_stays_on_its_process_and_a_reused_pid_is_another_one() -> None:
    table = arranged(CROWD, cursor=ProcessId(2, 20))
    assert table.rows[table.index()].process.pid == 2
    table.cursor = ProcessId(2, 21)
    assert not table.has_cursor
    table.put_cursor(9)
    assert table.rows[table.index()].process.pid == 3, "the cursor of a process that has ended stays on its line"
    table.put_cursor(0)
    assert table.cursor is None
    assert table.has_cursor


def test_only_the_lines_that_are_asked_for_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    table = arranged([process(pid) for pid in range(1, 10_001)])
    made: list[Row] = []
    cell = OF_HOST[0].cell
    counted = (OF_HOST[0]._replace(cell=lambda row: made.append(row) or cell(row)), *OF_HOST[1:])  # type: ignore[func-returns-value]
    table.columns = counted
    lines = Lines(table, 80)
    assert len(lines) == 10_000
    assert [plain_text(line) for line in lines[100:110]]
    assert len(made) == 10


def test_texts_are_asked_for_what_is_visible_and_for_all_only_where_a_filter_needs_them() -> None:
    newest = ProcessPass(1, 1, tuple(CROWD))
    table = arranged(CROWD)
    assert [each.pid for each in wanted(table, newest, [ProcessId(3, 30)])] == [3]
    table.filter_text = "x"
    assert len(wanted(table, newest, [])) == 3


@given(width=st.integers(40, 250), name=st.text(max_size=30), cpu=st.floats(0, 1e7) | st.none())
def test_every_line_has_the_width_of_its_headings(width: int, name: str, cpu: float | None) -> None:
    for columns in (OF_HOST, OF_WORKLOAD):
        table = ProcessTable(columns)
        one = msgspec.structs.replace(process(1 << 22, cpu), name="x", memory_bytes=1 << 60, threads=99_999)
        text = ProcessText(name.replace("\n", " ") if name.isprintable() else "x", "a" * 40, 1 << 22)
        table.arrange(ProcessPass(1, 1, (one,)), {one.id: text}, Owners([BOX]))
        assert (
            cell_len(plain_text(Lines(table, width)[0]))
            == max(width, cell_len(plain_text(table.heads(width))))
            >= width - 1
        )


def test_a_click_on_a_heading_finds_its_column() -> None:
    table = ProcessTable(OF_HOST)
    heads = plain_text(table.heads(120))
    for label, key in (("PID", "pid"), ("CPU%", "cpu"), ("WORKLOAD", "owner"), ("COMMAND", "name")):
        assert table.column_at(heads.index(label), 120) == key


def test_vcpus_come_first_and_by_number() -> None:
    threads = tuple(
        Thread(number, "t", role, "S", 0.0, wait, 0)
        for number, (role, wait) in enumerate(
            [("emulator", None), ("vCPU 10", 12.0), ("vCPU 2", 0.0), ("I/O thread 1", 0.0)]
        )
    )
    lines = thread_lines(ProcessDetails(ProcessId(1, 1), (), threads), is_vm=True)
    order = [plain_text(line) for line in lines]
    assert [next(role for role in ("emulator", "vCPU 10", "vCPU 2", "I/O") if role in line) for line in order] == [
        "vCPU 2", "vCPU 10", "I/O", "emulator",
    ]  # fmt: skip
    assert ("  12.0 ", "warn") in lines[1]


def test_the_pane_has_the_command_first_and_a_dash_for_what_is_not_known() -> None:
    row = Row(process(2), None, None)
    facts = (Fact("command", "web " + "x" * 500), Fact("user", "root"), Fact("program", None))
    lines = pane_lines(row, ProcessDetails(row.process.id, facts, (), ("no permission; fix: sudo vmtop",)), 80, 9)
    shown = [plain_text(line) for line in lines]
    assert shown[0].startswith(" web xxx")
    assert "fix: sudo vmtop" in shown[2]
    assert shown[3].split() == ["user", "root", "program", "-"]
    assert all(len(line) <= 80 for line in shown)
    other = ProcessDetails(ProcessId(3, 3), facts, ())
    assert "reading" in plain_text(pane_lines(row, other, 80, 9)[0]), "never the facts of another process"
