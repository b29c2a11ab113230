"""The view's choices and the table's cells, without a terminal."""

from __future__ import annotations

import msgspec
import pytest

from collectors.analysis.history import History
from collectors.analysis.rates import Deriver, Moment, Pair, Reading
from collectors.model.workloads import Availability, Kind, Sample, SourceState, State, Workload, WorkloadId
from tests.helpers.demo_fleet import Fleet
from tests.helpers.table_rows import fields, tone_of
from tui.presenters.main_screen.view_words import count_words
from tui.presenters.pages.info_pages import why_page
from tui.presenters.table.cells import Cells
from tui.presenters.table.columns import DEFAULT, GUTTER, NAME_LEAST, column_of, lay_out
from tui.presenters.table.line import Line
from tui.presenters.table.state import Scale, TableState


def _moment(fleet: Fleet, ticks: int = 3) -> Moment:
    deriver = Deriver()
    for _ in range(ticks - 1):
        deriver.feed(fleet.frame())
    return deriver.feed(fleet.frame())


def test_lines_are_made_only_for_what_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(label: str, reading: Reading) -> Line:
        made.append(label)
        return Line(label, reading)

    monkeypatch.setattr("tui.presenters.table.line.Line", counted)
    state, fleet = TableState(), Fleet(500)
    deriver = Deriver()
    for _ in range(3):
        lines = state.arrange(deriver.feed(fleet.frame()))
    made.clear()
    visible = lines[:40]
    assert [line.label for line in visible] == made
    assert len(made) == 40 < len(lines)


def test_an_order_of_the_same_workloads_is_found_without_their_identities() -> None:
    """The list of identities by name stays the same object, by which the order is known to be of the same rows."""
    state, fleet, deriver = TableState(), Fleet(50), Deriver()
    state.arrange(deriver.feed(fleet.frame()))
    before = state._ids_by_name
    state.arrange(deriver.feed(fleet.frame()))
    assert state._ids_by_name is before
    assert state._calm._by_name is before


def test_columns_fit_every_width_and_the_name_is_always_there() -> None:
    for width in range(20, 260):
        columns = lay_out(DEFAULT, width)
        assert columns[0].key == "name"
        taken = GUTTER + sum(column.gap + column.width for column in columns)
        assert taken <= max(width - 1, GUTTER + NAME_LEAST)
        assert width < 80 or taken == width - 1, "the last column ends one cell before the edge"


def test_every_cell_is_exactly_as_wide_as_its_column() -> None:
    moment = _moment(Fleet(30))
    cells = Cells(History())
    cells.at(moment, Scale.CORE)
    columns = lay_out(DEFAULT, 160)
    for line in TableState().arrange(moment):
        shown = fields(cells.line(line, columns, False), columns)
        assert shown.keys() == {"gutter", *(column.key for column in columns)}


def test_a_group_adds_sizes_and_flows_but_no_shares_means_or_limits() -> None:
    moment = _moment(Fleet(20))
    members = tuple(moment.readings.values())
    group = Line("all", None, members)
    assert group.value("memory_host_bytes") == sum(m.value("memory_host_bytes") or 0 for m in members)
    assert group.value("cpu_wait_percent") is None
    assert group.value("memory_report_age_seconds") is None


@pytest.mark.parametrize(
    ("engine", "sentence"), [("docker", "No engine that vmtop asks knows it"), ("podman", "Podman")]
)
def test_a_container_that_no_engine_knows_has_a_sign_and_a_reason(engine: str, sentence: str) -> None:
    identity = WorkloadId(engine, "a" * 64)
    frame = Fleet(0).frame()
    seen = Workload(identity, Kind.CONTAINER, "aaaaaaaaaaaa", State.RUNNING, False, is_listed=False)
    frame.workloads[identity] = seen
    moment = Deriver().feed(frame)
    cells = Cells(History())
    cells.at(moment, Scale.CORE)
    (line,) = [line for line in TableState().arrange(moment) if line.id == identity]
    columns = lay_out(DEFAULT, 80)
    assert fields(cells.line(line, columns, False), columns)["gutter"] == " ? "
    assert sentence in why_page(moment.readings[identity], moment).plain


def test_the_numbers_of_an_outer_workload_are_said_to_include_those_of_the_inner_ones() -> None:
    outer, inner = WorkloadId("docker", "a" * 64), WorkloadId("docker", "b" * 64)
    frame = Fleet(0).frame()
    frame.workloads[outer] = Workload(outer, Kind.CONTAINER, "runner", State.RUNNING)
    frame.workloads[inner] = Workload(inner, Kind.CONTAINER, "job", State.RUNNING, parent=outer)
    moment = Deriver().feed(frame)
    assert "include those of job, inside it" in why_page(moment.readings[outer], moment).plain
    assert "inside it" not in why_page(moment.readings[inner], moment).plain


