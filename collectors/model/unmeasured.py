"""What of a workload may be impossible to measure, and why: the vocabulary of `Workload.unmeasured`. Plain data.

A cause is one row of `Cause` and one sentence of `SENTENCES`. A source that finds it adds an `Unmeasured` to the
workload.
"""

from __future__ import annotations

from enum import StrEnum


class Topic(StrEnum):
    """A group of sample fields that are measured, or missing, together."""

    CPU = "cpu"
    PRESSURE = "pressure"
    MEMORY = "memory"
    GUEST_MEMORY = "guest memory"
    DISK = "disk"
    DISK_OPERATIONS = "disk operations"
    GUEST_DISK = "guest disk"
    NETWORK = "network"
    TASKS = "tasks"
    VCPUS = "vcpus"
    QUOTA = "quota"
    OTHER = "other"


FIELDS: tuple[tuple[str, Topic], ...] = (
    ("cpu_stall_", Topic.PRESSURE),
    ("memory_stall_", Topic.PRESSURE),
    ("io_stall_", Topic.PRESSURE),
    ("cpu_periods_", Topic.QUOTA),
    ("cpu_throttled_", Topic.QUOTA),
    ("cpu_", Topic.CPU),
    ("memory_available_", Topic.GUEST_MEMORY),
    ("memory_usable_", Topic.GUEST_MEMORY),
    ("memory_report_", Topic.GUEST_MEMORY),
    ("memory_", Topic.MEMORY),
    ("oom_", Topic.MEMORY),
    ("guest_disk_", Topic.GUEST_DISK),
    ("disk_reads_", Topic.DISK_OPERATIONS),
    ("disk_writes_", Topic.DISK_OPERATIONS),
    ("disk_", Topic.DISK),
    ("net_", Topic.NETWORK),
    ("pids", Topic.TASKS),
    ("vcpu", Topic.VCPUS),
    ("steal_", Topic.VCPUS),
)
"""Beginnings of the names of sample fields, and their topics; the first match counts."""


class Cause(StrEnum):
    """Why a topic cannot be measured."""

    NO_CONTROLLER = "no controller"
    NO_RIGHT = "no right"
    NO_PSI = "no psi"
    NO_PSI_ON_V1 = "no psi on v1"
    PSI_OFF = "psi off"
    NO_PROCESS = "no process"
    NO_PROCESS_IO = "no process io"
    ONLY_PROCESS_IO = "only process io"
    HOST_NETWORK = "host network"
    SHARED_NETWORK = "shared network"
    NO_NETWORK = "no network"
    NO_INTERFACE = "no interface"
    UNCOUNTED_INTERFACE = "uncounted interface"
    NO_TAP = "no tap"
    NO_OWN_CGROUP = "no own cgroup"
    ONLY_GUEST = "only guest"
    UNNAMED_THREADS = "unnamed threads"
    NO_DISK = "no disk"
    NO_BALLOON = "no balloon"
    NO_BALLOON_PERIOD = "no balloon period"
    NO_GUEST_REPORT = "no guest report"
    BUSY_MONITOR = "busy monitor"
    WAITING = "waiting"


SENTENCES: dict[str, str] = {
    Cause.NO_CONTROLLER: "the {} controller is not enabled for its cgroup",
    Cause.NO_RIGHT: "this user may not read {}",
    Cause.NO_PSI: "this kernel does not measure pressure (PSI)",
    Cause.NO_PSI_ON_V1: "only cgroup v2 measures pressure (PSI), and it has no v2 cgroup",
    Cause.PSI_OFF: "pressure (PSI) is switched off for its cgroup, in cgroup.pressure",
    Cause.NO_PROCESS: "it has no process, or none that this user may see, and only its processes show it",
    Cause.NO_PROCESS_IO: "this kernel counts disk traffic per process only, in files that this user may not read",
    Cause.ONLY_PROCESS_IO: "this kernel counts disk traffic per process only, in bytes and not in operations",
    Cause.HOST_NETWORK: "it uses the host's network; its traffic is part of the host's",
    Cause.SHARED_NETWORK: "it shares the network of {}, whose row shows the traffic",
    Cause.NO_NETWORK: "it has no network",
    Cause.NO_INTERFACE: "it has no network interface",
    Cause.UNCOUNTED_INTERFACE: "the host does not count the traffic of its network interface ({})",
    Cause.NO_TAP: "it has no network interface on this host (user networking has none, and is not counted)",
    Cause.NO_OWN_CGROUP: "it has no cgroup of its own: it is measured by the process that runs it",
    Cause.ONLY_GUEST: "only its guest knows it, and nothing that vmtop asks reports it for this virtual machine",
    Cause.UNNAMED_THREADS: "the threads of its VMM have no names that tell which are virtual CPUs "
    "(QEMU names them with -name debug-threads=on)",
    Cause.NO_DISK: "it has no disk",
    Cause.NO_BALLOON: "it has no memory balloon, which is what reports the guest's memory",
    Cause.NO_BALLOON_PERIOD: "its memory balloon does not report: <stats period='5'/> is missing in its definition",
    Cause.NO_GUEST_REPORT: "the guest's balloon driver has not reported; it is not loaded, or the guest has not booted",
    Cause.BUSY_MONITOR: "libvirt got no answer from its QEMU",
    Cause.WAITING: "it waits to be started, and nothing of it runs that could be measured",
}
"""The sentence of each cause, with `{}` for `Unmeasured.detail`. Without capital and full stop."""


INHERENT: frozenset[str] = frozenset(
    {
        Cause.HOST_NETWORK,
        Cause.SHARED_NETWORK,
        Cause.NO_NETWORK,
        Cause.NO_INTERFACE,
        Cause.NO_TAP,
        Cause.NO_DISK,
        Cause.NO_BALLOON,
        Cause.WAITING,
    }
)
"""Causes that are properties of the workload: it has nothing to measure, and so nothing failed."""


def topic_of(field: str) -> Topic:
    """Return the topic of a sample field."""
    return next((topic for beginning, topic in FIELDS if field.startswith(beginning)), Topic.OTHER)
