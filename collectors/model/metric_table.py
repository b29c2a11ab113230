"""The rows of METRICS, one per metric, in the order in which columns, help and docs list them.

A new metric is one row here: columns, sorting, filters, charts, comparisons, `vmtop list`, JSON, CSV, export, reports,
help and docs/metrics.md follow from it.
"""

from __future__ import annotations

from collectors.model.derivations import (
    always,
    cpu_of_limit,
    cpu_percent,
    cpu_seconds,
    emulator_percent,
    gauge,
    latency,
    lowest,
    memory_held_limit,
    memory_host,
    memory_inside,
    memory_limit,
    memory_of_limit,
    memory_overhead,
    of,
    rate,
    share_of_time,
    steal_percent,
    throttled,
    total,
    vcpu_percent,
)
from collectors.model.metric_type import Extra, HostChart, Metric, Unit

_VSPHERE = "averages over 20 s: "
_DISK = {
    "cgroup": "io.stat of the cgroup, each byte once (v1: blkio.throttle.io_service_bytes_recursive)",
    "process-io": "/proc/<pid>/io of its processes, approximately: this kernel's v1 blkio does not count it",
    "vmm-process": "/proc/<pid>/io of the process that runs a virtual machine",
    "docker-stats": "Docker stats: blkio_stats.io_service_bytes_recursive, at each device of a stack",
    "host": "/proc/diskstats, each byte once; operations before the kernel merges them",
}
_DISK_BYTES = {**_DISK, "vsphere": _VSPHERE + "disk.read, disk.write"}
_GUEST_DISK = {"libvirt": "domain stats block.N.*, backing files left out"}
_GUEST_DISK_BYTES = {**_GUEST_DISK, "vsphere": _VSPHERE + "virtualDisk.read, virtualDisk.write, of all disks"}
_NET = {
    "cgroup": "/proc/<pid>/net/dev of its first process, interfaces that lead out of its namespace",
    "libvirt": "domain stats net.N.*, as the domain sees it",
    "vmm": "/proc/<pid>/net/dev: the taps that a virtual machine's process holds open, as the machine sees them",
    "docker-stats": "Docker stats: networks.*",
    "host": "/proc/net/dev, physical interfaces; where there are none, those that lead out",
}
_NET_BYTES = {**_NET, "vsphere": _VSPHERE + "net.received, net.transmitted"}
_PSI = {
    "cgroup": "cpu.pressure, some total",
    "cgroup-slow": "{memory,io}.pressure, some total",
    "host": "/proc/pressure",
}
_LIMIT = {
    "cgroup-slow": "memory.max and memory.high of it and its ancestors (v1: memory.limit_in_bytes)",
    "libvirt": "balloon.current",
    "vmm": "what a virtual machine was given at its start, by the command line of its process",
    "docker": "HostConfig.Memory",
    "vsphere": "memory of its configuration; of a host, what it has",
}
_MEMORY_STAT = "this kernel's memory.stat does not have it"
_NO_PSI = "the kernel reports no pressure (PSI) for this workload's cgroup"
_NO_NET = (
    "it uses the host's network or that of another workload, has no network interface, "
    "or its network namespace may not be read"
)
_CPU_CLOCK = "CPU-time clock of the process that runs a virtual machine (clock_getcpuclockid)"
_CPU_TICKS = "/proc/<pid>/stat of the process that runs a virtual machine, in ticks of 10 ms"
_VCPUS = "threads of the process that runs a virtual machine; where they have no names, its command line"
_VCPU_THREADS = "/proc/<pid>/task/<tid>/schedstat of the virtual CPUs' threads, where these have names"
_NO_VCPUS = "only virtual machines have virtual CPUs, and of this one nothing shows them"
_VM_ONLY = "only libvirt reports it, and only for virtual machines"
_NO_OPERATION = "no operation was completed since the reading before"
_NO_DISK = "the io controller is not enabled for its cgroup (on cgroup v1: /proc/<pid>/io, which needs root)"

