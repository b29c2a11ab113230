"""States of domains with their reasons, and what of a domain cannot be measured."""

from __future__ import annotations

import pytest

from collectors.actions.checks import has_paused_again
from collectors.actions.confirmation import besides
from collectors.engines.libvirt.domains import Description, parse_xml, to_workload, unmeasured
from collectors.engines.libvirt.states import to_reason, to_state
from collectors.model.actions import Note, Observed, Request, Verb
from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import PAUSING_FAULTS, State, Unmeasured, WorkloadId
from tests.unit.collectors.actions.test_actions import domain
from tests.unit.collectors.engines.libvirt.test_source import RUNNING, UUID

IDENTITY = WorkloadId("qemu", UUID)


@pytest.mark.parametrize(("reason", "text", "is_fault"), [
    (0, None, False),
    (1, "by a user", False),
    (2, "migration", False),
    (3, "being saved", False),
    (4, "memory dump", False),
    (5, "I/O error", True),
    (6, "watchdog", True),
    (7, "restored from a snapshot", False),
    (8, "shutting down", False),
    (9, "snapshot in progress", False),
    (10, "guest crashed", True),
    (12, "post-copy migration", False),
    (13, "post-copy migration failed", True),
    (14, "API error", True),
    (99, None, False),
])  # fmt: skip
def test_a_paused_domain_says_why(reason: int, text: str | None, is_fault: bool) -> None:
    paused = to_workload(IDENTITY, "db", RUNNING | {"state.state": 3, "state.reason": reason}, Description())
    assert (paused.state, paused.state_reason, paused.is_faulted) == (State.PAUSED, text, is_fault)


def test_the_numbers_are_libvirts() -> None:
    libvirt = pytest.importorskip("libvirt")
    assert to_reason(3, libvirt.VIR_DOMAIN_PAUSED_IOERROR) == "I/O error"
    assert to_reason(3, libvirt.VIR_DOMAIN_PAUSED_WATCHDOG) == "watchdog"
    assert to_reason(3, libvirt.VIR_DOMAIN_PAUSED_CRASHED) == "guest crashed"
    assert to_reason(3, libvirt.VIR_DOMAIN_PAUSED_POSTCOPY_FAILED) == "post-copy migration failed"
    assert to_reason(5, libvirt.VIR_DOMAIN_SHUTOFF_FAILED) == "failed to start"
    assert to_reason(5, libvirt.VIR_DOMAIN_SHUTOFF_DAEMON) == "ended while libvirt was not running"
    assert to_reason(6, libvirt.VIR_DOMAIN_CRASHED_PANICKED) == "guest panicked"
    assert to_state(5, libvirt.VIR_DOMAIN_SHUTOFF_CRASHED) is State.CRASHED


def test_only_a_managed_save_is_restored_by_a_start() -> None:
    record = {"state.state": 5, "state.reason": 5}
    assert to_workload(IDENTITY, "db", record, Description()).state_reason == "saved to a file"
    assert to_workload(IDENTITY, "db", record, Description(), is_saved=True).state_reason == "saved"
    forgotten = {"state.state": 5, "state.reason": 0}  # libvirt was restarted since
    assert to_workload(IDENTITY, "db", forgotten, Description(), is_saved=True).state_reason == "saved"
    assert to_workload(IDENTITY, "db", RUNNING, Description(), is_saved=True).state_reason is None


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("fault", sorted(PAUSING_FAULTS))
def test_before_a_resume_a_fault_is_named(verb: Verb, fault: str) -> None:
    seen = Observed("db", State.PAUSED, "1", fault, frozenset({Note.FAULTED}))
    sentences = " ".join(besides(Request(verb, domain(state=State.PAUSED), seen=seen)))
    assert (f"paused by a fault ({fault})" in sentences) is (verb is Verb.RESUME)
    assert has_paused_again(verb, seen) is (verb is Verb.RESUME)
    assert not has_paused_again(verb, seen._replace(notes=frozenset()))


@pytest.mark.parametrize(("devices", "record", "note"), [
    ("", {"block.count": 0}, Unmeasured(Topic.GUEST_DISK, Cause.NO_DISK)),
    ("<disk><target dev='vda'/></disk>", {"block.count": 1}, Unmeasured(Topic.GUEST_DISK, Cause.BUSY_MONITOR)),
    ("", {"net.count": 0}, Unmeasured(Topic.NETWORK, Cause.NO_INTERFACE)),
    (
        "<interface type='user'/><interface type='hostdev'/>",
        {"net.count": 2},
        Unmeasured(Topic.NETWORK, Cause.UNCOUNTED_INTERFACE, "type hostdev, user"),
    ),
    ("<memballoon model='none'/>", {}, Unmeasured(Topic.GUEST_MEMORY, Cause.NO_BALLOON)),
    ("<memballoon model='virtio'/>", {}, Unmeasured(Topic.GUEST_MEMORY, Cause.NO_BALLOON_PERIOD)),
    (
        "<memballoon model='virtio'><stats period='5'/></memballoon>",
        {"balloon.last-update": 0},
        Unmeasured(Topic.GUEST_MEMORY, Cause.NO_GUEST_REPORT),
    ),
])  # fmt: skip
def test_what_a_domain_lacks_is_noted(devices: str, record: dict[str, int], note: Unmeasured) -> None:
    assert note in unmeasured(record, parse_xml(f"<domain><devices>{devices}</devices></domain>"))


def test_nothing_is_noted_of_what_is_measured() -> None:
    assert unmeasured(RUNNING, Description()) == ()


def test_a_name_that_is_changed_to_be_shown_is_not_that_of_another_domain() -> None:
    names = ("web", "web\ufe0f", "\u212aelvin", "Größe")
    shown = [to_workload(IDENTITY, name, RUNNING, Description()).name for name in names]
    assert shown == ["web", "web\ufffd", "Kelvin\ufffd", "Größe"]
