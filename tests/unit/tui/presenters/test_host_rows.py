"""Several hosts in the table: lines, groups, hosts that are gone, one host alone."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from collectors.analysis.history import History
from collectors.analysis.rates import Deriver, Moment
from collectors.query.filter import parse
from tests.helpers.far_fleet import FarFleet
from tui.presenters.main_screen.pane_title import title_line
from tui.presenters.main_screen.view_words import count_words
from tui.presenters.styled_lines import plain_text
from tui.presenters.table.cells import Cells
from tui.presenters.table.columns import DEFAULT, lay_out
from tui.presenters.table.host_rows import looked_at, short_names
from tui.presenters.table.line import Line
from tui.presenters.table.state import Scale, TableState


def moment_of(fleet: FarFleet, *steps_s: float) -> Moment:
    deriver = Deriver()
    for step_s in (1.0, *steps_s):
        moment = deriver.feed(fleet.frame(step_s))
    return moment


def silent(seconds: float, names: tuple[str, ...] = ("hv01", "hv02")) -> Moment:
    fleet = FarFleet(names)
    deriver = Deriver()
    for _ in range(3):
        deriver.feed(fleet.frame())
    fleet.silent.add("hv02")
    return deriver.feed(fleet.frame(seconds))


def text_of(line: Line, moment: Moment, width: int = 100, view: TableState | None = None) -> str:
    cells, columns = Cells(History()), lay_out(DEFAULT, width, 4)
    cells.at(moment, view.scale if view else Scale.CORE)
    cells.is_folded = (view or TableState()).is_folded
    text = "".join(cell.text for cell in cells.line(line, columns, False))
    assert cell_len(text) < width
    return text


def test_equal_workloads_of_two_hosts_stand_side_by_side() -> None:
    moment, view = moment_of(FarFleet(), 1), TableState(sort="name")
    lines = view.arrange(moment)
    assert len(lines) == len({line.id for line in lines}) == 20
    assert [line.id.host for line in lines[:2]] == ["hv01", "hv02"]
    assert lines[0].id[:2] == lines[1].id[:2]
    assert " hv01 " in text_of(lines[0], moment)
    assert " hv02 " in text_of(lines[1], moment)


def test_the_line_above_the_table_is_the_sum_of_the_hosts_own_values() -> None:
    moment, view = moment_of(FarFleet(), 1, 1), TableState()
    view.arrange(moment)
    assert view.host is not None
    own = [host.reading.value("cpu_percent") or 0.0 for host in moment.hosts.values() if host.reading is not None]
    assert view.host.label == "2 hosts"
    assert view.host.value("cpu_percent") == pytest.approx(sum(own))


def test_the_line_of_all_hosts_has_the_memory_of_all_for_its_limit() -> None:
    moment, view = moment_of(FarFleet(), 1, 1), TableState()
    view.arrange(moment)
    assert view.host is not None
    shown = text_of(view.host, moment, 200)
    assert "512G" in shown
    assert "%" in shown


def test_a_folded_host_shows_its_own_values_not_the_sum_of_its_workloads() -> None:
    moment, view = moment_of(FarFleet(), 1, 1), TableState(is_tree=True)
    lines = view.arrange(moment)
    assert [line.label for line in lines] == ["hv01", "hv02"] or [line.label for line in lines] == ["hv02", "hv01"]
    for line in lines:
        own = moment.hosts[line.label].reading
        assert own is not None
        assert line.value("memory_host_bytes") == own.value("memory_host_bytes")
        assert line.value("memory_host_bytes") != sum(
            member.value("memory_host_bytes") or 0 for member in line.outer_members
        )
        assert f"▸ {line.label} 10" in text_of(line, moment, view=view)


def test_an_opened_host_shows_its_workloads_below_it() -> None:
    moment, view = moment_of(FarFleet(), 1), TableState(is_tree=True)
    view.fold(next(line for line in view.arrange(moment) if line.label == "hv02"))
    lines = view.arrange(moment)
    at = next(index for index, line in enumerate(lines) if line.label == "hv02")
    assert {line.id.host for line in lines[at + 1 : at + 11]} == {"hv02"}
    assert len(lines) == 12
    assert count_words(view) == "20 in 2"


def test_rows_of_a_silent_host_are_stale_and_stay() -> None:
    moment, view = silent(5), TableState(sort="name")
    lines = view.arrange(moment)
    assert len(lines) == 20
    assert [text_of(line, moment)[1] for line in lines[:2]][1] == "?"
    assert text_of(lines[0], moment)[1] != "?"


def test_a_host_that_is_gone_is_one_line_at_the_end() -> None:
    moment, view = silent(300), TableState(show_all=True)
    lines = view.arrange(moment)
    assert len(lines) == 11
    shown = text_of(lines[-1], moment, 150)
    assert "hv02  gone 5m  10 workloads  ssh: connect to host hv02 port 22: Connection refused" in shown
    view.fold(lines[-1])
    assert len(view.arrange(moment)) == 21, "Enter shows its last rows"


def test_a_host_that_never_answered_says_why() -> None:
    fleet = FarFleet()
    fleet.silent.add("hv02")
    moment = moment_of(fleet, 1)
    assert "hv02  no answer  ssh: connect to host" in text_of(TableState().arrange(moment)[-1], moment, 150)


def test_one_host_alone_is_grouped_by_project_under_its_own_line() -> None:
    moment, view = moment_of(FarFleet(), 1, 1), TableState(is_tree=True, alone="hv02")
    seen = looked_at(moment, view.alone)
    lines = view.arrange(seen)
    assert "virtual machines" in {line.label for line in lines}
    assert {member.workload.id.host for line in lines for member in line.members} == {"hv02"}
    assert view.host is not None
    assert view.host.reading is moment.hosts["hv02"].reading
    assert "256G" in text_of(view.host, seen, 200)


def test_the_only_host_is_always_looked_at_alone() -> None:
    moment = moment_of(FarFleet(("hv01",)), 1)
    assert looked_at(moment, None).hosts == {}
    assert looked_at(moment, None).host is moment.hosts["hv01"].reading


def test_a_host_that_left_the_configuration_is_not_looked_at_alone() -> None:
    moment = moment_of(FarFleet(), 1)
    assert looked_at(moment, "hv09") is moment


@pytest.mark.parametrize("text", ["host=hv02", "host~02", "!host=hv01"])
def test_the_filter_knows_hosts(text: str) -> None:
    moment, view = moment_of(FarFleet(), 1), TableState(query=parse(text), query_text=text)
    assert {line.id.host for line in view.arrange(moment)} == {"hv02"}


def test_this_host_is_called_local_in_filters() -> None:
    moment, view = moment_of(FarFleet(is_local=True), 1), TableState(query=parse("host=local"))
    assert {line.id.host for line in view.arrange(moment)} == {""}


def test_a_filter_hides_hosts_without_a_match() -> None:
    moment, view = moment_of(FarFleet(), 1), TableState(is_tree=True, query=parse("host=hv02"))
    assert [line.label for line in view.arrange(moment)] == ["hv02"]


def test_nothing_is_chosen_on_the_line_of_all_hosts() -> None:
    moment, view = moment_of(FarFleet(), 1), TableState()
    view.arrange(moment)
    view.move_to(-1)
    assert view.is_on_host
    assert view.chosen(moment.readings) == []


def test_the_line_of_a_host_does_not_choose_all_its_workloads_but_marks_do() -> None:
    moment, view = moment_of(FarFleet(), 1), TableState(is_tree=True)
    view.arrange(moment)
    view.move_to(0)
    assert view.chosen(moment.readings) == []
    first = next(iter(moment.readings))
    view.marks.add(first)
    assert [workload.id for workload in view.chosen(moment.readings)] == [first]


def test_the_order_by_host_puts_each_hosts_workloads_together() -> None:
    moment, view = moment_of(FarFleet(is_local=True), 1), TableState(sort="host")
    assert [line.id.host for line in view.arrange(moment)] == ["hv01"] * 10 + ["hv02"] * 10 + [""] * 10


def test_names_lose_their_domain_only_while_they_stay_different() -> None:
    assert short_names(["a.x.org", "b.x.org"]) == {"a.x.org": "a", "b.x.org": "b"}
    assert short_names(["a.x.org", "a.y.org"]) == {"a.x.org": "a.x.org", "a.y.org": "a.y.org"}
    assert short_names(["10.0.0.1", "10.0.0.2"]) == {"10.0.0.1": "10.0.0.1", "10.0.0.2": "10.0.0.2"}


def test_the_rule_above_the_panes_names_the_host_of_a_workload() -> None:
    moment, view = moment_of(FarFleet(), 1), TableState(sort="name")
    line = view.arrange(moment)[0]
    assert "hv01" in plain_text(title_line(line, moment, (), "", 100, False))


def test_the_rule_above_the_panes_tells_what_a_host_is() -> None:
    moment, view = moment_of(FarFleet(), 1), TableState(is_tree=True, sort="name")
    title = plain_text(title_line(view.arrange(moment)[0], moment, (), "", 100, False))
    assert "hv01  host · 32 CPUs · 256G" in title
