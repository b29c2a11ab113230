"""The rows that the table shows by default, and those between them."""

from __future__ import annotations

from collectors.model.derivations import (
    always,
    cpu_percent,
    lowest,
    memory_held_limit,
    memory_host,
    memory_limit,
    memory_of_limit,
    of,
    rate,
    share_of_time,
    throttled,
    total,
)
from collectors.model.metric_origins import (
    CPU_TIME,
    DISK_BYTES,
    LIMIT,
    MEMORY,
    NET_BYTES,
    NO_DISK,
    NO_NET,
    NO_PSI,
    PSI,
    VCPUS,
    VSPHERE,
)
from collectors.model.metric_type import Extra, HostChart, Metric, Unit

# fmt: off
EVERYDAY: tuple[Metric, ...] = (
    Metric(
        key="cpu_percent", alias="cpu", label="CPU%", unit=Unit.PERCENT,
        help="CPU time used; 100 is one host core.",
        formula="growth of CPU time / elapsed time x 100, at most 100 for each host core",
        derive=cpu_percent, fields=("cpu_total_ns",),
        origins=CPU_TIME,
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
            "vmm": VCPUS,
        }, table_from=150,
    ),
    Metric(
        key="cpu_wait_percent", alias="wait", other_names=("cpuwait",), label="CPUWAIT", unit=Unit.PERCENT,
        help="Share of time in which some of its tasks waited for a CPU.",
        formula="growth of cpu.pressure some total / elapsed time x 100, at most 100",
        derive=share_of_time("cpu_stall_total_ns"), fields=("cpu_stall_total_ns",),
        origins={**PSI, "vsphere": VSPHERE + "cpu.ready, the mean of its virtual CPUs"}, missing=NO_PSI,
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
        origins=MEMORY,
        missing="the memory controller is not enabled for its cgroup",
        is_default=True, keep=98, change_column=Extra("+/MIN", 11, 120), is_charted=True, is_headline=True,
        has_peak=True, less_is_better=True, limit=memory_held_limit, host_chart=HostChart.MEMORY,
    ),
    Metric(
        key="memory_limit_bytes", alias="memlimit", label="LIMIT", unit=Unit.BYTES,
        help="The lowest memory limit that applies to it, including the one at which it is slowed down.",
        formula="min(own limits, ancestors' limits, balloon target, the host's memory); hugepages have other limits",
        derive=memory_limit, fields=("memory_limit_bytes",), origins=LIMIT,
        missing="it has no memory limit", table_from=150,
    ),
    Metric(
        key="memory_of_limit_percent", alias="limit", label="/LIMIT", unit=Unit.PERCENT,
        help="Memory as a share of its limit; of a VM, what the guest uses of the memory that it has now.",
        formula="memory_host_bytes without hugepages / memory_limit_bytes x 100; "
        "of a VM: memory_inside_bytes / balloon.current x 100; of a host: (MemTotal - hugepages - available) / "
        "(MemTotal - hugepages) x 100",
        derive=memory_of_limit, fields=("memory_limit_bytes",), origins=LIMIT,
        made_of=("memory_limit_bytes", "memory_inside_bytes"), missing="it has no memory limit",
        is_default=True, keep=20, thresholds=(85.0, 95.0), less_is_better=True, is_whole=True, limit=always(100.0),
    ),
    Metric(
        key="disk_read_bytes_per_second", alias="read", label="READ/s", unit=Unit.BYTES_PER_SECOND,
        help="Read from this host's disks.", formula="growth / elapsed time",
        derive=rate("disk_read_total_bytes"), fields=("disk_read_total_bytes",), origins=DISK_BYTES,
        missing=NO_DISK,
        is_default=True, keep=52, is_charted=True, chart="disk bytes", host_chart=HostChart.DISK,
    ),
    Metric(
        key="disk_write_bytes_per_second", alias="write", label="WRITE/s", unit=Unit.BYTES_PER_SECOND,
        help="Written to this host's disks.", formula="growth / elapsed time",
        derive=rate("disk_write_total_bytes"), fields=("disk_write_total_bytes",), origins=DISK_BYTES,
        missing=NO_DISK,
        is_default=True, keep=51, is_charted=True, chart="disk bytes", host_chart=HostChart.DISK,
    ),
    Metric(
        key="disk_bytes_per_second", alias="disk", label="DISK/s", unit=Unit.BYTES_PER_SECOND,
        help="Read from and written to this host's disks.", formula="READ/s + WRITE/s",
        derive=total("disk_read_bytes_per_second", "disk_write_bytes_per_second"),
        fields=("disk_read_total_bytes", "disk_write_total_bytes"), origins=DISK_BYTES,
        made_of=("disk_read_bytes_per_second", "disk_write_bytes_per_second"), missing=NO_DISK, keep=52, is_sum=True,
    ),
    Metric(
        key="net_rx_bytes_per_second", alias="rx", label="RX/s", unit=Unit.BYTES_PER_SECOND,
        help="Received by the workload.", formula="growth / elapsed time",
        derive=rate("net_rx_total_bytes"), fields=("net_rx_total_bytes",), origins=NET_BYTES, missing=NO_NET,
        is_default=True, keep=50, is_charted=True, chart="network", host_chart=HostChart.NETWORK,
    ),
    Metric(
        key="net_tx_bytes_per_second", alias="tx", label="TX/s", unit=Unit.BYTES_PER_SECOND,
        help="Sent by the workload.", formula="growth / elapsed time",
        derive=rate("net_tx_total_bytes"), fields=("net_tx_total_bytes",), origins=NET_BYTES, missing=NO_NET,
        is_default=True, keep=49, is_charted=True, chart="network", host_chart=HostChart.NETWORK,
    ),
    Metric(
        key="net_bytes_per_second", alias="net", label="NET/s", unit=Unit.BYTES_PER_SECOND,
        help="Received and sent by the workload.", formula="RX/s + TX/s",
        derive=total("net_rx_bytes_per_second", "net_tx_bytes_per_second"),
        fields=("net_rx_total_bytes", "net_tx_total_bytes"), origins=NET_BYTES,
        made_of=("net_rx_bytes_per_second", "net_tx_bytes_per_second"), missing=NO_NET, keep=50, is_sum=True,
    ),
)
# fmt: on
