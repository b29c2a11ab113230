"""Details of a domain from libvirt: its definition, and rates of its virtual CPUs, disks and interfaces. Read-only."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from collectors.analysis.counter_rates import Rates
from collectors.engines.libvirt.domains import safe_xml
from collectors.engines.libvirt.states import to_state
from collectors.engines.libvirt.stats import BROKEN_DOMAINS
from collectors.model.details import Column, Fact, Page, Table, Value
from collectors.model.metrics import Unit
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize

if TYPE_CHECKING:
    from libvirt import virConnect, virDomain

    from collectors.engines.libvirt.access import LibvirtAccess

_FLOW = Unit.BYTES_PER_SECOND
_DEVICE = re.compile(r"(block|net)\.(\d+)\.name")
_COUNTERS = ("rd.bytes", "wr.bytes", "rd.reqs", "wr.reqs", "rd.times", "wr.times")


class LibvirtDetails:
    """Queries libvirt about one domain, repeatedly. A domain whose monitor hangs blocks this thread only."""

    def __init__(self, access: LibvirtAccess) -> None:
        self._access = access
        self._rates = Rates()

    def tables(self, workload: Workload) -> list[Table]:
        """Return the tables with everything that libvirt reports.

        Raises:
            SourceError: libvirt cannot be queried.
        """
        import libvirt

        with self._access.daemon(workload).connection() as connection:
            domain = connection.lookupByUUIDString(workload.id.id)
            try:
                root = safe_xml(domain.XMLDesc(0))
            except libvirt.libvirtError as error:
                if error.get_error_domain() in BROKEN_DOMAINS or error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                    raise
                return [_undefined(domain, str(error.get_error_message() or error))]
            record = _stats(connection, domain) if domain.isActive() else {}
            switches = (bool(domain.autostart()), bool(domain.isPersistent()))
        if root is None:
            return []
        at = time.monotonic()
        tables = [
            Table(Page.FACTS, "Domain", facts=_identity(root, switches)),
            Table(Page.FACTS, "Security and guest", facts=_security(root)),
            self._vcpus(record, at),
            self._disks(root, record, at),
            self._interfaces(root, record, at),
        ]
        return [table for table in tables if table.facts or table.rows]

    def _vcpus(self, record: Mapping[str, Any], at: float) -> Table:
        rows: list[tuple[Value, ...]] = []
        for number in range(int(record.get("vcpu.current") or 0)):
            used = self._rates.per_second(f"vcpu{number}", record.get(f"vcpu.{number}.time"), at)
            waited = self._rates.per_second(f"delay{number}", record.get(f"vcpu.{number}.delay"), at)
            rows.append((f"vcpu {number}", used and used / 1e7, waited and waited / 1e7))
        columns = (Column("VCPU"), Column("CPU%", Unit.PERCENT), Column("STEAL%", Unit.PERCENT))
        return Table(Page.DEVICES, "Virtual CPUs", columns, tuple(rows))

    def _disks(self, root: ElementTree.Element, record: Mapping[str, Any], at: float) -> Table:
        numbers = _numbers(record, "block")
        rows: list[tuple[Value, ...]] = []
        for disk in root.iterfind("devices/disk"):
            target = _attribute(disk, "target", "dev")
            source = disk.find("source")
            path = _first(source, "file", "dev", "name", "volume")
            key = f"block.{numbers.get(target)}"
            flows = {
                name: self._rates.per_second(f"{key}{name}", record.get(f"{key}.{name}"), at) for name in _COUNTERS
            }
            operations = _sum(flows["rd.reqs"], flows["wr.reqs"])
            spent = _sum(flows["rd.times"], flows["wr.times"])
            latency = spent / operations / 1e6 if operations and spent is not None else None
            rows.append(
                (sanitize(target), flows["rd.bytes"], flows["wr.bytes"], operations, latency,
                 record.get(f"{key}.capacity"), record.get(f"{key}.physical"),
                 sanitize(_attribute(disk, "driver", "type")) or None, sanitize(path) or None)
            )  # fmt: skip
        columns = (
            Column("DISK"), Column("READ/S", _FLOW), Column("WRITE/S", _FLOW), Column("OPS/S", Unit.PER_SECOND),
            Column("LATENCY", Unit.MILLISECONDS), Column("SIZE", Unit.BYTES), Column("ON HOST", Unit.BYTES),
            Column("FORMAT"), Column("SOURCE"),
        )  # fmt: skip
        return Table(Page.DEVICES, "Disks", columns, tuple(rows))

    def _interfaces(self, root: ElementTree.Element, record: Mapping[str, Any], at: float) -> Table:
        numbers = _numbers(record, "net")
        rows: list[tuple[Value, ...]] = []
        for interface in root.iterfind("devices/interface"):
            target = _attribute(interface, "target", "dev")
            source = interface.find("source")
            network = _first(source, "bridge", "network", "dev")
            key = f"net.{numbers.get(target)}"
            rx = self._rates.per_second(f"{key}rx", record.get(f"{key}.rx.bytes"), at)
            tx = self._rates.per_second(f"{key}tx", record.get(f"{key}.tx.bytes"), at)
            drops = _sum(record.get(f"{key}.rx.drop"), record.get(f"{key}.tx.drop"))
            rows.append(
                (sanitize(target) or None, rx, tx, drops, sanitize(_attribute(interface, "mac", "address")) or None,
                 sanitize(_attribute(interface, "model", "type")) or None, sanitize(network) or None)
            )  # fmt: skip
        columns = (
            Column("INTERFACE"), Column("RX/S", _FLOW), Column("TX/S", _FLOW), Column("DROPS", Unit.COUNT),
            Column("MAC"), Column("MODEL"), Column("JOINED TO"),
        )  # fmt: skip
        return Table(Page.DEVICES, "Network interfaces", columns, tuple(rows))


def _undefined(domain: virDomain, why: str) -> Table:
    """Return what is known of a domain whose definition cannot be read, as of one on ESXi to whose files one has no
    right."""
    state, most_kib, memory_kib, vcpus, _ = domain.info()
    facts = (
        _fact("UUID", domain.UUIDString()),
        _fact("state", to_state(state).value),
        _fact("runs by", domain.OSType()),
        Fact("virtual CPUs", vcpus, Unit.COUNT),
        Fact("memory", memory_kib * 1024, Unit.BYTES),
        Fact("memory, at most", most_kib * 1024, Unit.BYTES),
    )
    note = f"Its definition cannot be read: {sanitize(why.partition(chr(10))[0])}"
    return Table(Page.FACTS, "Domain", facts=facts, note=note)


def _stats(connection: virConnect, domain: virDomain) -> dict[str, Any]:
    """Return the record of one domain, without waiting for a busy monitor; empty if there is none."""
    import libvirt

    groups = libvirt.VIR_DOMAIN_STATS_VCPU | libvirt.VIR_DOMAIN_STATS_INTERFACE | libvirt.VIR_DOMAIN_STATS_BLOCK
    records = connection.domainListGetStats([domain], groups, libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT)
    return dict(records[0][1]) if records else {}


def _numbers(record: Mapping[str, Any], kind: str) -> dict[str, int]:
    """Return device numbers by name; for a disk with backing files, the lowest one, which is the disk itself."""
    numbers: dict[str, int] = {}
    for key, name in record.items():
        match = _DEVICE.fullmatch(key)
        if match and match[1] == kind:
            numbers[name] = min(int(match[2]), numbers.get(name, int(match[2])))
    return numbers


def _identity(root: ElementTree.Element, switches: tuple[bool, bool]) -> tuple[Fact, ...]:
    machine, vcpu = root.find("os/type"), root.find("vcpu")
    most = _int(vcpu.text if vcpu is not None else None)
    present = _int(vcpu.get("current") if vcpu is not None else None) or most
    emulated = {"kvm": "hardware virtualisation (kvm)", "qemu": "emulation (tcg)"}.get(root.get("type", ""))
    cpu = root.find("cpu")
    return (
        _fact("UUID", root.findtext("uuid")),
        _fact("title", root.findtext("title")),
        _fact("description", root.findtext("description")),
        _fact("runs by", emulated or root.get("type")),
        _fact("machine", machine.get("machine") if machine is not None else None),
        _fact("architecture", machine.get("arch") if machine is not None else None),
        _fact("firmware", _attribute(root, "os", "firmware") or root.findtext("os/loader") or "BIOS of the machine"),
        _fact("CPU model", cpu.get("mode") if cpu is not None else None),
        Fact("virtual CPUs", present, Unit.COUNT),
        Fact("virtual CPUs, at most", most, Unit.COUNT),
        Fact("memory", _kib(root, "currentMemory"), Unit.BYTES),
        Fact("memory, at most", _kib(root, "memory"), Unit.BYTES),
        _fact("emulator", root.findtext("devices/emulator")),
        Fact("starts with the host", switches[0]),
        Fact("persistent", switches[1]),
    )


def _security(root: ElementTree.Element) -> tuple[Fact, ...]:
    labels = [
        f"{label.get('model')}: {label.findtext('label') or label.get('type')}" for label in root.iterfind("seclabel")
    ]
    channels = [target.get("name", "") for target in root.iterfind("devices/channel/target")]
    launch = root.find("launchSecurity")
    balloon = _attribute(root, "devices/memballoon", "model")
    period = _attribute(root, "devices/memballoon/stats", "period")
    return (
        _fact("security labels", ", ".join(labels)),
        _fact("confidential launch", launch.get("type") if launch is not None else None),
        Fact("channel of a guest agent", any("guest_agent" in name for name in channels)),
        _fact("balloon", f"{balloon}, reports every {period} s" if period else balloon),
        Fact("TPM", root.find("devices/tpm") is not None),
    )


def _fact(label: str, value: object) -> Fact:
    text = " ".join(str(value or "").split())
    return Fact(label, sanitize(text) or None)


def _attribute(element: ElementTree.Element, path: str, name: str) -> str:
    child = element.find(path)
    return (child.get(name) or "") if child is not None else ""


def _first(element: ElementTree.Element | None, *names: str) -> str:
    """Return the value of the first attribute that an element has; empty if it has none of them."""
    return next((value for name in names if element is not None and (value := element.get(name))), "")


def _kib(root: ElementTree.Element, path: str) -> int | None:
    """Return a size in bytes; libvirt always writes KiB, whatever unit was defined."""
    value = _int(root.findtext(path))
    return None if value is None else value * 1024


def _int(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isdigit() else None


def _sum(*values: float | None) -> float | None:
    present = [value for value in values if value is not None]
    return sum(present) if present else None
