"""The metric families that vmtop exposes: one row per family, named as in the table of docs/prometheus.md.

A family is a raw counter or gauge of `Sample`, not a derived value: rates are made by whoever asks. Names follow
https://prometheus.io/docs/practices/naming/ and the OpenMetrics specification 1.0.0. A new field of `Sample` is exposed
by a row here; the text, the description of every family and the way back to samples follow from it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

PREFIX = "vmtop_"
WORKLOAD_LABELS = ("kind", "engine", "id", "name")
"""The labels of every series of a workload. `id` is the short one: 12 digits of a container, the UUID of a domain, the
path of a service."""
HOST_LABEL = "host"
"""Only on series of another host, which vmtop reads over SSH: the name by which it knows that host. Those of the host
that it runs on are told apart by the `instance` that the scraper adds."""
INFO_LABELS = (
    "full_id", "state", "state_reason", "health", "image", "project", "cgroup", "endpoint", "parent_engine",
    "parent_id", "sandbox",
)  # fmt: skip
"""Further labels of `vmtop_workload_info`, left out where there is nothing to say. `full_id` is there where `id` is
shortened; `parent_engine` and `parent_id` are the labels of the workload that encloses it and counts it as its own;
`sandbox` is `true` for a container that only holds what the members of its pod share."""


class Type(StrEnum):
    """The type of a family in OpenMetrics."""

    COUNTER = "counter"
    GAUGE = "gauge"
    INFO = "info"


class Of(StrEnum):
    """What the series of a family are of."""

    WORKLOAD = "workload"
    HOST = "host"
    """The host itself; without labels, or with `host`."""
    SOURCE = "source"
    """What vmtop reads; label `source`."""
    SELF = "self"
    """vmtop itself."""
    EVENT = "event"


class Pick(StrEnum):
    """Which of a workload's samples supplies a field that several of them have."""

    FIRST = "first"
    LOWEST = "lowest"
    """Limits: the tightest counts."""


class Family(NamedTuple):
    """One metric family."""

    name: str
    """As in queries: with `vmtop_`, and with `_total` or `_info` where it has one."""
    type: Type
    help: str
    """One sentence."""
    field: str = ""
    """The field of `Sample`, or of `Workload` for `from_workload`; empty where the text is made otherwise."""
    scale: float = 1
    """The exposed value is the field times this: 1e-9 makes seconds of nanoseconds."""
    pick: Pick = Pick.FIRST
    beside: str = ""
    """Another field: the value is that of the first sample that has this one too."""
    less: str = ""
    """Another field that is subtracted; there is no value without it, and none below zero."""
    of: Of = Of.WORKLOAD
    from_workload: bool = False

    @property
    def base(self) -> str:
        """The name in OpenMetrics' `# TYPE` line, which is without the suffix of its type."""
        return self.name.removesuffix("_total").removesuffix("_info")


C, G = Type.COUNTER, Type.GAUGE
NS = 1e-9
_LOWEST = Pick.LOWEST

