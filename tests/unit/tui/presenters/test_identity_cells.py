"""What a workload is and where it is reached, in the width of a column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Kind, State, Unmeasured, Workload, WorkloadId
from tui.presenters.main_screen.identity_cells import IDENTITY_TEXTS, facts_of, ports_of, ports_runs

WEB = Workload(WorkloadId("docker", "a" * 64), Kind.CONTAINER, "web", State.RUNNING)
TEXTS = st.lists(
    st.sampled_from(
        ["*:443→8443/tcp", "127.0.0.1:8080→80/tcp", "5432/tcp", "*:53→53/udp", "[::1]:9→9/tcp", "8080→80/tcp", "…"]
    ),
    max_size=9,
).map(", ".join)


def plain(text: str | None, width: int) -> str:
    return "".join(part for part, _ in ports_runs(text, width)).rstrip()


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("*:443→8443/tcp", 15, "*:443"),
        ("127.0.0.1:18080→80/tcp", 15, "127.0.0.1:18080"),
        ("[::1]:8080→80/tcp", 15, "[::1]:8080"),
        ("*:8000-8010→8000-8010/tcp", 15, "*:8000-8010"),
        ("*:53→53/udp", 15, "*:53/udp"),
        ("5432/tcp", 15, "5432/tcp"),
        ("8080→80/tcp, 5432/tcp", 15, "8080, 5432/tcp"),
        ("127.0.0.1:8080→80/tcp, *:443→8443/tcp", 30, "*:443, 127.0.0.1:8080"),
        ("*:443→443/tcp, *:80→80/tcp, *:8080→8080/tcp", 15, "*:443, *:80, +1"),
        ("*:443→443/tcp, *:80→80/tcp, *:8080→8080/tcp", 12, "*:443, +2"),
        (None, 15, "-"),
    ],
)
def test_ports_are_short_and_have_their_address(text: str | None, width: int, shown: str) -> None:
    assert plain(text, width) == shown


def test_what_other_hosts_reach_stands_out_and_what_only_this_host_reaches_does_not() -> None:
    runs = ports_runs("*:443→8443/tcp, 127.0.0.1:8080→80/tcp", 30)
    assert dict(runs)["*:443"] == "text"
    assert dict(runs)[", 127.0.0.1:8080"] == "muted"
    assert [port.rank for port in ports_of("192.0.2.7:80→80/tcp, [::1]:80→80/tcp, 80/tcp")] == [0, 1, 2]


@given(TEXTS, st.integers(1, 40))
def test_a_cell_of_ports_is_exactly_as_wide_as_its_column(text: str, width: int) -> None:
    assert cell_len("".join(part for part, _ in ports_runs(text or None, width))) == width


def test_the_first_address_is_shown_and_how_many_more_there_are() -> None:
    many = Workload(WEB.id, Kind.CONTAINER, "web", addresses=("172.18.0.2", "fd00::2"))
    assert IDENTITY_TEXTS["ip"](many, 15) == "172.18.0.2 +1"
    assert IDENTITY_TEXTS["ip"](many, 10) == "172.18.0.2"
    assert IDENTITY_TEXTS["ip"](WEB, 15) == "-"


@pytest.mark.parametrize("kind", [Kind.VM, Kind.CONTAINER, Kind.SERVICE])
@pytest.mark.parametrize("state", list(State))
def test_every_fact_that_is_not_known_has_a_reason(kind: Kind, state: State) -> None:
    for fact in facts_of(Workload(WorkloadId("x", "y"), kind, "z", state)):
        assert fact.text == ""
        assert len(fact.why_not) > 10
        assert fact.why_not[0].islower()


def test_the_reasons_are_those_of_the_workload() -> None:
    def reason(name: str, workload: Workload) -> str:
        return next(fact.why_not for fact in facts_of(workload) if fact.name == name)

    shared = (Unmeasured(Topic.NETWORK, Cause.HOST_NETWORK),)
    on_host = Workload(WEB.id, Kind.CONTAINER, "web", State.RUNNING, unmeasured=shared)
    assert "the host's network" in reason("ports", on_host)
    assert "the host's network" in reason("ip", on_host)
    assert reason("ports", WEB) == "it publishes no port"
    assert reason("exit", WEB) == "it is running"
    unnamed = Workload(WEB.id, Kind.CONTAINER, "aaaa", State.RUNNING, name_is_known=False)
    assert "see !" in reason("project", unnamed)
