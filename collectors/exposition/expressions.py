"""The metrics of the screen as PromQL over the families of `/metrics`: what dashboards, rules and the fleet view ask.

In an expression `{S}` stands for the matchers of the series, `{S, kind="vm"}` for those and one more, `[W]` for the
window of a rate. All expressions keep the labels of the workload, and none of them has a series where the screen has
no value: a missing value is no zero.
"""

from __future__ import annotations

from collectors.model.metrics import METRICS

_HELD = "(vmtop_memory_working_set_bytes{S} or vmtop_memory_charged_bytes{S} or vmtop_memory_rss_bytes{S})"
_MEMORY = f"{_HELD} + (vmtop_memory_hugetlb_bytes{{S}} or 0 * {_HELD})"
_VCPUS_BUSY = "clamp_max(100 * rate(vmtop_vcpu_seconds_total{S}[W]) / vmtop_vcpus{S}, 100)"
_CPU_OF_LIMIT = "100 * rate(vmtop_cpu_seconds_total{S}[W]) / (vmtop_cpu_limit_cores{S} > 0)"

EXPRESSIONS: dict[str, str] = {
    "cpu_percent": "100 * rate(vmtop_cpu_seconds_total{S}[W])",
    "cpu_limit_cores": "vmtop_cpu_limit_cores{S}",
    "cpu_wait_percent": "clamp_max(100 * rate(vmtop_cpu_waiting_seconds_total{S}[W]), 100)",
    "cpu_throttled_percent": "100 * rate(vmtop_cpu_throttled_periods_total{S}[W])"
    " / (rate(vmtop_cpu_periods_total{S}[W]) > 0)",
    "memory_host_bytes": _MEMORY,
    "memory_limit_bytes": "vmtop_memory_limit_bytes{S}",
    "memory_of_limit_percent": "100 * vmtop_memory_inside_bytes{S} / (vmtop_memory_assigned_bytes{S} > 0)"
    ' or 100 * vmtop_memory_working_set_bytes{S, kind!="vm"} / (vmtop_memory_limit_bytes{S} > 0)',
    "disk_read_bytes_per_second": "rate(vmtop_disk_read_bytes_total{S}[W])",
    "disk_write_bytes_per_second": "rate(vmtop_disk_written_bytes_total{S}[W])",
    "disk_bytes_per_second": "rate(vmtop_disk_read_bytes_total{S}[W]) + rate(vmtop_disk_written_bytes_total{S}[W])",
    "net_rx_bytes_per_second": "rate(vmtop_network_receive_bytes_total{S}[W])",
    "net_tx_bytes_per_second": "rate(vmtop_network_transmit_bytes_total{S}[W])",
    "net_bytes_per_second": "rate(vmtop_network_receive_bytes_total{S}[W])"
    " + rate(vmtop_network_transmit_bytes_total{S}[W])",
    "memory_inside_bytes": "vmtop_memory_inside_bytes{S} or " + _MEMORY.replace("{S}", '{S, kind!="vm"}'),
    "memory_unreclaimable_bytes": 'vmtop_memory_inside_bytes{S} or vmtop_memory_unreclaimable_bytes{S, kind!="vm"}',
    "memory_charged_bytes": "vmtop_memory_charged_bytes{S}",
    "memory_swap_bytes": "vmtop_memory_swap_bytes{S}",
    "memory_zswap_bytes": "vmtop_memory_zswap_bytes{S}",
    "memory_shmem_bytes": "vmtop_memory_shmem_bytes{S}",
    "memory_hugetlb_bytes": "vmtop_memory_hugetlb_bytes{S}",
    "memory_high_per_second": "rate(vmtop_memory_high_events_total{S}[W])",
    "memory_peak_bytes": "vmtop_memory_peak_bytes{S}",
    "memory_report_age_seconds": "vmtop_memory_report_age_seconds{S}",
    "oom_kills": "vmtop_oom_kills_total{S}",
    "cpu_of_limit_percent": f"{_VCPUS_BUSY} and vmtop_cpu_limit_cores{{S}} >= vmtop_vcpus{{S}} or {_CPU_OF_LIMIT}",
    "cpu_user_percent": "100 * rate(vmtop_cpu_user_seconds_total{S}[W])",
    "cpu_system_percent": "100 * rate(vmtop_cpu_system_seconds_total{S}[W])",
    "vcpu_percent": _VCPUS_BUSY,
    "cpu_emulator_percent": "clamp_min(100 * (rate(vmtop_vmm_cpu_seconds_total{S}[W])"
    " - rate(vmtop_vcpu_seconds_total{S}[W])), 0)",
    "cpu_steal_percent": "clamp_max(100 * rate(vmtop_vcpu_delay_seconds_total{S}[W]) / vmtop_vcpus{S}, 100)",
    "memory_wait_percent": "clamp_max(100 * rate(vmtop_memory_waiting_seconds_total{S}[W]), 100)",
    "cpu_stall_percent": "clamp_max(100 * rate(vmtop_cpu_stalled_seconds_total{S}[W]), 100)",
    "memory_stall_percent": "clamp_max(100 * rate(vmtop_memory_stalled_seconds_total{S}[W]), 100)",
    "io_stall_percent": "clamp_max(100 * rate(vmtop_io_stalled_seconds_total{S}[W]), 100)",
    "io_wait_percent": "clamp_max(100 * rate(vmtop_io_waiting_seconds_total{S}[W]), 100)",
    "disk_reads_per_second": "rate(vmtop_disk_reads_total{S}[W])",
    "disk_writes_per_second": "rate(vmtop_disk_writes_total{S}[W])",
    "guest_disk_read_bytes_per_second": "rate(vmtop_guest_disk_read_bytes_total{S}[W])",
    "guest_disk_write_bytes_per_second": "rate(vmtop_guest_disk_written_bytes_total{S}[W])",
    "guest_disk_read_milliseconds": "1000 * rate(vmtop_guest_disk_read_seconds_total{S}[W])"
    " / (rate(vmtop_guest_disk_reads_total{S}[W]) > 0)",
    "guest_disk_write_milliseconds": "1000 * rate(vmtop_guest_disk_write_seconds_total{S}[W])"
    " / (rate(vmtop_guest_disk_writes_total{S}[W]) > 0)",
    "net_drops_per_second": "rate(vmtop_network_drops_total{S}[W])",
    "pids": "vmtop_tasks{S}",
    "vcpus": "vmtop_vcpus{S}",
    "cpu_seconds": "vmtop_cpu_seconds_total{S}",
}
"""The expression of every metric that the exposed families can give, by the metric's key."""

WITHOUT = frozenset(METRICS) - frozenset(EXPRESSIONS)
"""The keys of the metrics that take more than what is exposed, such as the resident size of a hypervisor."""


def expression(key: str, matchers: str = "", window: str = "1m") -> str:
    """Return the PromQL of a metric.

    Args:
        key: A key of `EXPRESSIONS`.
        matchers: Matchers of labels, such as `instance="hv01"`, with commas between them; none by default.
        window: The window of rates, at least four times the scrape interval so that one lost scrape leaves no gap.
    """
    return written(EXPRESSIONS[key], matchers, window)


def written(template: str, matchers: str = "", window: str = "1m") -> str:
    """Return a template of this module's kind with its matchers and its window."""
    more = f"{matchers}, " if matchers else ""
    return (
        template.replace("{S, ", f"{{{more}")
        .replace("{S}", f"{{{matchers}}}" if matchers else "")
        .replace("[W]", f"[{window}]")
    )
