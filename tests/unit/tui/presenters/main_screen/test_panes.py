"""The panes below the table: their height, their scales, and the sums of groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from collectors.analysis.history import History
from collectors.analysis.last_minute import LastMinute
from collectors.analysis.rates import Deriver, Moment
from collectors.model.workloads import Kind, Workload
from tests.helpers.strategies import frame, workload
from tui.presenters.main_screen.alarms import worst_alarm, worst_of_group
from tui.presenters.main_screen.pane_title import title_line
from tui.presenters.main_screen.panes import AXIS_FROM, ROWS, Source, graph_rows, pane_lines, panes_of
from tui.presenters.styled_lines import plain_text
from tui.presenters.table.line import Line
from tui.presenters.table.state import Scale

NS = 10**9
AROUND = 7


def played(ticks: int, workloads: dict[Workload, dict[str, int]], cpu: float = 1.0) -> tuple[Moment, History]:
    """Feed frames a second apart in which every workload uses so many cores."""
    deriver, history = Deriver(), History()
    for tick in range(1, ticks + 1):
        used = {described: {**fields, "cpu_total_ns": int(tick * cpu * NS)} for described, fields in workloads.items()}
        moment = deriver.feed(frame(tick, used, {"cpu_total_ns": int(tick * 2 * NS), "memory_charged_bytes": 1 << 30}))
        history.push(moment)
    return moment, history


def source(moment: Moment, history: History, *members: Workload, scale: Scale = Scale.CORE) -> Source:
    readings = [moment.readings[member.id] for member in members] or [moment.host]
    return Source(readings, moment, history, LastMinute(history), scale)


def shown(source: Source, width: int = 120, rows: int = 10) -> list[str]:
    return [plain_text(line) for line in pane_lines(panes_of(source), source, width, rows, {}, False)]


@pytest.mark.parametrize(
    ("height", "lines", "rows"),
    [(24, 12, 4), (24, 15, 0), (24, 200, 0), (36, 12, 10), (50, 13, 14), (36, 200, 3), (40, 200, 4), (60, 200, 6)],
)
def test_the_graphs_take_what_the_table_leaves(height: int, lines: int, rows: int) -> None:
    assert graph_rows(height, AROUND, lines, False) == rows


@given(st.integers(14, 200), st.integers(0, 300), st.booleans())
def test_the_graphs_have_one_of_their_heights_and_leave_the_table_room(height: int, lines: int, large: bool) -> None:
    rows = graph_rows(height, AROUND, lines, large)
    assert rows in (0, *ROWS)
    assert rows <= height // (2 if large else 3)
    assert height - AROUND - rows - (rows >= AXIS_FROM) >= min(lines, 4)


def test_the_scale_is_that_of_the_limits_and_the_limit_has_a_line_of_its_own() -> None:
    web = workload("web")
    limits = {"cpu_limit_cores": 2, "memory_limit_bytes": 1 << 30, "memory_charged_bytes": 700 << 20}
    moment, history = played(40, {web: limits})
    numbers, top, *_, axis = shown(source(moment, history, web))
    assert "CPU 100.0% of 200%" in numbers
    assert "MEM 700M of 1.0G" in numbers
    assert top.startswith(" 200% ┄┄┄")
    assert " 1G ┄┄┄" in top
    assert "now" in axis


@pytest.mark.parametrize(
    ("scale", "title", "top"),
    [(Scale.CORE, "CPU 100.0% of 200%", "200%"), (Scale.HOST, "CPU 25.0% of the host", "50%"),
     (Scale.LIMIT, "CPU 50.0% of its limit", "100%")],
)  # fmt: skip
def test_the_scale_of_the_table_is_that_of_the_pane(scale: Scale, title: str, top: str) -> None:
    web = workload("web")
    moment, history = played(40, {web: {"cpu_limit_cores": 2}})
    numbers, first, *_ = shown(source(moment, history, web, scale=scale))
    assert title in numbers
    assert first.lstrip().startswith(top)


def test_a_machine_above_its_balloon_has_no_limit_there_and_says_what_its_guest_uses() -> None:
    machine = workload("vm", Kind.VM, "libvirt")
    fields = {"vcpus": 1, "memory_rss_bytes": 201 << 20, "memory_limit_bytes": 160 << 20}
    moment, history = played(40, {machine: fields})
    lines = shown(source(moment, history, machine))
    assert "MEM 201M" in lines[0]
    assert "used" not in lines[0]
    assert " 256M " in lines[1]
    assert not any("┄" in line for line in lines[2:]), "the balloon is no limit of what QEMU holds"
    reported = fields | {"memory_available_bytes": 150 << 20, "memory_usable_bytes": 70 << 20}
    moment, history = played(40, {machine: reported})
    assert "MEM 201M  guest uses 50%" in shown(source(moment, history, machine))[0]


def test_a_group_has_the_sums_of_its_members_against_what_is_assigned_to_them() -> None:
    machines = [workload(name, Kind.VM, "libvirt") for name in "abc"]
    fields = {"vcpus": 2, "cpu_limit_cores": 2, "memory_limit_bytes": 4 << 30, "memory_rss_bytes": 3 << 30}
    moment, history = played(40, dict.fromkeys(machines, fields), cpu=0.5)
    numbers, top, *_ = shown(source(moment, history, *machines))
    assert "CPU 150.0% of 600%" in numbers
    assert "MEM 9.0G of 12G" in numbers
    assert "12G ┄" in top


def test_the_limit_of_a_pod_is_not_counted_again_for_its_sandbox() -> None:
    web, sandbox = workload("web", Kind.CONTAINER), replace(workload("pause", Kind.CONTAINER), is_sandbox=True)
    moment, history = played(40, {member: {"cpu_limit_cores": 2} for member in (web, sandbox)}, cpu=0.5)
    assert "CPU 100.0% of 200%" in shown(source(moment, history, web, sandbox))[0]


def test_a_member_without_a_limit_leaves_the_group_without() -> None:
    limited, free = workload("a"), workload("b")
    moment, history = played(40, {limited: {"cpu_limit_cores": 2}, free: {}})
    numbers = shown(source(moment, history, limited, free))[0]
    assert "CPU 200.0%" in numbers
    assert " of " not in numbers


@given(st.integers(72, 250), st.sampled_from((0, *ROWS)))
def test_every_line_fills_the_panes(width: int, rows: int) -> None:
    moment, history = played(3, {})
    lines = shown(source(moment, history), width, rows)
    assert len(lines) == 1 + rows + (rows >= AXIS_FROM)
    assert {cell_len(line) for line in lines} == {width // 4 * 4}


def test_the_title_says_what_it_is_and_the_worst_that_is_wrong() -> None:
    web = workload("web-1", image="shop/web:1.8", ports="*:443", started_at=1_700_000_000.0 - 86400)
    moment, history = played(40, {web: {"cpu_limit_cores": 1}})
    alarm = worst_alarm(moment.readings[web.id], moment, history, False)
    assert alarm == ("▲ CPU at its limit for 38s", "bad")
    line = title_line(Line("web-1", moment.readings[web.id]), moment, (alarm,), "Enter opens", 120, False)
    text = plain_text(line)
    assert text.startswith("─ web-1  container docker · shop/web:1.8 · *:443 · up 1d0h  ▲ CPU at its limit for 38s ───")
    assert text.endswith("── Enter opens ─")
    assert len(text) == 120


def test_a_narrow_title_keeps_name_and_alarm_and_gives_up_facts() -> None:
    web = workload("web-1", image="registry.example.org/shop/web:1.8.2-bookworm")
    moment, history = played(40, {web: {"cpu_limit_cores": 1}})
    alarm = worst_alarm(moment.readings[web.id], moment, history, False)
    assert alarm is not None
    text = plain_text(title_line(Line("web-1", moment.readings[web.id]), moment, (alarm,), "", 80, False))
    assert text.startswith("─ web-1  ct docker  ▲ CPU at its limit for 38s ─")
    assert len(text) == 80


def test_a_group_names_its_worst_member() -> None:
    full, ill = workload("full"), workload("ill", health="unhealthy")
    memory = {"memory_charged_bytes": 99 << 20, "memory_limit_bytes": 100 << 20}
    moment, history = played(20, {ill: {}, full: memory}, cpu=0.1)
    members = list(moment.readings.values())
    assert worst_of_group(members, moment, history, False) == ("▲ full: memory at its limit", "bad")
    assert worst_of_group(members[:1], moment, history, False) == ("! ill: its health check fails", "warn")
    assert worst_of_group([], moment, history, False) is None


@given(st.integers(20, 200), st.text(min_size=1, max_size=60))
def test_a_title_is_never_wider_than_its_line(width: int, name: str) -> None:
    web = workload(name)
    moment, _ = played(2, {web: {}})
    for ascii_only in (False, True):
        line = title_line(
            Line(name, moment.readings[web.id]), moment, (("▲ " + name, "bad"),), "Enter", width, ascii_only
        )
        assert cell_len(plain_text(line)) <= width
