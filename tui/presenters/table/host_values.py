"""What of a host's size shows in the table: its limits are what it has. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.analysis.hosts import size_of_host
from collectors.analysis.rates import Reading
from collectors.model.workloads import Frame
from tui.presenters.table.line import Line


def host_value(frame: Frame, reading: Reading, key: str) -> float | None:
    """Return a metric of a host or of another workload; the limits of a host are what it has."""
    if not reading.workload.is_host:
        return reading.value(key)
    cpus, memory_bytes = size_of_host(frame, reading.workload.id)
    if key == "cpu_limit_cores":
        return cpus
    if key == "memory_limit_bytes":
        return memory_bytes
    part, whole = {
        "memory_of_limit_percent": ("memory_host_bytes", memory_bytes),
        "cpu_of_limit_percent": ("cpu_percent", cpus * 100),
    }.get(key, (key, 0))
    value = reading.value(part)
    return value if value is None or part == key else value / whole * 100 if whole else None


def total(frame: Frame, group: Line, key: str) -> float | None:
    """Return a metric of a group: the sum, of a host its own value, of all hosts also the share of what they have."""
    if group.total is not None:
        return host_value(frame, group.total, key)
    if group.is_fleet and key == "memory_of_limit_percent":
        held = group.value("memory_host_bytes")
        whole = sum(size_of_host(frame, member.workload.id)[1] for member in group.members)
        return held / whole * 100 if held is not None and whole else None
    return group.value(key)


def cpus_of(frame: Frame, readings: Sequence[Reading]) -> int:
    """Return the cores of the host that workloads are on, or of the hosts that they are; at least 1."""
    if readings and all(reading.workload.is_host for reading in readings):
        return sum(size_of_host(frame, reading.workload.id)[0] for reading in readings) or 1
    return (readings[0].host_cpus if readings else 0) or frame.cpus or 1
