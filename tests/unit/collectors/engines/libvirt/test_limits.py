"""Limits through libvirt's test driver, which keeps what it is told of disks, interfaces and memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from msgspec.structs import replace

from collectors.engines.libvirt.access import LibvirtAccess
from collectors.engines.libvirt.domains import safe_xml
from collectors.engines.libvirt.limits import cpus
from collectors.engines.libvirt.limits.cpus import Scheduling, _scheduled
from collectors.engines.libvirt.limits.devices import Disks, Interfaces
from collectors.engines.libvirt.limits.memory import Ballooning
from collectors.engines.libvirt.limits.part import CONFIG, FLAG_WORDS, LIVE, Part, Seen, scopes
from collectors.engines.libvirt.limits.setter import LibvirtLimits
from collectors.model.limits import LimitError, LimitKey
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec

libvirt = pytest.importorskip("libvirt")
MIB = 1 << 20


def parsed(text: str) -> Element:
    root = safe_xml(text)
    assert root is not None
    return root


@pytest.fixture
def seen() -> Iterator[Seen]:
    connection = libvirt.open("test:///default")
    domain = connection.lookupByName("test")
    yield Seen(domain, parsed(domain.XMLDesc(0)), True)
    connection.close()


def change(part: Part, seen: Seen, key: LimitKey, amount: float | None) -> None:
    setting = part.new(part.read(seen)[key], amount)
    part.write(seen.domain, key, setting.values, 1)
    assert part.read(seen)[key].value == setting.amount


@pytest.mark.parametrize(
    ("part", "key", "amount"),
    [
        (Interfaces(), LimitKey.NET_IN, 5_000_000),
        (Interfaces(), LimitKey.NET_OUT, 5_000_000),
    ],
)
def test_a_limit_is_what_is_read_back_and_none_takes_it_away(
    part: Part, seen: Seen, key: LimitKey, amount: float
) -> None:
    assert part.read(seen)[key].value is None
    change(part, seen, key, amount)
    change(part, seen, key, None)


class PlayedDisks:
    """A domain that sets the fields of a group together, as QEMU's does: what a call leaves out becomes 0."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}

    def blockIoTune(self, disk: str, flags: int) -> dict[str, Any]:  # libvirt's name
        return dict(self.fields)

    def setBlockIoTune(self, disk: str, fields: dict[str, Any], flags: int) -> None:  # libvirt's name
        groups = {name.partition("_")[2] for name in fields}
        kept = {name: value for name, value in self.fields.items() if name.partition("_")[2] not in groups}
        self.fields = {**kept, **fields}


def test_a_field_leaves_the_others_of_its_group() -> None:
    domain: Any = PlayedDisks()
    root = parsed("<d><devices><disk device='disk'><target dev='vda'/></disk></devices></d>")
    seen = Seen(domain, root, False)
    for key, amount in ((LimitKey.DISK_READ, MIB), (LimitKey.DISK_WRITE, 2 * MIB), (LimitKey.DISK_READ_IOPS, 7)):
        change(Disks(), seen, key, amount)
    change(Disks(), seen, LimitKey.DISK_WRITE, None)
    values = {key: limit.value for key, limit in Disks().read(seen).items()}
    assert values == {
        LimitKey.DISK_READ: MIB,
        LimitKey.DISK_WRITE: None,
        LimitKey.DISK_READ_IOPS: 7,
        LimitKey.DISK_WRITE_IOPS: None,
    }


def test_a_direction_leaves_the_other_one_and_keeps_its_peak_above(seen: Seen) -> None:
    parameters = {"inbound.average": 1000, "inbound.peak": 2000, "inbound.burst": 64, "outbound.average": 10}
    seen.domain.setInterfaceParameters("testnet0", parameters, 1)
    change(Interfaces(), seen, LimitKey.NET_IN, 5_000_000)
    told = seen.domain.interfaceParameters("testnet0", 1)
    assert (told["inbound.average"], told["inbound.peak"], told["inbound.burst"]) == (5000, 5000, 64)
    assert told["outbound.average"] == 10


