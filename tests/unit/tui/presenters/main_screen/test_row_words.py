"""What a row says in words instead of numbers."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from collectors.analysis.history import History
from collectors.analysis.rates import Deriver
from collectors.analysis.state_log import StateLog
from collectors.model.workloads import Kind, Sample, State, Workload
from tests.helpers.strategies import frame, workload
from tests.helpers.table_rows import fields
from tui.presenters.main_screen.fact_cells import shortened
from tui.presenters.main_screen.row_words import ending_words, fitted, name_words
from tui.presenters.styled_lines import plain_text
from tui.presenters.table.cells import Cells
from tui.presenters.table.columns import DEFAULT, lay_out
from tui.presenters.table.line import Line
from tui.presenters.table.state import Scale


def ended(state: State = State.STOPPED, **facts: object) -> Workload:
    return workload("queue-1", Kind.CONTAINER, "docker", state=state, **facts)


@pytest.mark.parametrize(
    ("described", "seconds", "limit", "words", "tone"),
    [
        (ended(exit_code=137, state_reason="out of memory"), 12.4, 512 << 20,
         "exited 137 12s ago, OOM killed at 512M · x start", "bad"),
        (ended(exit_code=137, state_reason="out of memory"), None, None, "exited 137, OOM killed · x start", "bad"),
        (ended(exit_code=1, state_reason="exit code 1"), 90, None, "exited 1 1m30s ago · x start", "bad"),
        (ended(exit_code=0), 12, None, "stopped 12s ago · x start", "muted"),
        (ended(exit_code=143, state_reason="exit code 143"), 12, None, "exited 143 12s ago · x start", "muted"),
        (ended(state_reason="saved"), 12, None, "stopped 12s ago, saved · x start", "muted"),
        (ended(state=State.CRASHED, state_reason="guest panicked"), 5, None,
         "crashed 5s ago, guest panicked · x start", "bad"),
        (ended(state=State.CREATED), None, None, "created, never started · x start", "muted"),
    ],
)  # fmt: skip
def test_a_row_says_how_its_workload_ended(
    described: Workload, seconds: float | None, limit: float | None, words: str, tone: str
) -> None:
    runs = ending_words(described, seconds, limit, "x start")
    assert plain_text(runs) == words
    assert runs[0][1] == tone


def test_parts_that_do_not_fit_are_left_out_whole() -> None:
    runs = ending_words(ended(exit_code=137, state_reason="out of memory"), 12.4, 512 << 20, "x start")
    assert plain_text(fitted(runs, 45)).rstrip() == "exited 137 12s ago, OOM killed at 512M"
    assert plain_text(fitted(runs, 30)).rstrip() == "exited 137 12s ago"
    assert plain_text(fitted(runs, 10)) == "exited 13…"


@pytest.mark.parametrize(
    ("described", "words"),
    [
        (workload(health="unhealthy"), ("unhealthy", "warn")),
        (workload(state=State.PAUSED), ("paused", "muted")),
        (workload(state=State.PAUSED, state_reason="I/O error"), ("paused (I/O error)", "bad")),
        (workload(state=State.BLOCKED), ("blocked", "bad")),
        (workload(), None),
    ],
)
def test_a_name_is_followed_by_what_is_not_as_it_should_be(described: Workload, words: object) -> None:
    assert name_words(described) == words


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_row_without_numbers_speaks_across_their_columns(width: int) -> None:
    failed = ended(exit_code=137, state_reason="out of memory")
    running = replace(failed, state=State.RUNNING, exit_code=None, state_reason=None)
    deriver, states = Deriver(), StateLog()
    for seconds, seen in ((1, running), (2, failed), (14, failed)):
        moment = deriver.feed(frame(seconds, {seen: {"memory_limit_bytes": 512 << 20}}))
        states.push(moment)
    cells, columns = Cells(History()), lay_out(DEFAULT, width)
    cells.at(moment, Scale.CORE)
    cells.states, cells.hint = states, "x start"
    row = cells.line(Line("queue-1", moment.readings[failed.id]), columns, False)
    shown = fields(row, columns)
    text = "".join(cell.text for cell in row)
    assert shown["gutter"] == " ✗ "
    assert shown["name"].startswith("queue-1")
    assert "  exited 137 12s ago, OOM killed" in text
    assert (" · x start" in text) == (width > 80)


def test_an_action_in_progress_is_told_after_the_name_or_across_the_numbers() -> None:
    short, long = workload("web"), workload("a-name-that-fills-it")
    moment = Deriver().feed(frame(1, {short: {"memory_charged_bytes": 1 << 30}, long: {}}))
    cells, columns = Cells(History()), lay_out(DEFAULT, 80)
    cells.at(moment, Scale.CORE)
    cells.acting = dict.fromkeys((short.id, long.id), "killing 3s")
    row, other = (cells.line(Line("", moment.readings[identity]), columns, False) for identity in (short.id, long.id))
    shown = fields(row, columns)
    assert shown["gutter"] == " ◐ "
    assert shown["name"] == "web killing 3s "
    assert shown["memory_host_bytes"] == " 1.0G"
    assert "killing 3s" in "".join(cell.text for cell in other)
    assert fields(other, columns)["name"] == "a-name-that-fi…"


def test_a_workload_that_cannot_be_measured_says_why() -> None:
    remote = workload("far", endpoint="tcp://far:2375")
    first = Deriver().feed(frame(1, {remote: {}}))
    readings = {remote.id: type(first.readings[remote.id])(remote, ())}
    moment = first._replace(readings=readings)
    cells, columns = Cells(History()), lay_out(DEFAULT, 120)
    cells.at(moment, Scale.CORE)
    text = "".join(cell.text for cell in cells.line(Line("far", readings[remote.id]), columns, False))
    assert "docker may not be read by this user: no permission" in text


def test_the_host_is_a_row_in_the_same_columns() -> None:
    moment = Deriver().feed(frame(1, {}, {"memory_charged_bytes": 2 << 30}))
    cells, columns = Cells(History()), lay_out(DEFAULT, 200)
    cells.at(moment, Scale.CORE)
    shown = fields(cells.line(Line("machine", moment.host), columns, False), columns)
    assert shown["gutter"] == " ■ "
    assert shown["name"].rstrip() == "host"
    assert shown["kind"].strip() == ""
    assert shown["memory_host_bytes"].strip() == "2.0G"
    assert shown["memory_limit_bytes"].strip() == "8.0G"
    assert shown["memory_of_limit_percent"].strip() == "25%"
    assert shown["cpu_limit_cores"].strip() == "4"


def test_a_remote_host_is_a_row_like_others_with_what_it_has_itself() -> None:
    remote = workload("esxi1", Kind.HOST, "vsphere", endpoint="vc", started_at=1_700_000_000.0)
    moment = Deriver().feed(frame(60, {remote: {"memory_charged_bytes": 2 << 30, "memory_limit_bytes": 16 << 30}}))
    cells, columns = Cells(History()), lay_out(DEFAULT, 200)
    cells.at(moment, Scale.CORE)
    shown = fields(cells.line(Line("esxi1", moment.readings[remote.id]), columns, False), columns)
    assert (shown["gutter"], shown["name"].rstrip(), shown["kind"].strip()) == (" ● ", "esxi1", "host")
    assert shown["memory_limit_bytes"].strip() == "16G"
    assert shown["uptime"].strip() == "1m00s"


@pytest.mark.parametrize(("age_s", "text"), [(45, "2.0G"), (55, "?2.0G")])
def test_averages_over_many_seconds_are_stale_later_than_other_numbers(age_s: int, text: str) -> None:
    remote = workload("web", Kind.VM, "vsphere", endpoint="vc")
    now = frame(60 + age_s, {remote: {}})
    old = Sample("vsphere", 60 * 1_000_000_000, memory_charged_bytes=2 << 30)
    moment = Deriver().feed(replace(now, samples={remote.id: (old,)}))
    cells, columns = Cells(History()), lay_out(DEFAULT, 120)
    cells.at(moment, Scale.CORE)
    shown = fields(cells.line(Line("web", moment.readings[remote.id]), columns, False), columns)
    assert shown["memory_host_bytes"].strip() == text


def test_a_folded_group_hides_no_trouble() -> None:
    full = workload("full", Kind.CONTAINER, project="shop")
    ill = workload("ill", Kind.CONTAINER, project="shop", health="unhealthy")
    gone = workload("gone", Kind.CONTAINER, project="shop", state=State.CRASHED)
    limit = {"memory_charged_bytes": 99 << 20, "memory_limit_bytes": 100 << 20}
    moment = Deriver().feed(frame(1, {full: limit, ill: {}, gone: {}}))
    group = Line("shop", None, tuple(moment.readings.values()))
    for is_folded, sign in ((False, "▾"), (True, "▸")):
        cells, columns = Cells(History()), lay_out(DEFAULT, 80)
        cells.at(moment, Scale.CORE)
        cells.is_folded = {False: lambda line: False, True: lambda line: True}[is_folded]
        text = "".join(cell.text for cell in cells.line(group, columns, False))
        assert text.startswith(f" {sign} shop 3 ▲1 ✗1 !1 ")


@pytest.mark.parametrize("width", [80, 120])
def test_a_groups_name_runs_on_over_the_columns_in_which_a_group_has_nothing(width: int) -> None:
    label = "virtual machines"
    member = workload("a", Kind.VM, "libvirt")
    moment = Deriver().feed(frame(1, {member: {}}))
    cells, columns = Cells(History()), lay_out(DEFAULT, width)
    cells.at(moment, Scale.CORE)
    group = Line(label, None, tuple(moment.readings.values()) * 26)
    assert f"{label} 26 " in "".join(cell.text for cell in cells.line(group, columns, False))


def test_the_sparkline_of_a_group_counts_a_nested_member_once() -> None:
    outer, inner = workload("runner"), workload("job", parent=workload("runner").id)
    deriver, history, columns = Deriver(), History(), lay_out(DEFAULT, 80)
    for second in range(1, 20):
        used = {"cpu_total_ns": int(second * 0.6e9)}  # both: the inner one's work is in the outer one's numbers
        moment = deriver.feed(frame(second, {outer: used, inner: used}))
        history.push(moment)
    cells = Cells(history)
    cells.at(moment, Scale.CORE)
    group = Line("g", None, tuple(moment.readings.values()))
    single = Line("runner", moment.readings[outer.id])
    sparks = [fields(cells.line(line, columns, False), columns)["spark:cpu_percent"] for line in (group, single)]
    assert sparks[0] == sparks[1]


def test_one_that_waits_to_be_started_again_says_why() -> None:
    reason = "CrashLoopBackOff, exit code 3"
    waits = workload("web/app", Kind.CONTAINER, "kubernetes", state=State.RESTARTING, state_reason=reason)
    first = Deriver().feed(frame(1, {waits: {}}))
    readings = {waits.id: type(first.readings[waits.id])(waits, ())}
    cells, columns = Cells(History()), lay_out(DEFAULT, 120)
    cells.at(first._replace(readings=readings), Scale.CORE)
    row = cells.line(Line("web/app", readings[waits.id]), columns, False)
    assert reason in "".join(cell.text for cell in row)


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("web/nginx", 12, "web/nginx   "),
        ("checkout-7d9f/istio-proxy", 18, "check…/istio-proxy"),
        ("checkout-7d9f/istio-proxy", 13, "checkout-7d9…"),
        ("checkout-7d9f", 8, "checkou…"),
    ],
)
def test_a_long_name_keeps_that_of_the_container(name: str, width: int, shown: str) -> None:
    assert shortened(name, width, "…") == shown
