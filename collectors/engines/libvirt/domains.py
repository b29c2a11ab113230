"""Turns libvirt's records of domains into workloads and samples. Pure; every field of a record is optional.

A record is the flat dictionary of `virConnectGetAllDomainStats`: `state.state`, `cpu.time`, `balloon.current` (KiB),
`vcpu.N.time` (ns), `block.N.rd.bytes`, `net.N.rx.bytes`, ... Newer libvirts add fields below these names
(`block.N.limits.*`, `net.N.rx.vhost.*`), so only whole names count.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import msgspec

from collectors.engines.libvirt.states import to_reason, to_state
from collectors.kernel.cgroup.parsers import number
from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Kind, Sample, Unmeasured, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.safety.untrusted import count

_CONTAINER_ENGINES = frozenset({"lxc", "openvz"})

_VCPU = re.compile(r"vcpu\.\d+\.(time|delay)")
_BLOCK = re.compile(r"block\.(\d+)\.((?:rd|wr)\.(?:bytes|reqs|times))")
_BLOCK_NAME = re.compile(r"block\.(\d+)\.name")
_NET = re.compile(r"net\.\d+\.((?:rx|tx)\.(?:bytes|pkts|drop))")


class Description(msgspec.Struct, frozen=True, gc=False):
    """Values from the XML of a domain. Texts are sanitized; device names are raw, for calls to libvirt."""

    title: str | None = None
    description: str | None = None
    machine: str | None = None
    """Such as `hvm/pc-q35-7.2`."""
    disks: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    is_on_hugepages: bool = False
    """Whether all of the guest's memory is on hugepages. libvirt has QEMU take them all at the start."""
    vcpu_quota_cores: float | None = None
    """Quota of each virtual CPU in cores; `None` without one."""
    global_quota_cores: float | None = None
    """Quota of the whole domain in cores; `None` without one."""
    interface_types: tuple[str, ...] = ()
    """The `type` of each network interface, such as `bridge`, `network` or `user`."""
    hardware_addresses: tuple[str, ...] = ()
    """Of its network interfaces, in lower case."""
    balloon_gap: str = Cause.NO_GUEST_REPORT
    """Why the guest's memory is not reported, if it is not: a `Cause`."""


_UNDESCRIBED = Description()


def to_workload(
    identity: WorkloadId,
    name: str,
    record: Mapping[str, Any],
    description: Description,
    endpoint: str = "",
    is_saved: bool = False,
    addresses: tuple[str, ...] = (),
) -> Workload:
    """Return the workload of a domain.

    Args:
        identity: Its engine and UUID.
        name: Its name, as libvirt has it.
        record: Its record of the bulk call.
        description: Values from its XML.
        endpoint: Where a remote libvirt is; empty for this host.
        is_saved: It has a managed saved state, from which it is started.
        addresses: Its IP addresses, where they are known.
    """
    numbers = (record.get("state.state"), record.get("state.reason"))
    state = to_state(*numbers)
    return Workload(
        identity,
        Kind.CONTAINER if identity.engine in _CONTAINER_ENGINES else Kind.VM,
        sanitize_name(name) or identity.id,
        state,
        name_is_known=bool(name),
        image=description.title or description.machine,
        description=description.description,
        addresses=addresses if state.is_active else (),
        endpoint=endpoint,
        state_reason=to_reason(*numbers, is_saved),
        unmeasured=unmeasured(record, description) if state.is_active else (),
    )


