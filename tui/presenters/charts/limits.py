"""The limit of a metric and where it comes from: `limit 2 cores (quota)`. Plain.

What has no limit gets no claim: for CPU and memory that is what the host has, and named so.
"""

from __future__ import annotations

from typing import NamedTuple

from collectors.analysis.rates import Moment, Reading
from collectors.model.metrics import Metric, Unit
from collectors.model.workloads import Kind
from tui.presenters.scale import tick_text

_MEMORY_ORIGINS = {"cgroup": "cgroup", "cgroup-slow": "cgroup", "libvirt": "balloon"}
"""Source of a sample -> what sets the limit that it has; others are named after the engine."""


class Limit(NamedTuple):
    """What a workload cannot exceed."""

    value: float
    """In the metric's unit."""
    words: str
    """Such as `limit 1G (cgroup)`."""


def limit_of(metric: Metric, reading: Reading, moment: Moment) -> Limit | None:
    """Return the limit of a metric; `None` without one."""
    value = None if metric.limit is None else metric.limit(reading)
    if not value:
        return None
    if metric.key == "cpu_percent":
        return Limit(value, _cores(value / 100, reading, moment))
    if metric.unit is Unit.BYTES:
        origin = _memory_origin(value, reading)
        return Limit(value, f"limit {tick_text(value, metric.unit)}" + (f" ({origin})" if origin else ""))
    words = "all of its limit" if metric.unit is Unit.PERCENT else f"limit {tick_text(value, metric.unit)}"
    return Limit(value, words)


def _cores(cores: float, reading: Reading, moment: Moment) -> str:
    vcpus = reading.value("vcpus")
    if reading.workload.kind is Kind.VM and vcpus is not None and cores >= vcpus:
        return f"limit {vcpus:g} {'vCPU' if vcpus == 1 else 'vCPUs'}"
    if reading.host_cpus and cores >= reading.host_cpus:
        origin = "host"
    elif reading.workload.kind is Kind.VM or reading.gauge("cpu_periods_total"):
        origin = "quota"
    else:
        origin = "cpuset or quota"
    return f"limit {cores:.3g} {'core' if cores == 1 else 'cores'} ({origin})"


def _memory_origin(value: float, reading: Reading) -> str:
    if reading.host_memory_bytes and value >= reading.host_memory_bytes:
        return "host"
    source = next((pair.current.source for pair in reading.pairs if pair.current.memory_limit_bytes == value), "")
    return _MEMORY_ORIGINS.get(source, source.removesuffix("-stats"))
