"""Sets of columns by name, one key apart. Plain, no Textual.

The configuration adds sets of its own, and replaces one that has the same name.
"""

from __future__ import annotations

from collections.abc import Mapping

from tui.presenters.table.columns import DEFAULT

OVERVIEW = "overview"

PRESETS: dict[str, tuple[str, ...]] = {
    OVERVIEW: DEFAULT,
    "cpu": (
        *("name", "kind", "cpu_percent", "spark:cpu_percent", "cpu_of_limit_percent", "cpu_wait_percent"),
        *("cpu_throttled_percent", "cpu_steal_percent", "cpu_user_percent", "cpu_system_percent"),
        *("cpu_limit_cores", "vcpus", "pids", "cpu_seconds", "uptime"),
    ),
    "memory": (
        *("name", "kind", "memory_host_bytes", "change:memory_host_bytes", "memory_of_limit_percent"),
        *("memory_limit_bytes", "memory_inside_bytes", "memory_overhead_bytes", "memory_charged_bytes"),
        *(
            "memory_swap_bytes",
            "memory_wait_percent",
            "memory_stall_percent",
            "oom_kills",
            "memory_peak_bytes",
            "memory_shmem_bytes",
        ),
        *("memory_hugetlb_bytes", "memory_zswap_bytes", "uptime"),
    ),
    "disk": (
        *("name", "kind", "disk_read_bytes_per_second", "disk_write_bytes_per_second", "disk_reads_per_second"),
        *("disk_writes_per_second", "io_wait_percent", "io_stall_percent", "guest_disk_read_milliseconds"),
        *("guest_disk_write_milliseconds", "guest_disk_read_bytes_per_second", "guest_disk_write_bytes_per_second"),
        "uptime",
    ),
    "net": (
        *("name", "kind", "net_rx_bytes_per_second", "net_tx_bytes_per_second", "net_drops_per_second"),
        *("ports", "ip", "project", "uptime"),
    ),
    "identity": (
        *("name", "kind", "project", "ports", "ip", "image", "restarts", "exit", "engine", "id", "state", "health"),
        "uptime",
    ),
}
"""The columns of each set, in their order. Each keeps the order in which the table shows the most important first."""


def presets(own: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return all sets, with the user's own after the others."""
    return {**PRESETS, **own}


def name_of(columns: tuple[str, ...], known: Mapping[str, tuple[str, ...]]) -> str:
    """Return the name of the set that has exactly these columns; empty if none has."""
    return next((name for name, keys in known.items() if keys == columns), "")


def next_preset(columns: tuple[str, ...], known: Mapping[str, tuple[str, ...]], step: int) -> str:
    """Return the name of the set after (1) or before (-1) the one with these columns; the first after other columns."""
    names = list(known)
    current = name_of(columns, known)
    return names[(names.index(current) + step) % len(names)] if current else names[0 if step > 0 else -1]
