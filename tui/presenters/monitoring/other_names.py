"""What rewrites vmtop's names into those of cAdvisor and the libvirt exporter while scraping: for existing dashboards.

The names are those of cAdvisor's docs/storage/prometheus.md, and of libvirt_exporter.go in kumina/libvirt_exporter,
which Debian packages as prometheus-libvirt-exporter.
"""

from __future__ import annotations

from typing import NamedTuple

from tui.presenters.monitoring.yaml_text import Data


class Names(NamedTuple):
    """The names of another exporter."""

    kind: str
    """The kind of workloads that it has."""
    names: dict[str, str]
    """vmtop's family -> the other's; both without what all of its names begin with."""
    prefix: str
    labels: dict[str, str]
    """vmtop's label -> the other's further label of the same value."""


CADVISOR = Names(
    "container",
    {
        "cpu_seconds_total": "cpu_usage_seconds_total",
        "cpu_user_seconds_total": "cpu_user_seconds_total",
        "cpu_system_seconds_total": "cpu_system_seconds_total",
        "cpu_periods_total": "cpu_cfs_periods_total",
        "cpu_throttled_periods_total": "cpu_cfs_throttled_periods_total",
        "cpu_throttled_seconds_total": "cpu_cfs_throttled_seconds_total",
        "cpu_waiting_seconds_total": "pressure_cpu_waiting_seconds_total",
        "memory_waiting_seconds_total": "pressure_memory_waiting_seconds_total",
        "io_waiting_seconds_total": "pressure_io_waiting_seconds_total",
        "cpu_stalled_seconds_total": "pressure_cpu_stalled_seconds_total",
        "memory_stalled_seconds_total": "pressure_memory_stalled_seconds_total",
        "io_stalled_seconds_total": "pressure_io_stalled_seconds_total",
        "memory_working_set_bytes": "memory_working_set_bytes",
        "memory_charged_bytes": "memory_usage_bytes",
        "memory_peak_bytes": "memory_max_usage_bytes",
        "memory_swap_bytes": "memory_swap",
        "memory_limit_bytes": "spec_memory_limit_bytes",
        "oom_kills_total": "oom_events_total",
        "disk_read_bytes_total": "fs_reads_bytes_total",
        "disk_written_bytes_total": "fs_writes_bytes_total",
        "disk_reads_total": "fs_reads_total",
        "disk_writes_total": "fs_writes_total",
        "network_receive_bytes_total": "network_receive_bytes_total",
        "network_transmit_bytes_total": "network_transmit_bytes_total",
        "network_receive_packets_total": "network_receive_packets_total",
        "network_transmit_packets_total": "network_transmit_packets_total",
        "tasks": "threads",
        "start_time_seconds": "start_time_seconds",
    },
    "container_",
    {},
)

LIBVIRT = Names(
    "vm",
    {
        "cpu_seconds_total": "domain_info_cpu_time_seconds_total",
        "memory_assigned_bytes": "domain_info_memory_usage_bytes",
        "memory_maximum_bytes": "domain_info_maximum_memory_bytes",
        "vcpus": "domain_info_virtual_cpus",
        "guest_disk_read_bytes_total": "domain_block_stats_read_bytes_total",
        "guest_disk_written_bytes_total": "domain_block_stats_write_bytes_total",
        "guest_disk_reads_total": "domain_block_stats_read_requests_total",
        "guest_disk_writes_total": "domain_block_stats_write_requests_total",
        "guest_disk_read_seconds_total": "domain_block_stats_read_seconds_total",
        "guest_disk_write_seconds_total": "domain_block_stats_write_seconds_total",
        "network_receive_bytes_total": "domain_interface_stats_receive_bytes_total",
        "network_transmit_bytes_total": "domain_interface_stats_transmit_bytes_total",
        "network_receive_packets_total": "domain_interface_stats_receive_packets_total",
        "network_transmit_packets_total": "domain_interface_stats_transmit_packets_total",
    },
    "libvirt_",
    {"name": "domain"},
)


def relabelling(other: Names) -> list[Data]:
    """Return the rows of `metric_relabel_configs` that keep what another exporter has, under its names.

    Each row is applied to every series of a scrape, so families that differ in their beginning only share one.
    """
    same = sorted(name for name, theirs in other.names.items() if name == theirs)
    rows: list[Data] = [
        {"source_labels": ["__name__", "kind"], "regex": _regex("|".join(sorted(other.names)), other.kind),
         "action": "keep"},
        *({"source_labels": [ours], "target_label": theirs} for ours, theirs in other.labels.items()),
    ]  # fmt: skip
    if same:
        rows.append(_renamed("|".join(same), f"{other.prefix}$1"))
    rows += [_renamed(name, other.prefix + theirs) for name, theirs in other.names.items() if name != theirs]
    return rows


def _regex(names: str, kind: str) -> str:
    return f"vmtop_({names});{kind}"


def _renamed(names: str, replacement: str) -> Data:
    return {
        "source_labels": ["__name__"],
        "regex": f"vmtop_({names})" if "$1" in replacement else f"vmtop_{names}",
        "target_label": "__name__",
        "replacement": replacement,
    }