_WORKLOAD: tuple[Family, ...] = (
    Family("cpu_seconds_total", C, "CPU time used, in all modes.", "cpu_total_ns", NS),
    Family("cpu_user_seconds_total", C, "CPU time used in user mode.", "cpu_user_total_ns", NS),
    Family("cpu_system_seconds_total", C, "CPU time used in the kernel.", "cpu_system_total_ns", NS),
    Family("cpu_periods_total", C, "Periods of its CPU quota that passed while it ran.", "cpu_periods_total"),
    Family(
        "cpu_throttled_periods_total", C, "Periods of its CPU quota that were throttled.", "cpu_throttled_periods_total"
    ),
    Family("cpu_throttled_seconds_total", C, "Time for which it was throttled.", "cpu_throttled_total_ns", NS),
    Family("cpu_limit_cores", G, "The most cores it may use; of a VM, its vCPUs.", "cpu_limit_cores", pick=_LOWEST),
    Family("cpu_waiting_seconds_total", C, "Time in which some task waited for a CPU (PSI).", "cpu_stall_total_ns", NS),
    Family("cpu_stalled_seconds_total", C, "Time in which no task ran and some waited for a CPU (PSI full).",
           "cpu_stall_full_total_ns", NS),
    Family("memory_waiting_seconds_total", C, "Time in which some task waited for memory (PSI).",
           "memory_stall_total_ns", NS),
    Family("memory_stalled_seconds_total", C, "Time in which all tasks waited for memory at once (PSI full).",
           "memory_stall_full_total_ns", NS),
    Family("io_waiting_seconds_total", C, "Time in which some task waited for I/O (PSI).", "io_stall_total_ns", NS),
    Family("io_stalled_seconds_total", C, "Time in which all tasks waited for I/O at once (PSI full).",
           "io_stall_full_total_ns", NS),
    Family("memory_charged_bytes", G, "Memory that the kernel charges to it, page cache included.",
           "memory_charged_bytes"),
    Family("memory_working_set_bytes", G, "Charged memory less inactive page cache.", "memory_charged_bytes",
           less="memory_inactive_file_bytes"),
    Family("memory_unreclaimable_bytes", G, "Memory that dropping caches would leave.", "memory_unreclaimable_bytes"),
    Family("memory_limit_bytes", G, "The lowest memory limit that applies to it.", "memory_limit_bytes", pick=_LOWEST),
    Family("memory_assigned_bytes", G, "Memory that a VM's guest has now, by its balloon.", "memory_limit_bytes",
           beside="vcpus"),
    Family("memory_maximum_bytes", G, "The most memory a VM may be given.", "memory_maximum_bytes"),
    Family("memory_peak_bytes", G, "The most memory ever charged to it.", "memory_peak_bytes"),
    Family("memory_swap_bytes", G, "Memory that is swapped out.", "memory_swap_bytes"),
    Family("memory_zswap_bytes", G, "What its compressed swap takes of its charged memory.", "memory_zswap_bytes"),
    Family("memory_shmem_bytes", G, "Shared memory and tmpfs in its charged memory.", "memory_shmem_bytes"),
    Family("memory_hugetlb_bytes", G, "Hugepages, which are not in its charged memory.", "memory_hugetlb_bytes"),
    Family("memory_rss_bytes", G, "Resident size of the process that runs a VM.", "memory_rss_bytes"),
    Family("memory_guest_bytes", G, "MemTotal inside a VM, by its balloon driver.", "memory_available_bytes"),
    Family("memory_inside_bytes", G, "MemTotal less MemAvailable inside a VM, by its balloon driver.",
           "memory_available_bytes", less="memory_usable_bytes"),
    Family("memory_report_age_seconds", G, "Age of the balloon driver's report.", "memory_report_age_s"),
    Family("memory_high_events_total", C, "Times it was slowed down at memory.high.", "memory_high_total"),
    Family("oom_kills_total", C, "Processes ended for want of memory.", "oom_kills_total"),
    Family("disk_read_bytes_total", C, "Read from this host's disks.", "disk_read_total_bytes"),
    Family("disk_written_bytes_total", C, "Written to this host's disks.", "disk_write_total_bytes"),
    Family("disk_reads_total", C, "Read operations on this host's disks.", "disk_reads_total"),
    Family("disk_writes_total", C, "Write operations on this host's disks.", "disk_writes_total"),
    Family("guest_disk_read_bytes_total", C, "Read by a VM's guest from its disks.", "guest_disk_read_total_bytes"),
    Family("guest_disk_written_bytes_total", C, "Written by a VM's guest to its disks.",
           "guest_disk_write_total_bytes"),
    Family("guest_disk_reads_total", C, "Read operations of a VM's guest.", "guest_disk_reads_total"),
    Family("guest_disk_writes_total", C, "Write operations of a VM's guest.", "guest_disk_writes_total"),
    Family("guest_disk_read_seconds_total", C, "Time that a VM's read operations took.",
           "guest_disk_read_time_total_ns", NS),
    Family("guest_disk_write_seconds_total", C, "Time that a VM's write operations took.",
           "guest_disk_write_time_total_ns", NS),
    Family("network_receive_bytes_total", C, "Received by the workload.", "net_rx_total_bytes"),
    Family("network_transmit_bytes_total", C, "Sent by the workload.", "net_tx_total_bytes"),
    Family("network_receive_packets_total", C, "Packets received.", "net_rx_packets_total"),
    Family("network_transmit_packets_total", C, "Packets sent.", "net_tx_packets_total"),
    Family("network_drops_total", C, "Packets dropped in both directions.", "net_drops_total"),
    Family("tasks", G, "Processes and threads.", "pids"),
    Family("tasks_limit", G, "The most processes and threads it may have.", "pids_limit"),
    Family("vcpus", G, "Virtual CPUs of a VM.", "vcpus"),
    Family("vcpu_seconds_total", C, "CPU time of a VM's virtual CPUs together.", "vcpu_total_ns", NS),
    Family("vcpu_delay_seconds_total", C, "Time a VM's virtual CPUs were ready and had no host CPU (steal).",
           "steal_total_ns", NS),
    Family("vmm_cpu_seconds_total", C, "CPU time of a VM with its emulator, by the reader that counts its vCPUs.",
           "cpu_total_ns", NS, beside="vcpu_total_ns"),
    Family("start_time_seconds", G, "When it was started, in seconds since 1970.", "started_at", from_workload=True),
    Family("restarts_total", C, "Times its engine started it again by itself.", "restarts", from_workload=True),
    Family("exit_code", G, "Exit code of its last run; absent while it runs.", "exit_code", from_workload=True),
    Family("workload_info", Type.INFO, "What a workload is; always 1."),
)  # fmt: skip

