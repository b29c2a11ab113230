"""The rows of memory: what it is made of, where it went, and how often it was short."""

from __future__ import annotations

from collectors.model.derivations import (
    gauge,
    memory_held_limit,
    memory_in_reach,
    memory_inside,
    memory_overhead,
    memory_unreclaimable,
    of,
    rate,
)
from collectors.model.metric_origins import MEMORY_STAT, VM_ONLY, VSPHERE
from collectors.model.metric_type import Metric, Unit

# fmt: off
MEMORY_ROWS: tuple[Metric, ...] = (
    Metric(
        key="memory_inside_bytes", alias="inside", other_names=("used",), label="USED", unit=Unit.BYTES,
        help="What the programs inside use.",
        formula="guest's MemTotal - MemAvailable; for a container the same as MEM",
        derive=memory_inside, fields=("memory_available_bytes", "memory_charged_bytes"),
        origins={
            "libvirt": "balloon.available - balloon.usable, by the guest's balloon driver", "cgroup": "as MEM",
            "vsphere": VSPHERE + "mem.active, which the host estimates",
        },
        missing="the guest's balloon driver does not report (needs <memballoon><stats period=.../>)",
        less_is_better=True, limit=of("memory_limit_bytes"),
    ),
    Metric(
        key="memory_overhead_bytes", alias="overhead", label="OVERHEAD", unit=Unit.BYTES,
        help="Memory that a VM's hypervisor holds in addition to the guest's.",
        formula="resident size of the QEMU process, at most MEM - hugepages, - (balloon.current - hugepages); "
        "absent below zero",
        derive=memory_overhead, fields=("memory_rss_bytes",),
        origins={
            "libvirt": "balloon.rss, balloon.current; hugepages as HUGE", "vmm-process": "as MEM", "cgroup": "as MEM",
        },
        missing=VM_ONLY,
        undefined="the guest has not touched all of its memory yet, so that the hypervisor's own cannot be told apart; "
        "the facts page measures it",
        less_is_better=True,
    ),
    Metric(
        key="memory_charged_bytes", alias="charged", other_names=("cache",), label="+CACHE", unit=Unit.BYTES,
        help="All memory charged to it, page cache included.", formula="memory.current",
        derive=gauge("memory_charged_bytes"), fields=("memory_charged_bytes",),
        origins={"cgroup": "memory.current", "vsphere": VSPHERE + "mem.consumed"},
        less_is_better=True, limit=memory_held_limit,
    ),
    Metric(
        key="memory_unreclaimable_bytes", alias="unreclaimable", label="UNRECL", unit=Unit.BYTES,
        help="Memory that dropping caches would leave; of a VM the same as USED.",
        formula="charged - page cache of files - reclaimable slab; of a VM or a host MemTotal - MemAvailable",
        derive=memory_unreclaimable, fields=("memory_available_bytes", "memory_unreclaimable_bytes"),
        origins={
            "cgroup": "memory.current - memory.stat active_file, inactive_file, slab_reclaimable "
            "(v1: total_rss + total_cache - total_active_file - total_inactive_file: without the kernel's memory)",
            "libvirt": "as USED",
            "docker-stats": "Docker stats: as of a cgroup",
            "host": "/proc/meminfo: MemTotal - MemAvailable",
        },
        missing="neither its cgroup's memory.stat nor its guest reports it",
        less_is_better=True, limit=memory_in_reach,
    ),
    Metric(
        key="memory_swap_bytes", alias="swap", label="SWAP", unit=Unit.BYTES,
        help="Memory in swap, as much as it was before compression.", formula="memory.swap.current",
        derive=gauge("memory_swap_bytes"), fields=("memory_swap_bytes",),
        origins={
            "cgroup-slow": "memory.swap.current (v1: memory.stat total_swap)",
            "vmm-process": "VmSwap of /proc/<pid>/status",
            "host": "/proc/meminfo: SwapTotal - SwapFree",
        },
        missing="the kernel does not account swap to cgroups", less_is_better=True,
    ),
    Metric(
        key="memory_zswap_bytes", alias="zswap", label="ZSWAP", unit=Unit.BYTES,
        help="Memory that its compressed swap takes; part of +CACHE.", formula="memory.stat zswap",
        derive=gauge("memory_zswap_bytes"), fields=("memory_zswap_bytes",),
        origins={"cgroup-slow": "memory.stat zswap (v2, Linux 5.19 and newer)", "host": "/proc/meminfo: Zswap"},
        missing=MEMORY_STAT, less_is_better=True,
    ),
    Metric(
        key="memory_shmem_bytes", alias="shmem", label="SHMEM", unit=Unit.BYTES,
        help="Shared memory and tmpfs; part of MEM, and not to be dropped as page cache is.",
        formula="memory.stat shmem",
        derive=gauge("memory_shmem_bytes"), fields=("memory_shmem_bytes",),
        origins={"cgroup-slow": "memory.stat shmem (v1: total_shmem)", "host": "/proc/meminfo: Shmem"},
        missing=MEMORY_STAT, less_is_better=True,
    ),
    Metric(
        key="memory_hugetlb_bytes", alias="huge", label="HUGE", unit=Unit.BYTES,
        help="Hugepages that it holds; part of MEM, and not of +CACHE.", formula="hugetlb.*.current, all sizes",
        derive=gauge("memory_hugetlb_bytes"), fields=("memory_hugetlb_bytes",),
        origins={
            "cgroup-slow": "hugetlb.*.current (v1: usage_in_bytes); of a VM, else HugetlbPages of /proc/<pid>/status",
            "libvirt": "balloon.maximum, where all of the guest's memory is on hugepages",
            "vmm-process": "HugetlbPages of /proc/<pid>/status",
        },
        missing="this host has no hugepages, or the hugetlb controller is not enabled for its cgroup",
        less_is_better=True,
    ),
    Metric(
        key="memory_high_per_second", alias="high", label="HIGH/s", unit=Unit.PER_SECOND,
        help="How often its tasks were slowed down at memory.high.", formula="growth of memory.events high / time",
        derive=rate("memory_high_total"), fields=("memory_high_total",),
        origins={"cgroup-slow": "memory.events high"}, missing="only cgroup v2 counts it",
        thresholds=(0.1, 10.0), less_is_better=True,
    ),
    Metric(
        key="memory_peak_bytes", alias="peak", label="PEAK", unit=Unit.BYTES,
        help="Most memory ever charged.", formula="memory.peak",
        derive=gauge("memory_peak_bytes"), fields=("memory_peak_bytes",),
        origins={"cgroup-slow": "memory.peak (Linux 5.19 and newer)"}, less_is_better=True,
    ),
    Metric(
        key="memory_report_age_seconds", alias="age", other_names=("report",), label="REPORT", unit=Unit.SECONDS,
        help="Age of the guest's own memory report.", formula="time of reading - balloon.last-update",
        derive=gauge("memory_report_age_s"), fields=("memory_report_age_s",),
        origins={"libvirt": "balloon.last-update", "vsphere": "time since the end of the 20 s"}, missing=VM_ONLY,
    ),
    Metric(
        key="oom_kills", alias="oom", label="OOM", unit=Unit.COUNT,
        help="Processes that were OOM killed since it was created.", formula="oom_kill",
        derive=gauge("oom_kills_total"), fields=("oom_kills_total",),
        origins={"cgroup-slow": "memory.events oom_kill (v1: memory.oom_control of it and all below it)"},
        less_is_better=True, adds_up=True, is_total=True,
    ),
)
# fmt: on
