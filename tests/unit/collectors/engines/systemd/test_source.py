"""Services at rest, as a bus that is played lists them: who they are, and which of them are worth listing."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from collectors.engines.systemd.bus import SERVICE, UNIT, NoSuchUnit
from collectors.engines.systemd.source import SystemdSource
from collectors.engines.systemd.unit_at_rest import slice_path, unit_at_rest
from collectors.engines.systemd.unit_files import EnabledServices
from collectors.kernel.cgroup.discovery import classify_path
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.merge import join
from collectors.sampling.source import SourceReading

NEVER, ONCE = 0, 1_700_000_000_000_000
"""Time stamps of systemd, in microseconds."""


class PlayedBus:
    """Knows some units by name: their ActiveState and their properties."""

    def __init__(self, units: dict[str, tuple[str, dict[str, Any]]]) -> None:
        self.units = units
        self.read: list[str] = []

    def call(self, method: str, signature: str, body: tuple[object, ...], **_options: object) -> Any:
        if method == "ListUnitFilesByPatterns":
            return [[(f"/lib/systemd/system/{name}", "enabled") for name in self.units]]
        return [
            [
                (name, "", "loaded", state, properties.get("SubState", ""), "", f"/{name}", 0, "", "/")
                for name, (state, properties) in self.units.items()
            ]
        ]

    def get(self, path: str, interface: str, name: str) -> Any:
        return self.properties(path, interface)[name]

    def properties(self, path: str, interface: str = UNIT) -> dict[str, Any]:
        assert interface in (UNIT, SERVICE)
        self.read.append(path)
        properties = self.units[path.lstrip("/")][1]
        if not properties:
            raise NoSuchUnit("it is gone")
        return properties


def at_rest(bus: PlayedBus) -> dict[WorkloadId, Workload]:
    return source_of(bus).read().workloads


def source_of(bus: Any) -> SystemdSource:
    """Return a source that is open on a played bus."""
    source = SystemdSource()
    source._bus, source._enabled = bus, EnabledServices(bus)
    return source


@pytest.mark.parametrize(
    ("name", "slice_name", "path"),
    [
        ("web.service", "system.slice", "/system.slice/web.service"),
        ("web.service", "custom.slice", "/custom.slice/web.service"),
        ("web.service", "a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice/web.service"),
        ("web.service", "-.slice", "/web.service"),
        (r"a\x2db@1.service", r"system-a\x5cx2db.slice", r"/system.slice/system-a\x5cx2db.slice/a\x2db@1.service"),
    ],
)
def test_a_service_is_the_same_workload_whether_it_runs_or_not(name: str, slice_name: str, path: str) -> None:
    (stopped,) = at_rest(PlayedBus({name: ("inactive", {"Type": "simple", "Slice": slice_name})})).values()
    running = classify_path(path)
    assert running.workload is not None
    assert stopped.id == WorkloadId(running.workload.engine, running.workload.id)
    assert (stopped.name, stopped.project) == (running.workload.name, running.project)


@pytest.mark.parametrize(
    ("properties", "is_meant"),
    [
        ({"Type": "simple"}, True),
        ({}, True),
        ({"Type": "oneshot", "RemainAfterExit": False}, False),
        ({"Type": "oneshot", "RemainAfterExit": True}, True),
        ({"Type": "oneshot", "RemainAfterExit": True, "ConditionResult": False, "ConditionTimestamp": ONCE}, False),
        ({"Type": "simple", "ConditionResult": False, "ConditionTimestamp": NEVER}, True),
        ({"Type": "exec", "TriggeredBy": ["x.socket"], "InactiveExitTimestamp": NEVER}, False),
        ({"Type": "notify", "TriggeredBy": ["docker.socket"], "InactiveExitTimestamp": ONCE}, True),
    ],
)
def test_a_unit_that_nobody_stopped_is_not_meant_to_run(properties: dict[str, Any], is_meant: bool) -> None:
    assert unit_at_rest(properties, properties).is_meant_to_run is is_meant
    assert len(at_rest(PlayedBus({"x.service": ("inactive", properties or {"Type": ""})}))) == is_meant


def test_a_one_shot_unit_that_failed_is_listed() -> None:
    (failed,) = at_rest(PlayedBus({"x.service": ("failed", {"Type": "oneshot"})})).values()
    assert failed.state is State.CRASHED


def test_a_unit_that_goes_between_two_calls_is_left_out() -> None:
    assert at_rest(PlayedBus({"x.service": ("inactive", {})})) == {}


def test_restarts_of_running_services_are_those_of_the_same_workloads() -> None:
    group = "/a.slice/a-b.slice/x.service"
    running = {"SubState": "running", "ControlGroup": group, "NRestarts": 3}
    exited = {"SubState": "exited", "ControlGroup": "", "NRestarts": 0}
    nspawn = {**running, "ControlGroup": "/machine.slice/systemd-nspawn@x.service"}
    units = {"x.service": running, "y.service": exited, "systemd-nspawn@x.service": nspawn}
    reading = source_of(PlayedBus({name: ("active", one) for name, one in units.items()})).read()
    assert reading.workloads == {}
    assert reading.restarts == {WorkloadId("systemd", group): 3}
    seen = Workload(WorkloadId("systemd", group), Kind.SERVICE, "x.service", State.RUNNING)
    joined = join([(False, SourceReading({seen.id: seen}, {})), (False, reading)]).workloads
    assert joined == {seen.id: replace(seen, restarts=3)}
    assert join([(False, reading)]).workloads == {}, "one that only systemd has seen is no row"


def test_a_unit_is_read_once_while_it_is_at_rest_and_again_when_it_was_not() -> None:
    bus = PlayedBus({"x.service": ("inactive", {"Type": "simple"}), "y.service": ("active", {})})
    source = source_of(bus)
    for _ in range(3):
        source.read()
    assert bus.read == ["/x.service"] * 2
    bus.units["x.service"] = ("active", {})
    assert source.read().workloads == {}
    bus.units["x.service"] = ("inactive", {"Type": "simple"})
    source.read()
    assert bus.read == ["/x.service"] * 4
    assert source._enabled is not None
    source._enabled._changes.append("Reloading")
    source.read()
    assert bus.read == ["/x.service"] * 6, "a reload may have given it another slice"


def test_the_root_slice_has_no_path() -> None:
    assert slice_path("-.slice") == ""
