"""Limits of a domain's disks and network interfaces, the same for each of them.

libvirt sets the fields of one group together, and what a call leaves out of a group becomes 0: what is there is sent
again. A kilobyte of an interface is 1000 bytes, as tc(8) has it.

Source: virDomainSetBlockIoTune, virDomainSetInterfaceParameters; https://libvirt.org/formatnetwork.html#quality-of-service.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from collectors.engines.libvirt.limits.part import AFFECT_CONFIG, AFFECT_LIVE, CONFIG, LIVE, Seen
from collectors.model.limits import Amount, Limit, LimitKey, Setting
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import count

if TYPE_CHECKING:
    from libvirt import virDomain

_BYTES = ("total_bytes_sec", "read_bytes_sec", "write_bytes_sec")
_IOPS = ("total_iops_sec", "read_iops_sec", "write_iops_sec")
_DISK_FIELDS = {
    LimitKey.DISK_READ: ("read_bytes_sec", _BYTES),
    LimitKey.DISK_WRITE: ("write_bytes_sec", _BYTES),
    LimitKey.DISK_READ_IOPS: ("read_iops_sec", _IOPS),
    LimitKey.DISK_WRITE_IOPS: ("write_iops_sec", _IOPS),
}
_DIRECTIONS = {LimitKey.NET_IN: "inbound", LimitKey.NET_OUT: "outbound"}
_SHAPED = frozenset({"network", "bridge", "ethernet", "direct"})
"""Types of interfaces with a device on the host, whose traffic libvirt can shape."""
_KILO = 1000


class Disks:
    """Throttles the disks."""

    keys = tuple(_DISK_FIELDS)

    def read(self, seen: Seen) -> dict[LimitKey, Limit]:
        """Ask for the throttling of each disk; the limit is the lowest."""
        path = "devices/disk[@device='disk']/target"
        disks = [name for target in seen.root.iterfind(path) if (name := target.get("dev"))]
        if not disks:
            return {key: Limit(key, is_measured=False, objection="it has no disk") for key in self.keys}
        live = {disk: seen.domain.blockIoTune(disk, AFFECT_LIVE) for disk in disks}
        config = {disk: _defined(seen, disk) for disk in disks} if seen.is_persistent else None
        return {key: _throttled(key, live, config) for key in self.keys}

    def new(self, limit: Limit, amount: Amount | None) -> Setting:
        """Return the field of each disk; 0 is no limit."""
        number = 0 if amount is None else int(float(amount))
        return Setting(dict.fromkeys(limit.settings[LIVE], number), amount)

    def write(self, domain: virDomain, key: LimitKey, values: Mapping[str, Any], flags: int) -> None:
        """Set the field of each disk, with the others of its group as they are."""
        field, group = _DISK_FIELDS[key]
        for disk, number in values.items():
            now = domain.blockIoTune(disk, flags)
            domain.setBlockIoTune(disk, {**{name: now.get(name) or 0 for name in group}, field: number}, flags)

    def commands(self, key: LimitKey, values: Mapping[str, Any], name: str, flags: str) -> Iterator[str]:
        """Yield `blkdeviotune` for each disk."""
        option = _DISK_FIELDS[key][0].replace("_", "-")
        for disk, number in values.items():
            yield f"blkdeviotune {name} {shlex.quote(disk)} --{option} {number}{flags}"


def _defined(seen: Seen, disk: str) -> Mapping[str, Any]:
    import libvirt

    try:
        tune: Mapping[str, Any] = seen.domain.blockIoTune(disk, AFFECT_CONFIG)
    except libvirt.libvirtError as error:  # a disk that was plugged in and is not in the definition
        if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
            raise
        return {}
    return tune


def _throttled(key: LimitKey, live: Mapping[str, Any], config: Mapping[str, Any] | None) -> Limit:
    field, group = _DISK_FIELDS[key]
    numbers = [count(tune.get(field)) for tune in live.values()]
    limits = [number for number in numbers if number]
    objection = ""
    if any(tune.get(group[0]) for tune in live.values()):
        objection = (
            f"a limit of reads and writes together is set: virsh blkdeviotune --{group[0].replace('_', '-')} 0 ends it"
        )
    settings = {
        LIVE: {disk: count(tune.get(field)) or 0 for disk, tune in live.items()},
        CONFIG: None
        if config is None
        else {disk: count(tune.get(field)) or 0 for disk, tune in config.items() if tune},
    }
    return Limit(key, min(limits, default=None), None not in numbers, objection, settings=settings)


class Interfaces:
    """Shapes the traffic of the network interfaces."""

    keys = tuple(_DIRECTIONS)

    def read(self, seen: Seen) -> dict[LimitKey, Limit]:
        """Ask for the shaping of each interface; the limit is the lowest average."""
        names: list[str] = []
        others: list[str] = []
        for interface in seen.root.iterfind("devices/interface"):
            target = interface.find("target")
            device = target.get("dev") if target is not None else None
            kind = interface.get("type") or "unknown"
            (names if kind in _SHAPED and device else others).append(device or kind)
        if others or not names:
            kinds = ", ".join(sanitize(other) for other in others)
            why = f"libvirt cannot shape its interfaces ({kinds})" if others else "it has no network interface"
            return {key: Limit(key, is_measured=False, objection=why) for key in self.keys}
        live = {name: seen.domain.interfaceParameters(name, AFFECT_LIVE) for name in names}
        return {key: _shaped(key, live, seen) for key in self.keys}

    def new(self, limit: Limit, amount: Amount | None) -> Setting:
        """Return the average of each interface in kilobytes per second, with its peak not below; 0 is no limit."""
        average = 0 if amount is None else max(1, round(float(amount) / _KILO))
        values = {}
        for name, old in limit.settings[LIVE].items():
            peak = max(old["peak"], average) if old["peak"] and average else 0
            values[name] = {"average": average, "peak": peak, "burst": old["burst"] if average else 0}
        return Setting(values, average * _KILO or None)

    def write(self, domain: virDomain, key: LimitKey, values: Mapping[str, Any], flags: int) -> None:
        """Set one direction of each interface; the other one stays."""
        for name, shape in values.items():
            parameters = {f"{_DIRECTIONS[key]}.{field}": number for field, number in shape.items()}
            domain.setInterfaceParameters(name, parameters, flags)

    def commands(self, key: LimitKey, values: Mapping[str, Any], name: str, flags: str) -> Iterator[str]:
        """Yield `domiftune` for each interface."""
        for device, shape in values.items():
            amounts = ",".join(str(shape[field]) for field in ("average", "peak", "burst"))
            yield f"domiftune {name} {shlex.quote(device)} --{_DIRECTIONS[key]} {amounts}{flags}"


def _shaped(key: LimitKey, live: Mapping[str, Any], seen: Seen) -> Limit:
    direction = _DIRECTIONS[key]
    shapes = {
        name: {field: count(parameters.get(f"{direction}.{field}")) or 0 for field in ("average", "peak", "burst")}
        for name, parameters in live.items()
    }
    averages = [shape["average"] for shape in shapes.values() if shape["average"]]
    value = min(averages) * _KILO if averages else None
    return Limit(key, value, settings={LIVE: shapes, CONFIG: dict(shapes) if seen.is_persistent else None})
