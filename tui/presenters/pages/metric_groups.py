"""The metrics in groups, with short names under the group's heading: how charts and comparisons list them. Plain."""

from __future__ import annotations

from typing import NamedTuple

from collectors.model.metrics import METRICS, Metric, Unit
from collectors.model.workloads import Kind
from tui.presenters.formatting import text

NAME_WIDTH = 12
SETTINGS = "SETTINGS"
"""The group of what is set, not measured."""
_OTHER = "OTHER"


class Entry(NamedTuple):
    """One metric of a group."""

    metric: Metric
    name: str
    """At most `NAME_WIDTH` - 1 cells."""
    group: str
    graph: str
    """One of `area.GRAPHS`."""


_GROUPS: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    ("CPU", "cpu", (
        ("cpu_percent", "CPU%"),
        ("cpu_user_percent", "user"),
        ("cpu_system_percent", "system"),
        ("cpu_of_limit_percent", "of limit"),
        ("cpu_wait_percent", "waiting"),
        ("cpu_stall_percent", "stalled"),
        ("cpu_throttled_percent", "throttled"),
        ("vcpu_percent", "vCPUs busy"),
        ("cpu_emulator_percent", "QEMU's own"),
        ("cpu_steal_percent", "stolen"),
    )),
    ("MEMORY", "mem", (
        ("memory_host_bytes", "MEM"),
        ("memory_of_limit_percent", "of limit"),
        ("memory_inside_bytes", "used inside"),
        ("memory_charged_bytes", "with cache"),
        ("memory_unreclaimable_bytes", "no cache"),
        ("memory_swap_bytes", "swap"),
        ("memory_zswap_bytes", "zswap"),
        ("memory_shmem_bytes", "shared"),
        ("memory_hugetlb_bytes", "hugepages"),
        ("memory_peak_bytes", "peak"),
        ("memory_overhead_bytes", "overhead"),
        ("memory_wait_percent", "waiting"),
        ("memory_stall_percent", "stalled"),
        ("memory_high_per_second", "slowed/s"),
        ("oom_kills", "OOM kills"),
        ("memory_report_age_seconds", "report age"),
    )),
    ("DISK", "disk", (
        ("disk_read_bytes_per_second", "read/s"),
        ("disk_write_bytes_per_second", "write/s"),
        ("disk_bytes_per_second", "both/s"),
        ("disk_reads_per_second", "read ops"),
        ("disk_writes_per_second", "write ops"),
        ("io_wait_percent", "waiting"),
        ("io_stall_percent", "stalled"),
        ("guest_disk_read_bytes_per_second", "guest read"),
        ("guest_disk_write_bytes_per_second", "guest write"),
        ("guest_disk_read_milliseconds", "read await"),
        ("guest_disk_write_milliseconds", "write await"),
    )),
    ("NETWORK", "net", (
        ("net_rx_bytes_per_second", "rx/s"),
        ("net_tx_bytes_per_second", "tx/s"),
        ("net_bytes_per_second", "both/s"),
        ("net_drops_per_second", "drops/s"),
    )),
    (_OTHER, "cpu", (
        ("pids", "tasks"),
        ("cpu_seconds", "CPU time"),
    )),
    (SETTINGS, "cpu", (
        ("cpu_limit_cores", "CPU limit"),
        ("vcpus", "vCPUs"),
        ("memory_limit_bytes", "mem limit"),
    )),
)  # fmt: skip


def _entries() -> tuple[Entry, ...]:
    """Return an entry for every metric; those without a row above are at the end, under their own label."""
    rows = [(key, name, group, graph) for group, graph, names in _GROUPS for key, name in names if key in METRICS]
    listed = {key for key, *_ in rows}
    rows += [(key, metric.label[:NAME_WIDTH], _OTHER, "cpu") for key, metric in METRICS.items() if key not in listed]
    return tuple(Entry(METRICS[key], name, group, graph) for key, name, group, graph in rows)


ENTRIES = _entries()
_OF_MACHINES = frozenset(key for key, metric in METRICS.items() if set(metric.origins) == {"libvirt"})
"""What only virtual machines have."""
SHARES = frozenset({"cpu_of_limit_percent", "memory_of_limit_percent"})
"""Shares of a limit, written with `%`; other percentages stand under a name that says what 100 is."""
_OF_CORES = frozenset({"cpu_percent", "cpu_user_percent", "cpu_system_percent", "cpu_emulator_percent"})
"""Percentages of which 100 is one core, with no upper end: they are amounts, and not shares."""


def entries_of(kind: Kind) -> list[Entry]:
    """Return the metrics that a workload of a kind can have, in groups."""
    return [entry for entry in ENTRIES if kind is Kind.VM or entry.metric.key not in _OF_MACHINES]


def value_text(metric: Metric, value: float | None) -> str:
    """Return a value as short as tables write it: `196.8`, `98%`, `870M`, `-`."""
    if value is not None and metric.key in SHARES:
        return f"{value:.0f}%"
    return text(value, metric.unit, 7).strip()


def value_tone(metric: Metric, value: float | None) -> str:
    """Return the tone of a value: `bad` and `warn` by the metric's thresholds, `muted` if zero or unknown."""
    if not value:
        return "muted"
    warn, bad = metric.thresholds or (float("inf"), float("inf"))
    return "bad" if value >= bad else "warn" if value >= warn else "text"


def explanation(metric: Metric) -> str:
    """Return what 100 % is, in a few words; empty where the name says it."""
    return "100% is one core" if metric.key in _OF_CORES else ""


def is_share(metric: Metric) -> bool:
    """Return whether a metric is a share of something: two of them differ by points, and not by a percentage."""
    return metric.unit is Unit.PERCENT and metric.key not in _OF_CORES
