"""What becomes of the properties, changes and tasks of a server: pure parts, and actions on objects that stand in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.vsphere import actions as actions_module
from collectors.engines.vsphere import machines
from collectors.engines.vsphere.actions import VsphereActions
from collectors.engines.vsphere.details import machine_tables
from collectors.engines.vsphere.events import MachineEvents
from collectors.engines.vsphere.inventory import _HOST, _MACHINE, Found, Inventory, size_of_machine
from collectors.engines.vsphere.shell_commands import commands, warnings
from collectors.engines.vsphere.workloads import host_workload, to_workload
from collectors.model.actions import ActionTimedOut, AfterTimeout, Request, Verb
from collectors.model.errors import SourceError
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize

BOOTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MACHINE = {
    "name": "web",
    "runtime.powerState": "poweredOn",
    "summary.runtime.bootTime": BOOTED,
    "summary.config.instanceUuid": "5000",
    "summary.quickStats.guestHeartbeatStatus": "green",
    "guest.toolsRunningStatus": "guestToolsRunning",
    "guest.ipAddress": "192.0.2.7",
}
anything = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.datetimes(), st.just(object()))
WEB = Workload(WorkloadId("vsphere", "5000"), Kind.VM, "web", State.RUNNING, endpoint="vc")


def found(key: str = "vm-1", **properties: Any) -> Found:
    return Found(SimpleNamespace(_moId=key), properties)


def described(**changes: Any) -> Workload:
    machine = found(**{**MACHINE, **changes})
    return to_workload(machine, Inventory({"vm-1": machine}, {}, 0), "vc", 10.0)


def test_a_machine_has_what_its_guest_reports() -> None:
    web = described()
    assert (web.id, web.state, web.health) == (WorkloadId("vsphere", "5000"), State.RUNNING, "healthy")
    assert (web.addresses, web.labels) == (("192.0.2.7",), (("tools", "running"),))
    assert web.started_at == BOOTED.timestamp() - 10


def test_states_have_the_servers_reason() -> None:
    question = SimpleNamespace(text="I copied it\nor moved it?")
    assert (
        described(**{"summary.runtime.question": question}).state_reason
        == "waits for an answer: I copied it or moved it?"
    )
    lost = described(**{"summary.runtime.connectionState": "inaccessible"})
    assert (lost.state, lost.state_reason) == (State.UNKNOWN, "inaccessible from its host")
    suspended = described(**{"runtime.powerState": "suspended"})
    assert (suspended.state, suspended.state_reason) == (State.PAUSED, "suspended to disk")
    assert (suspended.addresses, suspended.health, suspended.started_at) == ((), None, None)


@given(st.dictionaries(st.sampled_from([*_MACHINE, *_HOST]), anything), st.text())
def test_any_properties_make_a_workload(properties: dict[str, Any], key: str) -> None:
    one = found(key, **properties)
    inventory = Inventory({"a": one}, {}, 0)
    for workload in (to_workload(one, inventory, "vc", 0.0), host_workload(one, "vc", 0.0)):
        for shown in (workload.name, workload.id.id, workload.image or "", workload.state_reason or ""):
            assert sanitize(shown, 600) == shown
    assert size_of_machine(one, one).memory_bytes >= 0


@given(st.dictionaries(st.sampled_from(["config.hardware.device", "snapshot", "guest.net", "config.uuid"]), anything))
def test_any_properties_make_tables(properties: dict[str, Any]) -> None:
    assert len(machine_tables(properties)) == 4


def test_snapshots_that_never_end_are_cut() -> None:
    endless = SimpleNamespace(name="s", createTime=BOOTED, state="poweredOff", description="")
    endless.childSnapshotList = [endless, endless]
    rows = machine_tables({"snapshot": SimpleNamespace(rootSnapshotList=[endless])})[1].rows
    assert len(rows) == 100


def noted(*changes: tuple[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the events of changes to one machine that was there before."""
    events = MachineEvents(SimpleNamespace(address=SimpleNamespace(shown="vc")), None, lambda: None)  # type: ignore[arg-type]
    reference = SimpleNamespace(_moId="vm-1")
    for number, (kind, values) in enumerate([("enter", MACHINE), *changes]):
        changed = [SimpleNamespace(name=name, val=value) for name, value in values.items()]
        events.note(kind, reference, changed, number == 0)
    return [(event.what, event.name) for event in events.take()]