# fmt: off
ROWS: tuple[Metric, ...] = (
    Metric(
        key="cpu_percent", alias="cpu", label="CPU%", unit=Unit.PERCENT,
        help="CPU time used; 100 is one host core.",
        formula="growth of CPU time / elapsed time x 100, at most 100 for each host core",
        derive=cpu_percent, fields=("cpu_total_ns",),
        origins={
            "cgroup": "cpu.stat usage_usec (v1: cpuacct.usage)",
            "libvirt": "domain stats cpu.time",
            "vmm-process": _CPU_CLOCK,
            "docker-stats": "Docker stats: cpu_usage.total_usage",
            "vsphere": _VSPHERE + "cpu.usagemhz / clock of the host's cores",
            "host": "/proc/stat: user, nice, system, irq, softirq",
        },
        missing="its cgroup has no CPU accounting, or this is its first sample",
        is_default=True, keep=99, past_column=Extra("LAST MIN", 60), is_charted=True, is_headline=True, has_peak=True,
        less_is_better=True, adds_up=True, limit=of("cpu_limit_cores", 100), host_chart=HostChart.CPU,
    ),
    Metric(
        key="cpu_limit_cores", alias="cores", label="CPUS", unit=Unit.CORES,
        help="The most cores it may use; of a VM, its vCPUs.",
        formula="min(quota of it and its ancestors, cpuset, vCPUs and the sum of their quotas, online CPUs)",
        derive=lowest("cpu_limit_cores"), fields=("cpu_limit_cores",),
        origins={
            "cgroup-slow": "cpu.max, cpuset.cpus.effective (v1: cpu.cfs_quota_us, cpuset.effective_cpus), of vcpuN too",
            "libvirt": "vcpu.current, quotas in the domain's XML", "vsphere": "number of its virtual CPUs",
            "vmm": _VCPUS,
        }, table_from=150,
    ),
    Metric(
        key="cpu_wait_percent", alias="wait", other_names=("cpuwait",), label="CPUWAIT", unit=Unit.PERCENT,
        help="Share of time in which some of its tasks waited for a CPU.",
        formula="growth of cpu.pressure some total / elapsed time x 100, at most 100",
        derive=share_of_time("cpu_stall_total_ns"), fields=("cpu_stall_total_ns",),
        origins={**_PSI, "vsphere": _VSPHERE + "cpu.ready, the mean of its virtual CPUs"}, missing=_NO_PSI,
        is_default=True, keep=40, is_charted=True, has_peak=True, thresholds=(10.0, 25.0), less_is_better=True,
        host_chart=HostChart.WAITING,
    ),
    Metric(
        key="cpu_throttled_percent", alias="throttled", label="THROT%", unit=Unit.PERCENT,
        help="Share of its quota periods that were throttled.",
        formula="growth of nr_throttled / growth of nr_periods x 100; of a VM, sums over its groups",
        derive=throttled, fields=("cpu_throttled_periods_total",),
        origins={
            "cgroup": "cpu.stat nr_throttled, nr_periods",
            "cgroup-slow": "of a VM: the same, also of vcpuN, emulator and iothreadN",
        },
        missing="it has no CPU quota, or no period passed",
        undefined="no period of its CPU quota has passed since the reading before: none of its tasks ran",
        thresholds=(5.0, 20.0), less_is_better=True, table_from=150,
    ),
    Metric(
        key="memory_host_bytes", alias="mem", label="MEM", unit=Unit.BYTES,
        help="Memory that the host gives it: charged memory less inactive page cache, and hugepages.",
        formula="charged - inactive_file (Docker's and the kubelet's working set) + hugepages",
        derive=memory_host, fields=("memory_charged_bytes", "memory_rss_bytes"),
        origins={
            "cgroup": "memory.current - memory.stat inactive_file (v1: usage_in_bytes - total_inactive_file)",
            "cgroup-slow": "hugepages: see HUGE",
            "libvirt": "resident size of the QEMU process (balloon.rss)",
            "vmm-process": "VmRSS of /proc/<pid>/status of the process that runs a virtual machine",
            "docker-stats": "Docker stats: usage - inactive_file",
            "vsphere": _VSPHERE + "mem.consumed",
            "host": "/proc/meminfo: MemTotal - MemFree - Inactive(file), less free pages on lists of CPUs (zoneinfo)",
        },
        missing="the memory controller is not enabled for its cgroup",
        is_default=True, keep=98, change_column=Extra("+/MIN", 11, 120), is_charted=True, is_headline=True,
        has_peak=True, less_is_better=True, limit=memory_held_limit, host_chart=HostChart.MEMORY,
    ),
    Metric(
        key="memory_limit_bytes", alias="memlimit", label="LIMIT", unit=Unit.BYTES,
        help="The lowest memory limit that applies to it, including the one at which it is slowed down.",
        formula="min(own limits, ancestors' limits, balloon target, the host's memory); hugepages have other limits",
        derive=memory_limit, fields=("memory_limit_bytes",), origins=_LIMIT,
        missing="it has no memory limit", table_from=150,
    ),
    Metric(
        key="memory_of_limit_percent", alias="limit", label="/LIMIT", unit=Unit.PERCENT,
        help="Memory as a share of its limit; of a VM, what the guest uses of the memory that it has now.",
        formula="memory_host_bytes without hugepages / memory_limit_bytes x 100; "
        "of a VM: memory_inside_bytes / balloon.current x 100",
        derive=memory_of_limit, fields=("memory_limit_bytes",), origins=_LIMIT,
        made_of=("memory_limit_bytes", "memory_inside_bytes"), missing="it has no memory limit",
        is_default=True, keep=20, thresholds=(85.0, 95.0), less_is_better=True, is_whole=True, limit=always(100.0),
    ),
    Metric(
        key="disk_read_bytes_per_second", alias="read", label="READ/s", unit=Unit.BYTES_PER_SECOND,
        help="Read from this host's disks.", formula="growth / elapsed time",
        derive=rate("disk_read_total_bytes"), fields=("disk_read_total_bytes",), origins=_DISK_BYTES,
        missing=_NO_DISK,
        is_default=True, keep=52, is_charted=True, chart="disk bytes", host_chart=HostChart.DISK,
    ),
    Metric(
        key="disk_write_bytes_per_second", alias="write", label="WRITE/s", unit=Unit.BYTES_PER_SECOND,
        help="Written to this host's disks.", formula="growth / elapsed time",
        derive=rate("disk_write_total_bytes"), fields=("disk_write_total_bytes",), origins=_DISK_BYTES,
        missing=_NO_DISK,
        is_default=True, keep=51, is_charted=True, chart="disk bytes", host_chart=HostChart.DISK,
    ),
    Metric(
        key="disk_bytes_per_second", alias="disk", label="DISK/s", unit=Unit.BYTES_PER_SECOND,
        help="Read from and written to this host's disks.", formula="READ/s + WRITE/s",
        derive=total("disk_read_bytes_per_second", "disk_write_bytes_per_second"),
        fields=("disk_read_total_bytes", "disk_write_total_bytes"), origins=_DISK_BYTES,
        made_of=("disk_read_bytes_per_second", "disk_write_bytes_per_second"), missing=_NO_DISK, keep=52, is_sum=True,
    ),
    Metric(
        key="net_rx_bytes_per_second", alias="rx", label="RX/s", unit=Unit.BYTES_PER_SECOND,
        help="Received by the workload.", formula="growth / elapsed time",
        derive=rate("net_rx_total_bytes"), fields=("net_rx_total_bytes",), origins=_NET_BYTES, missing=_NO_NET,
        is_default=True, keep=50, is_charted=True, chart="network", host_chart=HostChart.NETWORK,
    ),
    Metric(
        key="net_tx_bytes_per_second", alias="tx", label="TX/s", unit=Unit.BYTES_PER_SECOND,
        help="Sent by the workload.", formula="growth / elapsed time",
        derive=rate("net_tx_total_bytes"), fields=("net_tx_total_bytes",), origins=_NET_BYTES, missing=_NO_NET,
        is_default=True, keep=49, is_charted=True, chart="network", host_chart=HostChart.NETWORK,
    ),
    Metric(
        key="net_bytes_per_second", alias="net", label="NET/s", unit=Unit.BYTES_PER_SECOND,
        help="Received and sent by the workload.", formula="RX/s + TX/s",
        derive=total("net_rx_bytes_per_second", "net_tx_bytes_per_second"),
        fields=("net_rx_total_bytes", "net_tx_total_bytes"), origins=_NET_BYTES,
        made_of=("net_rx_bytes_per_second", "net_tx_bytes_per_second"), missing=_NO_NET, keep=50, is_sum=True,
    ),
    Metric(
        key="memory_inside_bytes", alias="inside", other_names=("used",), label="USED", unit=Unit.BYTES,
        help="What the programs inside use.",
        formula="guest's MemTotal - MemAvailable; for a container the same as MEM",
        derive=memory_inside, fields=("memory_available_bytes", "memory_charged_bytes"),
        origins={
            "libvirt": "balloon.available - balloon.usable, by the guest's balloon driver", "cgroup": "as MEM",
            "vsphere": _VSPHERE + "mem.active, which the host estimates",
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
        missing=_VM_ONLY,
        undefined="the guest has not touched all of its memory yet, so that the hypervisor's own cannot be told apart; "
        "the facts page measures it",
        less_is_better=True,
    ),
    Metric(
        key="memory_charged_bytes", alias="charged", other_names=("cache",), label="+CACHE", unit=Unit.BYTES,
        help="All memory charged to it, page cache included.", formula="memory.current",
        derive=gauge("memory_charged_bytes"), fields=("memory_charged_bytes",),
        origins={"cgroup": "memory.current", "vsphere": _VSPHERE + "mem.consumed"},
        less_is_better=True, limit=memory_held_limit,
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
        missing=_MEMORY_STAT, less_is_better=True,
    ),
    Metric(
        key="memory_shmem_bytes", alias="shmem", label="SHMEM", unit=Unit.BYTES,
        help="Shared memory and tmpfs; part of MEM, and not to be dropped as page cache is.",
        formula="memory.stat shmem",
        derive=gauge("memory_shmem_bytes"), fields=("memory_shmem_bytes",),
        origins={"cgroup-slow": "memory.stat shmem (v1: total_shmem)", "host": "/proc/meminfo: Shmem"},
        missing=_MEMORY_STAT, less_is_better=True,
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
        origins={"libvirt": "balloon.last-update", "vsphere": "time since the end of the 20 s"}, missing=_VM_ONLY,
    ),
    Metric(
        key="oom_kills", alias="oom", label="OOM", unit=Unit.COUNT,
        help="Processes that were OOM killed since it was created.", formula="oom_kill",
        derive=gauge("oom_kills_total"), fields=("oom_kills_total",),
        origins={"cgroup-slow": "memory.events oom_kill (v1: memory.oom_control of it and all below it)"},
        less_is_better=True, adds_up=True, is_total=True,
    ),
    Metric(
        key="cpu_of_limit_percent", alias="cpulimit", label="CPU/LIM", unit=Unit.PERCENT,
        help="CPU used, as a share of CPUS; of a VM without a quota, what its vCPUs use.",
        formula="cpu_percent / cpu_limit_cores; of a VM at most 100, and vcpu_percent if its vCPUs are its limit",
        derive=cpu_of_limit, fields=("cpu_limit_cores",),
        made_of=("cpu_percent", "cpu_limit_cores"), thresholds=(80.0, 95.0),
        less_is_better=True, is_whole=True, limit=always(100.0),
    ),
    Metric(
        key="cpu_user_percent", alias="user", label="USER%", unit=Unit.PERCENT,
        help="CPU time in user mode.", formula="as CPU%",
        derive=rate("cpu_user_total_ns", 100), fields=("cpu_user_total_ns",),
        origins={"cgroup": "cpu.stat user_usec", "vmm-process": _CPU_TICKS},
        less_is_better=True, chart="CPU modes",
    ),
    Metric(
        key="cpu_system_percent", alias="sys", label="SYS%", unit=Unit.PERCENT,
        help="CPU time in the kernel on its behalf.", formula="as CPU%",
        derive=rate("cpu_system_total_ns", 100), fields=("cpu_system_total_ns",),
        origins={"cgroup": "cpu.stat system_usec", "vmm-process": _CPU_TICKS}, less_is_better=True, chart="CPU modes",
    ),
    Metric(
        key="vcpu_percent", alias="vcpu", label="VCPU%", unit=Unit.PERCENT,
        help="How busy the virtual CPUs are; 100 is all of them.",
        formula="growth of vcpu.N.time, summed / elapsed time / vCPUs x 100, at most 100",
        derive=vcpu_percent, fields=("vcpu_total_ns",), missing=_NO_VCPUS,
        origins={"libvirt": "domain stats vcpu.N.time", "vmm": _VCPU_THREADS}, chart="vCPUs and emulator",
    ),
    Metric(
        key="cpu_emulator_percent", alias="emulator", other_names=("qemu",), label="QEMU%", unit=Unit.PERCENT,
        help="CPU used by the hypervisor in addition to the vCPUs.",
        formula="(growth of cpu.time - growth of vcpu.N.time) / elapsed time x 100",
        derive=emulator_percent, fields=("vcpu_total_ns",), missing=_NO_VCPUS,
        origins={"libvirt": "vcpu.N.time", "vmm": _VCPU_THREADS},
        less_is_better=True, chart="vCPUs and emulator",
    ),
    Metric(
        key="cpu_steal_percent", alias="steal", label="STEAL%", unit=Unit.PERCENT,
        help="Share of time its vCPUs were ready but had to wait.",
        formula="growth of vcpu.N.delay, summed / elapsed time / vCPUs x 100, at most 100",
        derive=steal_percent, fields=("steal_total_ns",),
        origins={"libvirt": "domain stats vcpu.N.delay", "vsphere": _VSPHERE + "cpu.ready", "vmm": _VCPU_THREADS},
        missing=_NO_VCPUS, thresholds=(5.0, 10.0), less_is_better=True,
    ),
    Metric(
        key="memory_wait_percent", alias="memwait", label="MEMWAIT", unit=Unit.PERCENT,
        help="Share of time some of its tasks waited for memory.",
        formula="growth of memory.pressure some total / elapsed time x 100, at most 100",
        derive=share_of_time("memory_stall_total_ns"), fields=("memory_stall_total_ns",), origins=_PSI, missing=_NO_PSI,
        thresholds=(5.0, 20.0), less_is_better=True, host_chart=HostChart.WAITING,
    ),
    Metric(
        key="io_wait_percent", alias="iowait", label="IOWAIT", unit=Unit.PERCENT,
        help="Share of time some of its tasks waited for I/O.",
        formula="growth of io.pressure some total / elapsed time x 100, at most 100",
        derive=share_of_time("io_stall_total_ns"), fields=("io_stall_total_ns",), origins=_PSI, missing=_NO_PSI,
        thresholds=(10.0, 30.0), less_is_better=True, host_chart=HostChart.WAITING,
    ),
    Metric(
        key="disk_reads_per_second", alias="rops", label="R OPS", unit=Unit.PER_SECOND,
        help="Read operations on this host's disks.", formula="growth / elapsed time",
        derive=rate("disk_reads_total"), fields=("disk_reads_total",), origins=_DISK, missing=_NO_DISK,
        chart="disk operations",
    ),
    Metric(
        key="disk_writes_per_second", alias="wops", label="W OPS", unit=Unit.PER_SECOND,
        help="Write operations on this host's disks.", formula="growth / elapsed time",
        derive=rate("disk_writes_total"), fields=("disk_writes_total",), origins=_DISK, missing=_NO_DISK,
        chart="disk operations",
    ),
    Metric(
        key="guest_disk_read_bytes_per_second", alias="gread", label="GUEST R", unit=Unit.BYTES_PER_SECOND,
        help="Read by the guest from its virtual disks.", formula="growth / elapsed time",
        derive=rate("guest_disk_read_total_bytes"), fields=("guest_disk_read_total_bytes",),
        origins=_GUEST_DISK_BYTES, missing=_VM_ONLY, chart="guest disk bytes",
    ),
    Metric(
        key="guest_disk_write_bytes_per_second", alias="gwrite", label="GUEST W", unit=Unit.BYTES_PER_SECOND,
        help="Written by the guest to its virtual disks.", formula="growth / elapsed time",
        derive=rate("guest_disk_write_total_bytes"), fields=("guest_disk_write_total_bytes",),
        origins=_GUEST_DISK_BYTES, missing=_VM_ONLY, chart="guest disk bytes",
    ),
    Metric(
        key="guest_disk_read_milliseconds", alias="rlat", other_names=("rawait",), label="R AWAIT",
        unit=Unit.MILLISECONDS,
        help="Mean time of a guest's read.", formula="growth of read time / growth of reads",
        derive=latency("guest_disk_read_time_total_ns", "guest_disk_reads_total"),
        fields=("guest_disk_read_time_total_ns",), origins=_GUEST_DISK, missing=_VM_ONLY,
        undefined=_NO_OPERATION, less_is_better=True,
        chart="guest disk latency",
    ),
    Metric(
        key="guest_disk_write_milliseconds", alias="wlat", other_names=("wawait",), label="W AWAIT",
        unit=Unit.MILLISECONDS,
        help="Mean time of a guest's write.", formula="growth of write time / growth of writes",
        derive=latency("guest_disk_write_time_total_ns", "guest_disk_writes_total"),
        fields=("guest_disk_write_time_total_ns",), origins=_GUEST_DISK, missing=_VM_ONLY,
        undefined=_NO_OPERATION, less_is_better=True,
        chart="guest disk latency",
    ),
    Metric(
        key="net_drops_per_second", alias="drops", label="DROPS", unit=Unit.PER_SECOND,
        help="Packets dropped, both directions.", formula="growth / elapsed time",
        derive=rate("net_drops_total"), fields=("net_drops_total",), origins=_NET, missing=_NO_NET,
        less_is_better=True,
    ),
    Metric(
        key="pids", alias="pids", label="PIDS", unit=Unit.COUNT,
        help="Tasks (processes and threads) inside.", formula="pids.current",
        derive=gauge("pids"), fields=("pids",),
        origins={"cgroup-slow": "pids.current", "vmm-process": "num_threads of /proc/<pid>/stat"},
        missing="the pids controller is not enabled for its cgroup", adds_up=True, limit=lowest("pids_limit"),
    ),
    Metric(
        key="vcpus", alias="vcpus", label="VCPUS", unit=Unit.COUNT,
        help="Virtual CPUs in use.", formula="vcpu.current",
        derive=gauge("vcpus"), fields=("vcpus",), missing=_NO_VCPUS,
        origins={"libvirt": "domain stats vcpu.current", "vsphere": "its configuration", "vmm": _VCPUS},
        adds_up=True,
    ),
    Metric(
        key="cpu_seconds", alias="time", label="TIME", unit=Unit.SECONDS,
        help="CPU time used since it was created.", formula="cpu.stat usage_usec",
        derive=cpu_seconds, fields=("cpu_total_ns",),
        origins={
            "cgroup": "cpu.stat usage_usec (v1: cpuacct.usage)", "libvirt": "domain stats cpu.time",
            "vmm-process": _CPU_CLOCK,
        },
        adds_up=True, is_total=True,
    ),
)
# fmt: on