_HOST_HELP = {
    "cpu_seconds_total": "CPU time used on the host, in all modes but idle.",
    "cpu_user_seconds_total": "CPU time used in user mode on the host.",
    "cpu_system_seconds_total": "CPU time used in the host's kernel.",
    "cpu_waiting_seconds_total": "Time in which some task of the host waited for a CPU (PSI).",
    "memory_waiting_seconds_total": "Time in which some task of the host waited for memory (PSI).",
    "memory_stalled_seconds_total": "Time in which all tasks of the host waited for memory at once (PSI full).",
    "io_waiting_seconds_total": "Time in which some task of the host waited for I/O (PSI).",
    "io_stalled_seconds_total": "Time in which all tasks of the host waited for I/O at once (PSI full).",
    "memory_charged_bytes": "Memory of the host in use, page cache included.",
    "memory_working_set_bytes": "Memory of the host in use less inactive page cache.",
    "memory_unreclaimable_bytes": "MemTotal less MemAvailable of the host.",
    "memory_swap_bytes": "Swap space of the host in use.",
    "memory_zswap_bytes": "What the host's compressed swap takes of its memory.",
    "memory_shmem_bytes": "Shared memory and tmpfs of the host.",
    "disk_read_bytes_total": "Read from the host's disks.",
    "disk_written_bytes_total": "Written to the host's disks.",
    "disk_reads_total": "Read operations on the host's disks.",
    "disk_writes_total": "Write operations on the host's disks.",
    "network_receive_bytes_total": "Received by the host.",
    "network_transmit_bytes_total": "Sent by the host.",
    "network_receive_packets_total": "Packets received by the host.",
    "network_transmit_packets_total": "Packets sent by the host.",
    "network_drops_total": "Packets dropped by the host in both directions.",
}
"""What families of workloads mean for the host, whose own sample has the same fields. `memory_available_bytes` is not
among them: of the host it is MemAvailable, of a domain MemTotal."""

_HOST: tuple[Family, ...] = (
    *(row._replace(name=f"host_{row.name}", help=text) for row in _WORKLOAD if (text := _HOST_HELP.get(row.name, ""))),
    Family("host_memory_available_bytes", G, "MemAvailable of the host, and what the cache of ZFS would give back.",
           "memory_available_bytes"),
    Family("host_load1", G, "Load average over one minute.", "load_1m"),
    Family("host_cpus", G, "Online CPUs of the host."),
    Family("host_memory_bytes", G, "MemTotal of the host."),
    Family("host_memory_hugepages_bytes", G, "Pools of hugepages of the host, in use or not; absent without any."),
    Family("host_info", Type.INFO, "What the host is (labels hostname, kernel, cgroup, vmtop); always 1."),
)  # fmt: skip

_OTHERS: tuple[Family, ...] = (
    Family("source_up", G, "1 where a source could be read, 0 where not; absent where the host has no such system.",
           of=Of.SOURCE),
    Family("source_age_seconds", G, "Age of a source's last reading.", of=Of.SOURCE),
    Family("source_read_seconds", G, "How long a source's last reading took.", of=Of.SOURCE),
    Family("events_total", C, "Events of workloads, by what happened (label what).", of=Of.EVENT),
    Family("alert", G, "1 for each active alert of vmtop's own rules (labels rule, level); absent once it is over.",
           of=Of.EVENT),
    Family("workloads", G, "Workloads that vmtop sees, by kind and state.", of=Of.SELF),
    Family("workloads_omitted", G, "Workloads that are not exposed because there are more than --max-workloads.",
           of=Of.SELF),
    Family("scrape_seconds", G, "How long the sources were waited for and the text took, at the scrape before.",
           of=Of.SELF),
    Family("self_cpu_seconds_total", C, "CPU time of vmtop itself.", of=Of.SELF),
    Family("self_resident_bytes", G, "Resident memory of vmtop itself.", of=Of.SELF),
    Family("build_info", Type.INFO, "The version of vmtop; always 1.", of=Of.SELF),
)  # fmt: skip

FAMILIES: tuple[Family, ...] = tuple(
    row._replace(name=PREFIX + row.name, of=of if row.of is Of.WORKLOAD else row.of)
    for rows, of in ((_WORKLOAD, Of.WORKLOAD), (_HOST, Of.HOST), (_OTHERS, Of.SELF))
    for row in rows
)
"""Every family, in the order of the text."""

BY_NAME = {family.name: family for family in FAMILIES}


def families_of(of: Of) -> tuple[Family, ...]:
    """Return the families of one sort, in the order of the text."""
    return tuple(family for family in FAMILIES if family.of is of)