def unmeasured(record: Mapping[str, Any], description: Description) -> tuple[Unmeasured, ...]:
    """Return what libvirt cannot measure of a running domain, and why. An incomplete record is that of a busy monitor.

    libvirt counts an interface at its tap device: one without (`type='user'`, `hostdev`) has a name of no device.
    """
    notes = []
    if not any(_BLOCK.fullmatch(key) for key in record):
        has_disk = bool(record.get("block.count", len(description.disks)))
        notes.append(Unmeasured(Topic.GUEST_DISK, Cause.BUSY_MONITOR if has_disk else Cause.NO_DISK))
    if not any(_NET.fullmatch(key) for key in record):
        kinds = ", ".join(sorted(set(description.interface_types)))
        cause = Cause.UNCOUNTED_INTERFACE if kinds else Cause.NO_INTERFACE
        notes.append(Unmeasured(Topic.NETWORK, cause, f"type {kinds}" if kinds else ""))
    if not count(record.get("balloon.last-update")):
        notes.append(Unmeasured(Topic.GUEST_MEMORY, description.balloon_gap))
    return tuple(notes)


def to_sample(
    record: Mapping[str, Any], epoch: str, at_ns: int, wall: float, description: Description = _UNDESCRIBED
) -> Sample:
    """Return the sample in the record of a running domain.

    Args:
        record: The domain's record; incomplete if its monitor does not answer.
        epoch: The domain's id, which is new after each start.
        at_ns: Monotonic instant in nanoseconds, the middle of the call.
        wall: Wall time of the same instant, in seconds since 1970; for the age of the guest's memory report.
        description: Values from its XML: the record has neither hugepages nor quotas.
    """
    vcpus = count(record.get("vcpu.current"))
    reported = count(record.get("balloon.last-update")) or None  # 0: the guest never reported
    vcpu = _sum_by_name(record, _VCPU)
    disk = _sum_disks(record)
    net = _sum_by_name(record, _NET)
    drops = [net[name] for name in ("rx.drop", "tx.drop") if name in net]
    return Sample(
        "libvirt",
        at_ns,
        epoch,
        cpu_total_ns=count(record.get("cpu.time")) or None,  # 0: the driver does not count
        cpu_limit_cores=_cores(vcpus, description) if vcpus else None,
        memory_limit_bytes=_bytes(record, "balloon.current"),
        memory_maximum_bytes=_bytes(record, "balloon.maximum"),
        memory_rss_bytes=_bytes(record, "balloon.rss"),
        memory_hugetlb_bytes=_bytes(record, "balloon.maximum") if description.is_on_hugepages else None,
        memory_available_bytes=_bytes(record, "balloon.available") if reported else None,
        memory_usable_bytes=_bytes(record, "balloon.usable") if reported else None,
        memory_report_age_s=max(0.0, wall - reported) if reported else None,
        guest_disk_read_total_bytes=disk.get("rd.bytes"),
        guest_disk_write_total_bytes=disk.get("wr.bytes"),
        guest_disk_reads_total=disk.get("rd.reqs"),
        guest_disk_writes_total=disk.get("wr.reqs"),
        guest_disk_read_time_total_ns=disk.get("rd.times"),
        guest_disk_write_time_total_ns=disk.get("wr.times"),
        net_rx_total_bytes=net.get("rx.bytes"),
        net_tx_total_bytes=net.get("tx.bytes"),
        net_rx_packets_total=net.get("rx.pkts"),
        net_tx_packets_total=net.get("tx.pkts"),
        net_drops_total=sum(drops) if drops else None,
        vcpus=vcpus,
        vcpu_total_ns=vcpu.get("time"),
        steal_total_ns=vcpu.get("delay"),
    )


def parse_xml(xml: str) -> Description:
    """Return the values from a domain's XML that its record lacks; empty if it cannot be parsed."""
    domain = safe_xml(xml)
    if domain is None:
        return Description()
    kind = domain.find("os/type")
    machine = "/".join(filter(None, ((kind.text or "").strip(), kind.get("machine")))) if kind is not None else ""
    return Description(
        sanitize((domain.findtext("title") or "").strip()) or None,
        sanitize(" ".join((domain.findtext("description") or "").split())) or None,
        sanitize(machine) or None,
        _targets(domain, "devices/disk/target"),
        _targets(domain, "devices/interface/target"),
        domain.find("memoryBacking/hugepages") is not None
        and domain.find("memoryBacking/hugepages/page[@nodeset]") is None,
        _quota(domain, "cputune/quota", "cputune/period"),
        _quota(domain, "cputune/global_quota", "cputune/global_period"),
        tuple(sanitize(interface.get("type") or "", 40) for interface in domain.iterfind("devices/interface")),
        tuple((mac.get("address") or "").lower() for mac in domain.iterfind("devices/interface/mac")),
        _balloon_gap(domain),
    )


