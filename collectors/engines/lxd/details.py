"""Details of an instance from its daemon: identity, limits, profiles, devices, network interfaces and snapshots."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors.analysis.counter_rates import Rates
from collectors.engines.lxd.client import instance_path
from collectors.engines.lxd.instances import image_of
from collectors.model.details import Column, Fact, Page, RawDescription, Table, Value
from collectors.model.errors import SourceDown
from collectors.model.metrics import Unit
from collectors.model.workloads import Workload
from collectors.safety.redact import redact_json, redact_value
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import at, count, items, objects, part, text

if TYPE_CHECKING:
    from collectors.engines.lxd.access import LxdAccess

_NEVER = ("0001-", "1970-01-01T00:00:00Z")
"""Beginnings of the times that stand for "never"."""
_SNAPSHOTS_AT_MOST = 200


class LxdDetails:
    """Asks the daemon about one instance, repeatedly."""

    def __init__(self, access: LxdAccess) -> None:
        self._access = access
        self._rates = Rates()

    def tables(self, workload: Workload) -> list[Table]:
        """Return the tables with everything that the daemon reports.

        Raises:
            SourceError: It cannot be asked.
        """
        instance = read_instance(workload, self._access)
        tables = [
            *describe(instance),
            self._interfaces(part(instance, "state", "network")),
            _snapshots(instance),
        ]
        return [table for table in tables if table.facts or table.rows]

    def _interfaces(self, network: Mapping[str, Any]) -> Table:
        at_s = time.monotonic()
        rows: list[tuple[Value, ...]] = []
        for name, interface in sorted(network.items()):
            counters = part(interface, "counters")
            flows = [
                self._rates.per_second(f"{name}{key}", count(counters.get(key)), at_s)
                for key in ("bytes_received", "bytes_sent")
            ]
            addresses = ", ".join(_address(entry) for entry in objects(at(interface, "addresses")))
            rows.append(
                (
                    sanitize(name),
                    sanitize(text(at(interface, "host_name"))),
                    sanitize(text(at(interface, "hwaddr"))),
                    addresses,
                    *flows,
                )
            )
        columns = (
            Column("INTERFACE"), Column("ON THE HOST"), Column("MAC"), Column("ADDRESSES"),
            Column("RX/s", Unit.BYTES_PER_SECOND), Column("TX/s", Unit.BYTES_PER_SECOND),
        )  # fmt: skip
        return Table(Page.DEVICES, "Network interfaces", columns, tuple(rows))


def read_instance(workload: Workload, access: LxdAccess) -> Mapping[str, Any]:
    """Return an instance with its state and snapshots.

    Raises:
        SourceError: The daemon cannot be asked.
    """
    path, project = instance_path(workload.id.id)
    answer = access.client(workload).get(path, project=project, recursion="1")
    if not isinstance(answer, dict):
        raise SourceDown("the daemon sent an invalid answer")
    return answer


def raw_description(workload: Workload, access: LxdAccess) -> RawDescription:
    """Return the instance as the daemon describes it. Raises as `read_instance`."""
    instance = redact_json(dict(read_instance(workload, access)))
    return RawDescription("instance as its daemon describes it", json.dumps(instance, indent=2, ensure_ascii=False))


def describe(instance: Mapping[str, Any]) -> list[Table]:
    """Return the tables of an instance, all of whose fields are optional."""
    config = part(instance, "expanded_config")
    settings = tuple(
        _fact(key, redact_value(key, text(value)))
        for key, value in sorted(config.items())
        if not key.startswith(("volatile.", "image.", "limits.", "user.", "cloud-init."))
    )
    limits = tuple(
        _fact(key.removeprefix("limits."), value) for key, value in sorted(config.items()) if key.startswith("limits.")
    )
    return [
        Table(Page.FACTS, "Instance", facts=_identity(instance, config)),
        Table(Page.FACTS, "Limits as configured", facts=limits),
        Table(Page.FACTS, "Settings", facts=settings),
        _devices(part(instance, "expanded_devices")),
    ]


def _identity(instance: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[Fact, ...]:
    state = part(instance, "state")
    return (
        _fact("type", instance.get("type")),
        _fact("project", instance.get("project")),
        _fact("description", instance.get("description")),
        _fact("image", image_of(config)),
        _fact("architecture", instance.get("architecture")),
        _fact("profiles", ", ".join(text(profile) for profile in items(instance.get("profiles")))),
        _fact("state", state.get("status") or instance.get("status")),
        Fact("first process", str(pid) if (pid := count(state.get("pid"))) else None),
        _fact("created", _time(instance.get("created_at"))),
        _fact("last started", _time(instance.get("last_used_at"))),
        _fact("location", instance.get("location") if instance.get("location") != "none" else ""),
        _fact("uuid", config.get("volatile.uuid")),
        Fact("removed when it stops", bool(instance.get("ephemeral"))),
    )


def _devices(devices: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            sanitize(name),
            sanitize(text(at(device, "type"))),
            sanitize(", ".join(f"{key}={redact_value(key, text(value))}" for key, value in sorted(device.items())
                               if key != "type")),
        )
        for name, device in sorted(devices.items())
        if isinstance(device, dict)
    )  # fmt: skip
    return Table(Page.DEVICES, "Devices", (Column("DEVICE"), Column("TYPE"), Column("SETTINGS")), rows)


def _snapshots(instance: Mapping[str, Any]) -> Table:
    snapshots = list(objects(instance.get("snapshots")))
    rows = tuple(
        (
            sanitize(text(snapshot.get("name"))),
            _time(snapshot.get("created_at")),
            _time(snapshot.get("expires_at")),
            "yes" if snapshot.get("stateful") is True else "no",
        )
        for snapshot in snapshots[-_SNAPSHOTS_AT_MOST:]
    )
    columns = (Column("SNAPSHOT"), Column("MADE"), Column("EXPIRES"), Column("WITH MEMORY"))
    hidden = len(snapshots) - len(rows)
    return Table(Page.FACTS, "Snapshots", columns, rows, note=f"{hidden} older ones are not shown" if hidden else "")


def _address(entry: Mapping[str, Any]) -> str:
    netmask = text(entry.get("netmask"))
    return sanitize(text(entry.get("address")) + (f"/{netmask}" if netmask else ""))


def _fact(label: str, value: object) -> Fact:
    return Fact(sanitize(label), sanitize(text(value)) or None)


def _time(value: object) -> str | None:
    """Return a time in this host's time zone; `None` for one that stands for "never"."""
    written = text(value)
    if not written or written.startswith(_NEVER):
        return None
    try:
        return datetime.fromisoformat(written).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return sanitize(written)
