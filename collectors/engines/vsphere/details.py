"""Details of a machine: what it is, its disks, network interfaces and snapshots; of a host: its ledger. Read-only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors.engines.vsphere import machines
from collectors.engines.vsphere.host_ledger import HostLedger
from collectors.engines.vsphere.inventory import Properties, bounded
from collectors.engines.vsphere.workloads import line, text, tools_of
from collectors.model.details import Column, Fact, Page, RawDescription, Table, Value
from collectors.model.facts import Fact as ClassFact
from collectors.model.facts import unknown
from collectors.model.metrics import Unit
from collectors.model.workloads import Kind, Workload
from collectors.safety.redact import MASK, is_secret, redact_json

if TYPE_CHECKING:
    from collectors.engines.vsphere.access import VsphereAccess

_PATHS = (
    "config.uuid",
    "config.instanceUuid",
    "config.annotation",
    "config.version",
    "config.firmware",
    "config.files.vmPathName",
    "config.hardware.numCPU",
    "config.hardware.numCoresPerSocket",
    "config.hardware.memoryMB",
    "config.hardware.device",
    "guest.guestFullName",
    "guest.hostName",
    "guest.toolsRunningStatus",
    "guest.toolsVersionStatus2",
    "guest.net",
    "snapshot",
    "summary.config.guestFullName",
    "summary.runtime.question",
)
_MOST_ROWS = 100
_DEEPEST = 32
"""Levels of snapshots; vSphere allows as many."""


class VsphereDetails:
    """Queries a server about one machine or host, repeatedly."""

    def __init__(self, access: VsphereAccess) -> None:
        self._access = access
        self._ledger = HostLedger()

    def tables(self, workload: Workload) -> list[Table]:
        """Return the tables with everything that the server reports.

        Raises:
            SourceError: The server cannot be queried.
        """
        with self._access.daemon(workload).session() as session:
            reference = machines.find(session, workload)
            if workload.kind is Kind.HOST:
                return self._ledger.tables(session, reference)
            properties = machines.read(session, reference, _PATHS).properties
        return [table for table in machine_tables(properties) if table.facts or table.rows]


def machine_tables(properties: Properties) -> list[Table]:
    """Return the tables of a machine's properties, every one of which may be missing. Pure."""
    devices = _devices(properties.get("config.hardware.device"))
    return [
        Table(Page.FACTS, "Machine", facts=_identity(properties)),
        Table(Page.FACTS, "Snapshots", _SNAPSHOT_COLUMNS, tuple(_snapshots(properties.get("snapshot")))),
        Table(Page.DEVICES, "Disks", _DISK_COLUMNS, tuple(_disks(devices))),
        Table(Page.DEVICES, "Network interfaces", _NETWORK_COLUMNS, tuple(_interfaces(devices, properties))),
    ]


def _identity(properties: Properties) -> tuple[Fact, ...]:
    question = properties.get("summary.runtime.question")
    texts = (
        ("instance UUID", "config.instanceUuid"),
        ("BIOS UUID", "config.uuid"),
        ("notes", "config.annotation"),
        ("configured for", "summary.config.guestFullName"),
        ("guest system", "guest.guestFullName"),
        ("guest's host name", "guest.hostName"),
        ("version of VMware Tools", "guest.toolsVersionStatus2"),
        ("hardware version", "config.version"),
        ("firmware", "config.firmware"),
        ("definition", "config.files.vmPathName"),
    )
    memory = bounded(properties.get("config.hardware.memoryMB")) << 20
    return (
        *(Fact(label, _line(properties.get(path))) for label, path in texts),
        Fact("VMware Tools", tools_of(properties) or None),
        Fact("virtual CPUs", bounded(properties.get("config.hardware.numCPU")) or None, Unit.COUNT),
        Fact("cores per socket", bounded(properties.get("config.hardware.numCoresPerSocket")) or None, Unit.COUNT),
        Fact("memory", memory or None, Unit.BYTES),
        Fact("waits for an answer", _line(getattr(question, "text", None))),
    )


_DISK_COLUMNS = (
    Column("DISK"), Column("SIZE", Unit.BYTES), Column("MODE"), Column("THIN"), Column("FILE"),
)  # fmt: skip
_NETWORK_COLUMNS = (
    Column("INTERFACE"), Column("MAC"), Column("NETWORK"), Column("CONNECTED"), Column("ADDRESSES"),
)  # fmt: skip
_SNAPSHOT_COLUMNS = (Column("SNAPSHOT"), Column("TAKEN"), Column("STATE"), Column("DESCRIPTION"))


