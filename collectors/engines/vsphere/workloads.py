"""Turns machines and hosts of a server into workloads. Pure; every property may be missing or hostile."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address
from typing import Any

from collectors.engines.vsphere.inventory import Found, Inventory, Properties
from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Kind, State, Unmeasured, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name

ENGINE = "vsphere"
STATES = {"poweredOn": State.RUNNING, "poweredOff": State.STOPPED, "suspended": State.PAUSED}
SUSPENDED = "suspended to disk"
"""The reason of a suspended machine, which keeps no memory of the host."""
_HEALTH = {"green": "healthy", "yellow": "unhealthy", "red": "unhealthy"}
"""By the heartbeat of VMware Tools; gray is a machine without Tools."""
_UNREACHABLE = frozenset({"disconnected", "inaccessible", "invalid", "orphaned"})
"""Connection states of a machine that its server cannot manage now."""
_YEAR_2100 = 4_102_444_800
TOOLS = "tools"
"""Label with the state of VMware Tools."""
_TOOLS = {"guestToolsRunning": "running", "guestToolsNotRunning": "not running"}


def machine_id(machine: Found, endpoint: str) -> WorkloadId:
    """Return the id of a machine: its instance UUID, which a vCenter keeps unique, where it has one."""
    uuid = machine.properties.get("summary.config.instanceUuid") or machine.properties.get("summary.config.uuid")
    return WorkloadId(ENGINE, text(uuid) or f"{endpoint}/{sanitize(machine.key)}")


def host_id(host: Found, endpoint: str) -> WorkloadId:
    """Return the id of a host; the UUIDs of mainboards are not unique."""
    return WorkloadId(ENGINE, f"{endpoint}/{sanitize(host.key)}")


def state_of(properties: Properties) -> tuple[State, str]:
    """Return a machine's state, and its reason, which may be empty."""
    connection = text(properties.get("summary.runtime.connectionState"))
    if connection in _UNREACHABLE:
        return State.UNKNOWN, f"{connection} from its host"
    state = STATES.get(text(properties.get("runtime.powerState")), State.UNKNOWN)
    question = properties.get("summary.runtime.question")
    if question is not None:
        return state, f"waits for an answer: {line(getattr(question, 'text', ''))}"
    return state, SUSPENDED if state is State.PAUSED else ""


def run_of(properties: Properties) -> str:
    """Return the identity of a machine's run; empty while it is off."""
    if text(properties.get("runtime.powerState")) != "poweredOn":
        return ""
    booted = properties.get("summary.runtime.bootTime")
    return booted.isoformat() if isinstance(booted, datetime) else "on"


def tools_of(properties: Properties) -> str:
    """Return the state of VMware Tools: `running`, `not running`, or the server's own word; empty if not known."""
    status = text(properties.get("guest.toolsRunningStatus"))
    return _TOOLS.get(status, status)


def to_workload(machine: Found, inventory: Inventory, endpoint: str, ahead_s: float) -> Workload:
    """Return the workload of a machine.

    Args:
        machine: The machine.
        inventory: Everything on the server.
        endpoint: The server, as in `Workload.endpoint`.
        ahead_s: Seconds by which the server's clock is ahead of this host's.
    """
    properties = machine.properties
    identity = machine_id(machine, endpoint)
    state, reason = state_of(properties)
    name = properties.get("name")
    host = inventory.host_of(machine)
    tools = tools_of(properties)
    booted = properties.get("summary.runtime.bootTime")
    is_up = state is State.RUNNING
    return Workload(
        identity,
        Kind.VM,
        sanitize_name(str(name) if isinstance(name, str) else "") or identity.id,
        state,
        name_is_known=bool(name),
        image=text(properties.get("summary.config.guestFullName")) or None,
        description=line(properties.get("summary.config.annotation")) or None,
        project=text(host.properties.get("name")) or None if host is not None else None,
        health=_HEALTH.get(text(properties.get("summary.quickStats.guestHeartbeatStatus"))) if is_up else None,
        addresses=_addresses(properties.get("guest.ipAddress")) if is_up else (),
        parent=host_id(host, endpoint) if host is not None else None,
        endpoint=endpoint,
        started_at=_instant(booted, ahead_s) if is_up else None,
        is_listed=True,
        labels=((TOOLS, tools),) if tools else (),
        state_reason=reason or None,
        unmeasured=_unmeasured(machine, host) if is_up else (),
    )


def host_workload(host: Found, endpoint: str, ahead_s: float) -> Workload:
    """Return the workload of a host. The arguments are those of `to_workload`."""
    properties = host.properties
    is_up = properties.get("summary.runtime.connectionState") == "connected"
    booted = properties.get("summary.runtime.bootTime")
    hardware = " ".join(filter(None, (text(properties.get(f"summary.hardware.{key}")) for key in ("vendor", "model"))))
    reason = "" if is_up else text(properties.get("summary.runtime.connectionState"))
    name = properties.get("name")
    return Workload(
        host_id(host, endpoint),
        Kind.HOST,
        sanitize_name(str(name) if isinstance(name, str) else "") or sanitize(host.key),
        State.RUNNING if is_up else State.UNKNOWN,
        image=text(properties.get("summary.config.product.fullName")) or None,
        description=hardware or None,
        project=text(name) or None,
        endpoint=endpoint,
        started_at=_instant(booted, ahead_s),
        is_listed=True,
        state_reason="in maintenance mode"
        if properties.get("summary.runtime.inMaintenanceMode") is True
        else reason or None,
    )


def text(value: Any) -> str:
    """Return a text from outside, sanitized; the library's enumerations are texts. Empty for anything else."""
    return sanitize(str(value)) if isinstance(value, str) else ""


def line(value: Any) -> str:
    """Return a text of several lines from outside as one, sanitized; empty for anything else."""
    return text(" ".join(value.split())) if isinstance(value, str) else ""


def _instant(value: Any, ahead_s: float) -> float | None:
    """Return a time of the server in seconds since 1970 by this host's clock; `None` for one that cannot be."""
    seconds = value.timestamp() - ahead_s if isinstance(value, datetime) else -1.0
    return seconds if 0 < seconds < _YEAR_2100 else None


def _addresses(value: Any) -> tuple[str, ...]:
    try:
        return (str(ip_address(str(value))),) if isinstance(value, str) else ()
    except ValueError:
        return ()


def _unmeasured(machine: Found, host: Found | None) -> tuple[Unmeasured, ...]:
    """Return what cannot be measured of a running machine: the clock of 100 % is a property of its host."""
    is_known = host is not None and bool(host.properties.get("summary.hardware.cpuMhz"))
    return () if is_known else (Unmeasured(Topic.CPU, Cause.NO_RIGHT, "its host, whose clock is 100 %"),)