def _balloon_gap(domain: ElementTree.Element) -> str:
    """Return the cause of a missing report of the guest's memory, as far as the definition shows it."""
    balloon = domain.find("devices/memballoon")
    if balloon is None or balloon.get("model") == "none":
        return Cause.NO_BALLOON
    stats = balloon.find("stats")
    period = (stats.get("period") if stats is not None else None) or "0"
    return Cause.NO_BALLOON_PERIOD if period == "0" else Cause.NO_GUEST_REPORT


def ends_on_reboot(xml: str) -> bool:
    """Return whether a reboot of the guest turns the domain off; `False` if its XML cannot be parsed."""
    domain = safe_xml(xml)
    return domain is not None and (domain.findtext("on_reboot") or "").strip() == "destroy"


def safe_xml(xml: str) -> ElementTree.Element | None:
    """Parse the XML of a domain; `None` if it is invalid, or has a document type: its entities could grow endlessly."""
    if "<!" in xml.replace("<!--", "").replace("<![CDATA[", ""):
        return None
    try:
        return ElementTree.fromstring(xml)  # noqa: S314  # no document type, so no entities
    except ElementTree.ParseError:
        return None


def _cores(vcpus: int, description: Description) -> float:
    """Return the cores that the virtual CPUs may use: one each at most."""
    each, together = description.vcpu_quota_cores, description.global_quota_cores
    return min(vcpus * min(1.0, each or 1.0), together or math.inf)


def _quota(domain: ElementTree.Element, quota: str, period: str) -> float | None:
    """Return a quota in cores; `None` without one, also written as 0 or below.

    Without a period it is of 100,000 microseconds. Source: libvirt docs/formatdomain.rst, "CPU Tuning".
    """
    quota_us, period_us = (number((domain.findtext(path) or "").encode()) for path in (quota, period))
    return quota_us / (period_us or 100_000) if quota_us else None


def _targets(domain: ElementTree.Element, path: str) -> tuple[str, ...]:
    return tuple(device for target in domain.iterfind(path) if (device := target.get("dev")))


def _sum_by_name(record: Mapping[str, Any], pattern: re.Pattern[str]) -> dict[str, int]:
    """Sum the matching fields over all devices, by the pattern's last group; a name that no device has is absent."""
    sums: dict[str, int] = {}
    for key, value in record.items():
        if isinstance(value, int) and (match := pattern.fullmatch(key)):
            name = match[match.lastindex or 0]
            sums[name] = sums.get(name, 0) + value
    return sums


def _sum_disks(record: Mapping[str, Any]) -> dict[str, int]:
    """Sum over the disks, by the first entry of each: entries of its backing files follow and repeat its name.

    `backingIndex` does not identify a backing file, as QEMU's topmost images have one too.
    """
    named = [(int(match[1]), value) for key, value in record.items() if (match := _BLOCK_NAME.fullmatch(key))]
    top = {name: number for number, name in sorted(named, reverse=True)}
    backing = {number for number, name in named if top[name] != number}
    kept = {
        key: value for key, value in record.items() if (match := _BLOCK.fullmatch(key)) and int(match[1]) not in backing
    }
    return _sum_by_name(kept, _BLOCK)


def _bytes(record: Mapping[str, Any], key: str) -> int | None:
    value = count(record.get(key))
    return None if value is None else value * 1024