def _devices(value: object) -> list[Any]:
    return list(value)[: 4 * _MOST_ROWS] if isinstance(value, Sequence) else []


def _disks(devices: Sequence[Any]) -> Iterator[tuple[Value, ...]]:
    for device in devices:
        size = bounded(getattr(device, "capacityInBytes", None), 1 << 62)
        size = size or bounded(getattr(device, "capacityInKB", None), 1 << 52) << 10  # servers before vSphere 5.5
        backing = getattr(device, "backing", None)
        file = getattr(backing, "fileName", None)
        if not hasattr(device, "capacityInBytes") or file is None:
            continue
        is_thin = getattr(backing, "thinProvisioned", None)
        mode = _line(getattr(backing, "diskMode", None))
        yield _label(device), size or None, mode, is_thin if isinstance(is_thin, bool) else None, _line(file)


def _interfaces(devices: Sequence[Any], properties: Properties) -> Iterator[tuple[Value, ...]]:
    known = {
        text(getattr(entry, "macAddress", None)): ", ".join(
            map(text, list(getattr(entry, "ipAddress", None) or ())[:8])
        )
        for entry in _devices(properties.get("guest.net"))
    }
    for device in devices:
        mac = text(getattr(device, "macAddress", None))
        if not mac:
            continue
        connected = getattr(getattr(device, "connectable", None), "connected", None)
        network = _line(getattr(getattr(device, "deviceInfo", None), "summary", None))
        is_connected = connected if isinstance(connected, bool) else None
        yield _label(device), mac, network, is_connected, known.get(mac) or None


def _snapshots(value: Any) -> Iterator[tuple[Value, ...]]:
    """Yield the snapshots, each under the one that it was taken after, indented."""
    waiting = [(0, tree) for tree in reversed(_devices(getattr(value, "rootSnapshotList", None)))]
    rows = 0
    while waiting and rows < _MOST_ROWS:
        depth, tree = waiting.pop()
        rows += 1
        taken = getattr(tree, "createTime", None)
        when = taken.strftime("%Y-%m-%d %H:%M UTC") if isinstance(taken, datetime) else None
        name = "  " * depth + text(getattr(tree, "name", None))
        yield name, when, _line(getattr(tree, "state", None)), _line(getattr(tree, "description", None))
        if depth < _DEEPEST:
            children = _devices(getattr(tree, "childSnapshotList", None))
            waiting += [(depth + 1, child) for child in reversed(children)]


def configuration(access: VsphereAccess, workload: Workload) -> RawDescription:
    """Return a machine's configuration, or a host's summary, as JSON.

    What is passed to a guest is masked: it often has passwords.
    """
    from pyVmomi.VmomiJSONEncoder import VmomiJSONEncoder

    path, title = (
        ("summary", "summary of the host") if workload.kind is Kind.HOST else ("config", "configuration of the machine")
    )
    with access.daemon(workload).session() as session:
        found = machines.read(session, machines.find(session, workload), (path,))
    document = json.loads(json.dumps(found.properties.get(path), cls=VmomiJSONEncoder))
    for option in document.get("extraConfig") or () if isinstance(document, dict) else ():
        key = str(option.get("key", ""))
        if key.lower().startswith("guestinfo") or is_secret(key):
            option["value"] = MASK
    return RawDescription(title, json.dumps(redact_json(document), indent=2))


def read_facts(access: VsphereAccess, workload: Workload) -> dict[str, ClassFact]:
    """Return what only the server knows about a machine, for the comparison of classes.

    Raises:
        SourceError: The server cannot be queried.
    """
    paths = ("summary.config.guestFullName", "guest.guestFullName", "summary.storage.committed")
    with access.daemon(workload).session() as session:
        properties = machines.read(session, machines.find(session, workload), paths).properties
    inside, configured = text(properties.get("guest.guestFullName")), text(properties.get(paths[0]))
    committed = bounded(properties.get("summary.storage.committed"), 1 << 62)
    system = ClassFact(f"{inside or configured}, its own kernel", paths[1] if inside else f"{paths[0]}, as configured")
    return {
        "isolation": ClassFact("hardware (vmware, type 1)", "ESXi runs on bare metal"),
        "system": system if inside or configured else unknown("vSphere does not name its system"),
        "size_bytes": ClassFact(float(committed), paths[2]) if committed else unknown("vSphere does not report it"),
    }


def _label(device: Any) -> str:
    return text(getattr(getattr(device, "deviceInfo", None), "label", None)) or f"device {bounded(device.key)}"


def _line(value: object) -> str | None:
    return line(value) or None
