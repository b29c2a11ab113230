"""The rows of operations on disks, of guests' disks, of dropped packets, and of counts."""

from __future__ import annotations

from collectors.model.derivations import cpu_seconds, gauge, latency, lowest, rate
from collectors.model.metric_origins import (
    CPU_CLOCK,
    DISK,
    GUEST_DISK,
    GUEST_DISK_BYTES,
    NET,
    NO_DISK,
    NO_NET,
    NO_OPERATION,
    NO_VCPUS,
    VCPUS,
    VM_ONLY,
)
from collectors.model.metric_type import Metric, Unit

# fmt: off
DEVICE_ROWS: tuple[Metric, ...] = (
    Metric(
        key="disk_reads_per_second", alias="rops", label="R OPS", unit=Unit.PER_SECOND,
        help="Read operations on this host's disks.", formula="growth / elapsed time",
        derive=rate("disk_reads_total"), fields=("disk_reads_total",), origins=DISK, missing=NO_DISK,
        chart="disk operations",
    ),
    Metric(
        key="disk_writes_per_second", alias="wops", label="W OPS", unit=Unit.PER_SECOND,
        help="Write operations on this host's disks.", formula="growth / elapsed time",
        derive=rate("disk_writes_total"), fields=("disk_writes_total",), origins=DISK, missing=NO_DISK,
        chart="disk operations",
    ),
    Metric(
        key="guest_disk_read_bytes_per_second", alias="gread", label="GUEST R", unit=Unit.BYTES_PER_SECOND,
        help="Read by the guest from its virtual disks.", formula="growth / elapsed time",
        derive=rate("guest_disk_read_total_bytes"), fields=("guest_disk_read_total_bytes",),
        origins=GUEST_DISK_BYTES, missing=VM_ONLY, chart="guest disk bytes",
    ),
    Metric(
        key="guest_disk_write_bytes_per_second", alias="gwrite", label="GUEST W", unit=Unit.BYTES_PER_SECOND,
        help="Written by the guest to its virtual disks.", formula="growth / elapsed time",
        derive=rate("guest_disk_write_total_bytes"), fields=("guest_disk_write_total_bytes",),
        origins=GUEST_DISK_BYTES, missing=VM_ONLY, chart="guest disk bytes",
    ),
    Metric(
        key="guest_disk_read_milliseconds", alias="rlat", other_names=("rawait",), label="R AWAIT",
        unit=Unit.MILLISECONDS,
        help="Mean time of a guest's read.", formula="growth of read time / growth of reads",
        derive=latency("guest_disk_read_time_total_ns", "guest_disk_reads_total"),
        fields=("guest_disk_read_time_total_ns",), origins=GUEST_DISK, missing=VM_ONLY,
        undefined=NO_OPERATION, less_is_better=True,
        chart="guest disk latency",
    ),
    Metric(
        key="guest_disk_write_milliseconds", alias="wlat", other_names=("wawait",), label="W AWAIT",
        unit=Unit.MILLISECONDS,
        help="Mean time of a guest's write.", formula="growth of write time / growth of writes",
        derive=latency("guest_disk_write_time_total_ns", "guest_disk_writes_total"),
        fields=("guest_disk_write_time_total_ns",), origins=GUEST_DISK, missing=VM_ONLY,
        undefined=NO_OPERATION, less_is_better=True,
        chart="guest disk latency",
    ),
    Metric(
        key="net_drops_per_second", alias="drops", label="DROPS", unit=Unit.PER_SECOND,
        help="Packets dropped, both directions.", formula="growth / elapsed time",
        derive=rate("net_drops_total"), fields=("net_drops_total",), origins=NET, missing=NO_NET,
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
        derive=gauge("vcpus"), fields=("vcpus",), missing=NO_VCPUS,
        origins={"libvirt": "domain stats vcpu.current", "vsphere": "its configuration", "vmm": VCPUS},
        adds_up=True,
    ),
    Metric(
        key="cpu_seconds", alias="time", label="TIME", unit=Unit.SECONDS,
        help="CPU time used since it was created.", formula="cpu.stat usage_usec",
        derive=cpu_seconds, fields=("cpu_total_ns",),
        origins={
            "cgroup": "cpu.stat usage_usec (v1: cpuacct.usage)", "libvirt": "domain stats cpu.time",
            "vmm-process": CPU_CLOCK,
        },
        adds_up=True, is_total=True,
    ),
)
# fmt: on
