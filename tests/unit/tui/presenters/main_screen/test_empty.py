"""What an empty table says."""

from __future__ import annotations

import msgspec

from collectors.analysis.rates import Deriver, Moment
from collectors.model.workloads import Availability, Kind, SourceState, State, Workload
from tests.helpers.strategies import frame, workload
from tui.keys.tables import LIVE, TABLES
from tui.presenters.main_screen.empty import empty_lines
from tui.presenters.styled_lines import plain_text
from tui.presenters.table.state import TableState

SOURCES = (
    SourceState("host", Availability.OK, "4 cpus"),
    SourceState("cgroup", Availability.OK, "0 workloads"),
    SourceState(
        "docker", Availability.DENIED, "", "no permission on /var/run/docker.sock", "sudo usermod -aG docker $USER"
    ),
    SourceState("libvirt", Availability.ABSENT, "", "there is no socket", "apt install libvirt-daemon"),
)


def said(view: TableState, *workloads: Workload) -> list[str]:
    made = msgspec.structs.replace(frame(1, {described: {} for described in workloads}), sources=SOURCES)
    moment: Moment = Deriver().feed(made)
    view.arrange(moment)
    return [plain_text(line) for line in empty_lines(view, moment, TABLES[LIVE])]


def test_nothing_there_tells_the_state_of_each_source_its_fix_and_the_keys() -> None:
    lines = said(TableState())
    assert lines[0].strip() == "No machines, containers or services are running here."
    assert "          cgroup    ok, 0 workloads" in lines
    docker = lines.index("          docker    no permission on /var/run/docker.sock")
    assert lines[docker + 1].strip() == "sudo usermod -aG docker $USER"
    assert "          libvirt   not installed" in lines, "what is not wanted needs no fix"
    assert not any("apt install" in line for line in lines)
    assert any(line.strip().startswith("a  show stopped ones") for line in lines)


def test_a_moment_in_which_nothing_was_scraped_is_not_an_empty_host() -> None:
    made = msgspec.structs.replace(frame(1, {}), sources=(), samples={})
    lines = empty_lines(TableState(), Deriver().feed(made), TABLES[LIVE])
    assert plain_text(lines[0]).strip() == "Nothing was measured at this moment."


def test_stopped_ones_are_counted_with_the_key_that_shows_them() -> None:
    lines = said(TableState(), workload("a", state=State.STOPPED), workload("b", state=State.CRASHED))
    assert lines[0].strip() == "Nothing is running here. 2 workloads are stopped: a shows them"


def test_a_filter_that_hides_all_says_so_with_the_number_and_the_way_out() -> None:
    from collectors.query.filter import parse

    view = TableState(query=parse("kind=vm cpu>50"), query_text="kind=vm cpu>50")
    assert said(view, workload("a"), workload("b")) == ["        Nothing matches kind=vm cpu>50. 2 hidden. Esc clears."]


def test_a_kind_that_is_not_there_says_so() -> None:
    lines = said(TableState(only=Kind.VM), workload("a"))
    assert lines == ["        No virtual machines are running here. 1 hidden. 1 shows every kind, a stopped ones too."]
