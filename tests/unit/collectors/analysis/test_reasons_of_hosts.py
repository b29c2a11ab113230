"""Why a cell of another host's workload is empty: by the sources of that host."""

from __future__ import annotations

from msgspec.structs import replace

from collectors.analysis.empty_cells import failing_sources
from collectors.analysis.hosts import of_one_host
from collectors.analysis.rates import Deriver, Moment, Reading
from collectors.model.workloads import Availability, Kind, SourceState
from tests.helpers.far_fleet import FarFleet

_FAILS = SourceState("cgroup", Availability.STALE, "", "cgroup has not responded for 9 s", host="hv01")
_WORKS = SourceState("cgroup", Availability.OK, host="hv02")


def container(moment: Moment, host: str) -> Reading:
    return next(
        reading
        for identity, reading in moment.readings.items()
        if identity.host == host and reading.workload.kind is Kind.CONTAINER
    )


def moment_with(*states: SourceState) -> Moment:
    frame = FarFleet(is_local=True).frame()
    return Deriver().feed(replace(frame, sources=(*frame.sources, *states)))


def test_a_source_of_one_host_says_nothing_of_another() -> None:
    moment = moment_with(_FAILS, _WORKS)
    assert failing_sources(container(moment, "hv01"), moment, "docker") == [_FAILS]
    assert failing_sources(container(moment, "hv02"), moment, "docker") == []
    assert failing_sources(container(moment, ""), moment, "docker") == []


def test_the_same_holds_for_one_host_alone() -> None:
    moment = of_one_host(moment_with(_FAILS, _WORKS), "hv01")
    assert failing_sources(container(moment, "hv01"), moment, "docker") == [_FAILS]


def test_of_a_silent_host_the_connection_is_to_blame() -> None:
    fleet = FarFleet()
    fleet.frame()
    fleet.silent.add("hv02")
    moment = Deriver().feed(fleet.frame(30.0))
    (state,) = failing_sources(container(moment, "hv02"), moment, "docker")
    assert state.name == "hv02"
    assert "Connection refused" in state.reason


def test_a_connection_called_as_an_engine_is_no_source_of_this_host() -> None:
    fleet = FarFleet(("cgroup",), is_local=True)
    fleet.frame()
    fleet.silent.add("cgroup")
    moment = Deriver().feed(fleet.frame(30.0))
    assert failing_sources(container(moment, ""), moment, "docker") == []