def test_a_nested_member_counts_once_in_its_group() -> None:
    outer, inner = WorkloadId("systemd", "/user@1000.service"), WorkloadId("podman", "b" * 64)
    frame = Fleet(0).frame()
    frame.workloads[outer] = Workload(outer, Kind.SERVICE, "user@1000", State.RUNNING)
    frame.workloads[inner] = Workload(inner, Kind.CONTAINER, "web", State.RUNNING, parent=outer)
    for identity in (outer, inner):
        frame.samples[identity] = (Sample("cgroup", frame.at_ns, memory_charged_bytes=1 << 30),)
    moment = Deriver().feed(frame)
    assert Line("g", None, tuple(moment.readings.values())).value("memory_host_bytes") == 1 << 30


def test_on_the_scale_of_limits_the_order_is_that_of_the_shown_number() -> None:
    moment = _moment(Fleet(40))
    view = TableState(scale=Scale.LIMIT)
    shown = [line.value("cpu_of_limit_percent") for line in view.arrange(moment)]
    known = [value for value in shown if value is not None]
    assert known == sorted(known, reverse=True)
    assert shown[: len(known)] == known


def test_an_old_number_is_marked_although_another_source_is_fresh() -> None:
    fleet = Fleet(1)
    deriver = Deriver()
    late = Sample("libvirt", 1, net_rx_total_bytes=1000)
    later = Sample("libvirt", fleet.now_ns, net_rx_total_bytes=5_000_000)
    moment = None
    for extra in (late, later, later):
        frame = fleet.frame(60)
        identity = next(iter(frame.workloads))
        fresh = msgspec.structs.replace(frame.samples[identity][0], net_rx_total_bytes=None)
        frame.samples[identity] = (fresh, extra)
        moment = deriver.feed(frame)
    assert moment is not None
    cells = Cells(History())
    cells.at(moment, Scale.CORE)
    line = TableState().arrange(moment)[0]
    columns = [column_of("name"), column_of("net_rx_bytes_per_second"), column_of("memory_host_bytes")]
    row = cells.line(line, columns, False)
    received = fields(row, columns)["net_rx_bytes_per_second"]
    assert received.lstrip().startswith("?")
    assert tone_of(row, received) == "stale"
    assert tone_of(row, fields(row, columns)["memory_host_bytes"]) != "stale"


@pytest.mark.parametrize("source", ["podman", "podman@1000"])
def test_a_row_without_numbers_is_stale_with_the_source_of_its_engine_whatever_its_label(source: str) -> None:
    own = Workload(WorkloadId("podman", "w"), Kind.CONTAINER, "web", State.RUNNING)
    moment = _moment(Fleet(1))
    states = (SourceState(source, Availability.STALE),)
    moment = moment._replace(
        readings={own.id: Reading(own, ())}, frame=msgspec.structs.replace(moment.frame, sources=states)
    )
    cells = Cells(History())
    cells.at(moment, Scale.CORE)
    columns = [column_of("name")]
    row = cells.line(TableState().arrange(moment)[0], columns, False)
    assert "?" in fields(row, columns)["gutter"]


def test_the_cursor_stays_on_top_until_it_is_moved_and_then_on_its_workload() -> None:
    fleet, view, deriver = Fleet(20), TableState(clock=lambda: 0.0), Deriver()
    for _ in range(4):
        lines = view.arrange(deriver.feed(fleet.frame()))
        assert view.cursor == lines[0].id
    view.move_to(5)
    chosen = view.cursor
    for sort in ("name", "memory_host_bytes", "cpu_percent"):
        view.sort = sort
        view.release_order()
        view.arrange(deriver.feed(fleet.frame()))
        assert view.cursor == chosen


def test_when_nothing_is_left_below_the_cursor_takes_the_nearest_above() -> None:
    fleet, view, deriver = Fleet(20), TableState(sort="name", clock=lambda: 0.0), Deriver()
    before = view.arrange(deriver.feed(fleet.frame()))
    view.move_to(19)
    frame = fleet.frame()
    for line in before[18:]:
        del frame.workloads[line.id], frame.samples[line.id]
    view.arrange(deriver.feed(frame))
    assert view.cursor == before[17].id


def test_while_the_order_is_held_what_is_new_comes_last() -> None:
    fleet, view, deriver = Fleet(20), TableState(clock=lambda: 0.0), Deriver()
    before = [line.id for line in view.arrange(deriver.feed(fleet.frame()))]
    view.move_to(3)
    frame = fleet.frame()
    new = WorkloadId("docker", "f" * 64)
    frame.workloads[new] = Workload(new, Kind.CONTAINER, "a-new-one", State.RUNNING)
    assert [line.id for line in view.arrange(deriver.feed(frame))] == [*before, new]
    view.sort = "name"
    assert [line.id for line in view.arrange(deriver.feed(frame))] != [*before, new]