def test_an_interface_without_a_device_on_the_host_cannot_be_shaped(seen: Seen) -> None:
    interface = seen.root.find("devices/interface")
    assert interface is not None
    interface.set("type", "user")
    limit = Interfaces().read(seen)[LimitKey.NET_IN]
    assert (limit.is_measured, limit.objection) == (False, "libvirt cannot shape its interfaces (testnet0)")


def test_the_balloon_goes_up_to_the_maximum_and_one_that_is_missing_is_an_objection(seen: Seen) -> None:
    limit = Ballooning().read(seen)[LimitKey.MEMORY]
    assert (limit.value, limit.most, limit.objection) == (2 << 30, 8 << 30, "")
    assert dict(Ballooning().new(limit, None).values) == {"kib": 8 << 20}
    balloon = seen.root.find("devices/memballoon")
    assert balloon is not None
    balloon.set("model", "none")
    assert "it has no balloon" in Ballooning().read(seen)[LimitKey.MEMORY].objection


@pytest.mark.parametrize(
    ("live", "value", "is_measured"),
    [
        ({"vcpu_quota": 50_000, "vcpu_period": 100_000}, 1.0, True),
        ({"vcpu_quota": -1, "vcpu_period": 100_000}, None, True),
        ({"vcpu_quota": 0}, None, True),
        ({"vcpu_quota": "many"}, None, False),
        ({}, None, False),
    ],
)
def test_the_quota_of_each_virtual_cpu_is_that_of_all_together(
    live: dict[str, Any], value: float | None, is_measured: bool
) -> None:
    limit = _scheduled(LimitKey.CPU, live, None, 2)
    assert (limit.value, limit.is_measured, bool(limit.objection)) == (value, is_measured, not is_measured)


def test_a_quota_keeps_its_period_and_one_that_is_too_short_is_refused() -> None:
    limit = _scheduled(LimitKey.CPU, {"vcpu_quota": -1, "vcpu_period": 20_000}, {}, 2)
    assert dict(Scheduling().new(limit, 1).values) == {"vcpu_quota": 10_000, "vcpu_period": 20_000}
    with pytest.raises(LimitError, match="too little"):
        Scheduling().new(limit, 0.05)


def test_a_definition_that_says_nothing_gets_no_limit_back(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_old, ordinary in ((True, 1024), (False, 100)):
        monkeypatch.setattr(cpus, "is_v1", lambda _, is_old=is_old: is_old)
        weight = _scheduled(LimitKey.CPU_WEIGHT, {"cpu_shares": 2 * ordinary}, {"cpu_shares": 0}, 1)
        assert weight.settings[CONFIG] == {"cpu_shares": ordinary}
        assert weight.value == 200


def test_the_run_is_set_first_and_the_definition_only_if_it_is_kept() -> None:
    values = {LIVE: {"a": 1}, CONFIG: {"a": 2}}
    assert scopes(values, is_kept=False) == [({"a": 1}, 1)]
    assert scopes(values, is_kept=True) == [({"a": 1}, 1), ({"a": 2}, 2)]
    assert scopes({LIVE: {"a": 1}, CONFIG: None}, is_kept=True) == [({"a": 1}, 1)]
    assert FLAG_WORDS == {1: " --live", 2: " --config"}


def test_a_domain_of_another_host_has_no_weight_that_is_known_here() -> None:
    access = LibvirtAccess([SourceSpec("libvirt", {"uri": "test:///default"})])
    identity = WorkloadId("test", "6695eb01-f6a4-8304-79aa-97f2502e193f")
    here = Workload(identity, Kind.VM, "test", State.RUNNING)
    far = replace(here, endpoint="hv01")
    assert LibvirtLimits(access).read(here)[LimitKey.MEMORY].value == 2 << 30
    assert "shares or weights" in LibvirtLimits(access).read(far)[LimitKey.CPU_WEIGHT].objection
    assert "libvirt does not report it" in LibvirtLimits(access).read(here)[LimitKey.CPU].objection