def test_changes_of_power_and_name_are_events_and_others_are_not() -> None:
    assert noted(
        ("modify", {"runtime.powerState": "suspended"}),
        ("modify", {"runtime.powerState": "poweredOn"}),
        ("modify", {"summary.config.uuid": "1"}),
        ("modify", {"name": "shop"}),
        ("modify", {"runtime.powerState": "poweredOff"}),
        ("modify", {"runtime.powerState": "poweredOn"}),
        ("leave", {}),
        ("enter", {"name": "new"}),
    ) == [
        ("pause", "web"), ("resume", "web"), ("rename", "shop"), ("stop", "shop"), ("start", "shop"),
        ("remove", "shop"), ("create", "new"),
    ]  # fmt: skip


def test_a_template_is_no_event() -> None:
    assert noted(("modify", {"summary.config.template": True, "runtime.powerState": "poweredOff"})) == []


class Guest:
    """A machine whose tools end some readings after they were asked to reboot it; `None` is never."""

    def __init__(self, readings: int | None) -> None:
        self.left = readings
        self.asked: list[str] = []

    def RebootGuest(self) -> None:
        self.asked.append("reboot")

    def ResetVM_Task(self) -> Any:
        self.asked.append("reset")
        return SimpleNamespace(info=SimpleNamespace(state="success"))

    def properties(self) -> dict[str, str]:
        if self.asked and self.left is not None:
            self.left -= 1
        is_down = self.left is not None and self.left < 0
        return {"guest.toolsRunningStatus": "guestToolsNotRunning" if is_down else "guestToolsRunning"}


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> VsphereActions:
    @contextmanager
    def session() -> Iterator[None]:
        yield

    monkeypatch.setattr(actions_module, "_POLL_S", 0.001)
    monkeypatch.setattr(machines, "find", lambda _session, workload: workload)
    monkeypatch.setattr(machines, "read", lambda _session, guest, _paths: Found(guest, guest.properties()))
    access = SimpleNamespace(daemon=lambda _: SimpleNamespace(session=session))
    return VsphereActions(access)  # type: ignore[arg-type]


def reboot(guest: Guest) -> Request:
    return Request(Verb.RESTART, guest, timeout_s=0.05)  # type: ignore[arg-type]  # found as it is


def test_a_reboot_is_done_when_the_guest_has_gone_down(acting: VsphereActions) -> None:
    guest = Guest(3)
    acting.perform(reboot(guest))
    assert guest.asked == ["reboot"]


def test_a_guest_that_does_not_go_down_can_be_reset(acting: VsphereActions) -> None:
    guest = Guest(None)
    with pytest.raises(ActionTimedOut):
        acting.perform(reboot(guest))
    acting.force(reboot(guest))
    assert guest.asked == ["reboot", "reset"]


def test_a_guest_whose_tools_have_ended_is_not_asked(acting: VsphereActions) -> None:
    guest = Guest(-1)
    with pytest.raises(SourceError, match="VMware Tools do not run"):
        acting.perform(reboot(guest))
    assert guest.asked == []


def test_the_equivalent_commands_are_those_of_govc() -> None:
    forced = Request(Verb.RESTART, WEB, 30.0, AfterTimeout.FORCE, address="https://vc")
    assert commands(forced) == (
        "govc vm.power -u https://vc -r -vm.uuid 5000",
        "govc vm.power -u https://vc -reset -vm.uuid 5000  # after 30 s",
    )
    assert commands(Request(Verb.START, WEB)) == ("govc vm.power -on -vm.uuid 5000",)
    assert warnings(Request(Verb.PAUSE, WEB)) == [
        "It is suspended: its memory is written to its datastore, and the host's is freed."
    ]