def test_while_the_order_is_held_a_folded_group_keeps_its_place_and_its_members_theirs() -> None:
    fleet, deriver = Fleet(20), Deriver()
    view = TableState(is_tree=True, clock=lambda: 0.0)
    for _ in range(3):
        before = [line.id for line in view.arrange(deriver.feed(fleet.frame()))]
    groups = [one for one in before if one.engine == "group"]
    view.move_to(0)
    view.folded = {groups[0].id}
    for _ in range(3):
        lines = view.arrange(deriver.feed(fleet.frame()))
        assert [line.id for line in lines if line.reading is None] == groups
    view.folded.clear()
    assert [line.id for line in view.arrange(deriver.feed(fleet.frame()))] == before


def test_a_group_has_its_cpu_on_the_scale_of_its_members_and_none_on_that_of_limits() -> None:
    moment = _moment(Fleet(20))
    group = Line("all", None, tuple(moment.readings.values()))
    sum_percent = group.value("cpu_percent")
    assert sum_percent is not None
    cells, columns, shown = Cells(History()), [column_of("name"), column_of("cpu_percent")], {}
    for scale in Scale:
        cells.at(moment, scale)
        shown[scale] = fields(cells.line(group, columns, False), columns)["cpu_percent"].strip()
    assert float(shown[Scale.CORE]) == pytest.approx(sum_percent, rel=0.02)
    assert float(shown[Scale.HOST]) == pytest.approx(sum_percent / moment.frame.cpus, rel=0.02)
    assert shown[Scale.LIMIT] == ""


def test_the_count_under_a_filter_leaves_out_the_workloads_that_are_stopped_anyway() -> None:
    frame = Fleet(0).frame()
    workloads = [
        Workload(WorkloadId("docker", name), kind, name, state, False)
        for name, kind, state in (
            ("a", Kind.CONTAINER, State.RUNNING),
            ("b", Kind.VM, State.RUNNING),
            ("c", Kind.CONTAINER, State.STOPPED),
        )
    ]
    frame = msgspec.structs.replace(frame, workloads={workload.id: workload for workload in workloads}, samples={})
    moment = Deriver().feed(frame)
    view = TableState(only=Kind.CONTAINER)
    view.arrange(moment)
    assert count_words(view) == "1 of 2"
    view.show_all = True
    view.arrange(moment)
    assert count_words(view) == "2 of 3"
    view.hold_order()
    assert count_words(view) == "2 held"


def test_a_pods_sandbox_has_no_row_and_counts_with_its_pod_unless_it_works() -> None:
    sandbox = Workload(WorkloadId("podman", "s"), Kind.CONTAINER, "1-infra", State.RUNNING, project="shop")
    sandbox = msgspec.structs.replace(sandbox, is_sandbox=True)
    web = Workload(WorkloadId("podman", "w"), Kind.CONTAINER, "web", State.RUNNING, project="shop")
    view = TableState(is_tree=True)
    for cores, labels in ((0.0, ["shop", "web"]), (0.5, ["shop", "1-infra", "web"])):
        used = ((sandbox, cores), (web, 0.25))
        readings = {workload.id: Reading(workload, (_cpu(share),)) for workload, share in used}
        moment = _moment(Fleet(1))._replace(readings=readings)
        assert sorted(line.label for line in view.arrange(moment)) == sorted(labels)
        assert view.lines[0].value("cpu_percent") == pytest.approx(25 + 100 * cores)


def test_in_its_group_a_container_of_a_pod_has_its_own_name_only() -> None:
    web, side, alone = (
        Workload(WorkloadId("containerd", name), Kind.CONTAINER, name, State.RUNNING, project=project)
        for name, project in (("web/nginx", "shop/web"), ("web/side", "shop/web"), ("web", "shop"))
    )
    readings = {workload.id: Reading(workload, (_cpu(0.25),)) for workload in (web, side, alone)}
    moment = _moment(Fleet(1))._replace(readings=readings)
    labels = {line.label for line in TableState(is_tree=True).arrange(moment)}
    assert labels == {"shop/web", "nginx", "side", "shop", "web"}
    assert {line.label for line in TableState().arrange(moment)} == {"web/nginx", "web/side", "web"}


def _cpu(cores: float) -> Pair:
    second = 10**9
    samples = (Sample("cgroup", at * second, cpu_total_ns=round(at * cores * second)) for at in (1, 2))
    previous, current = samples
    return Pair(previous, current)
