"""What the kernel knows about a workload's cgroup: limits, throttling, I/O by device, the CPU split, its processes."""

from __future__ import annotations

import os
import time

from collectors.analysis.counter_rates import Rates
from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.hierarchy import Hierarchy, detect
from collectors.kernel.cgroup.limits import Limits, host_memory_bytes, online_cpus
from collectors.kernel.cgroup.open_files import CgroupDirs, find_directories
from collectors.kernel.cgroup.processes import first_process
from collectors.kernel.isolation import isolation_table
from collectors.kernel.process_table import Processes
from collectors.kernel.procfs import read_bytes
from collectors.kernel.qemu_memory import guest_memory_table
from collectors.model.details import Column, Fact, Page, Table, Value
from collectors.model.metrics import Unit
from collectors.model.workloads import Kind, Workload
from collectors.safety.sanitize import sanitize

_FLOW = Unit.BYTES_PER_SECOND


class KernelDetails:
    """Reads one workload's cgroup repeatedly."""

    def __init__(self, root: str = "/sys/fs/cgroup", proc: str = "/proc") -> None:
        self._proc = proc
        self._hierarchy: Hierarchy = detect(root, proc)
        self._limits = Limits(self._hierarchy, online_cpus(), host_memory_bytes(proc))
        self._processes = Processes(proc)
        self._rates = Rates()

    def tables(self, workload: Workload) -> list[Table]:
        """Return all tables of the workload's cgroup; empty for a workload without one on this host."""
        if not workload.cgroup or workload.endpoint:
            return []
        directories = find_directories(self._hierarchy, workload.cgroup)
        if not directories.all:
            return []
        self._limits.refresh()
        at = time.monotonic()
        first = first_process(directories.all, self._proc, workload.kind)
        pid = first.pid if first is not None else None
        tables = [
            self._limit_facts(workload, directories),
            *isolation_table(workload.kind, pid, self._proc),
            *(guest_memory_table(pid, self._proc) if workload.kind is Kind.VM else ()),
            *self._split(workload, directories, at),
            *self._throttling(directories, at),
            self._disks(directories, at),
            *self._network(workload, pid, at),
            self._processes.table(directories.all),
        ]
        return [table for table in tables if table.rows or table.facts or table.note]

    def _limit_facts(self, workload: Workload, directories: CgroupDirs) -> Table:
        path = workload.cgroup or "/"
        weight = _read(directories.file("cpu", "cpu.shares", "cpu.weight"))
        pids = _read(directories.file("pids", "pids.max", "pids.max"))
        facts = (
            Fact("cgroup", sanitize(path)),
            Fact("CPU, at most", self._limits.cores(path), Unit.CORES),
            Fact("CPU weight" if directories.unified else "CPU shares", parsers.number(weight), Unit.COUNT),
            Fact("memory, at most", self._limits.memory_bytes(path), Unit.BYTES),
            Fact("tasks, at most", parsers.number(pids), Unit.COUNT),
        )
        return Table(Page.FACTS, "Limits in force (its own, those around it, the host)", facts=facts)

    def _split(self, workload: Workload, directories: CgroupDirs, at: float) -> list[Table]:
        """Split a VM's CPU time by its sub-groups: virtual CPUs, the emulator, I/O threads."""
        directory = next(
            (path for path in directories.all if os.path.isdir(f"{path}/libvirt") or os.path.isdir(f"{path}/vcpu0")),
            None,
        )
        if workload.kind is not Kind.VM or directory is None:
            return []
        inner = f"{directory}/libvirt" if os.path.isdir(f"{directory}/libvirt") else directory
        rows: list[tuple[Value, ...]] = []
        for name in sorted(os.listdir(inner)):
            if not name.startswith(("vcpu", "emulator", "iothread")):
                continue
            total = _cpu_ns(f"{inner}/{name}")
            percent = self._rates.per_second(f"split {name}", total, at)
            rows.append((sanitize(name), None if percent is None else percent / 1e7))
        columns = (Column("THREADS"), Column("CPU%", Unit.PERCENT))
        return [Table(Page.DEVICES, "CPU split by the hypervisor's threads", columns, tuple(rows))] if rows else []

    def _throttling(self, directories: CgroupDirs, at: float) -> list[Table]:
        throttling = parsers.throttling(_read(directories.file("cpu", "cpu.stat", "cpu.stat")))
        if throttling.periods is None:
            return []
        periods = self._rates.growth("periods", throttling.periods, at)
        throttled = self._rates.growth("throttled", throttling.throttled_periods, at)
        share = throttled / periods * 100 if periods and throttled is not None else None
        facts = (
            Fact("periods held back now", share, Unit.PERCENT),
            Fact("periods so far", throttling.periods, Unit.COUNT),
            Fact("periods held back so far", throttling.throttled_periods, Unit.COUNT),
            Fact(
                "time held back so far",
                None if throttling.throttled_ns is None else throttling.throttled_ns / 1e9,
                Unit.SECONDS,
            ),
        )
        return [Table(Page.DEVICES, "Throttling by the CPU quota", facts=facts)]

    def _disks(self, directories: CgroupDirs, at: float) -> Table:
        counted = _by_device_v2(_read(f"{directories.unified}/io.stat")) if directories.unified else {}
        counted = counted or _by_device_v1(
            _read(directories.v1_file("blkio", "blkio.throttle.io_service_bytes_recursive"))
        )
        rows: list[tuple[Value, ...]] = []
        for device, (read, written) in sorted(counted.items()):
            flows = (self._rates.per_second(f"r{device}", read, at), self._rates.per_second(f"w{device}", written, at))
            rows.append((_device_name(device), *flows, read, written))
        columns = (
            Column("DEVICE"), Column("READ/S", _FLOW), Column("WRITE/S", _FLOW),
            Column("READ", Unit.BYTES), Column("WRITTEN", Unit.BYTES),
        )  # fmt: skip
        return Table(Page.DEVICES, "I/O by device of this host", columns, tuple(rows))

    def _network(self, workload: Workload, pid: int | None, at: float) -> list[Table]:
        """List the interfaces inside a container's own network namespace."""
        if workload.kind is not Kind.CONTAINER or pid is None or _same_network(self._proc, pid):
            return []
        rows: list[tuple[Value, ...]] = []
        table = parsers.interfaces(read_bytes(f"{self._proc}/{pid}/net/dev") or b"") or {}
        for name, counters in table.items():
            interface, sums = sanitize(name), parsers.traffic([counters])
            flows = (
                self._rates.per_second(f"rx{interface}", sums.rx_bytes, at),
                self._rates.per_second(f"tx{interface}", sums.tx_bytes, at),
            )
            rows.append((interface, *flows, sums.rx_bytes, sums.tx_bytes, sums.drops))
        columns = (
            Column("INTERFACE"), Column("RX/S", _FLOW), Column("TX/S", _FLOW), Column("RX", Unit.BYTES),
            Column("TX", Unit.BYTES), Column("DROPS", Unit.COUNT),
        )  # fmt: skip
        return [Table(Page.DEVICES, "Network interfaces inside", columns, tuple(rows))]


def _same_network(proc: str, pid: int) -> bool:
    try:
        return os.readlink(f"{proc}/{pid}/ns/net") == os.readlink(f"{proc}/self/ns/net")
    except OSError:
        return True


def _read(path: str | None) -> bytes:
    return (read_bytes(path) or b"") if path else b""


def _cpu_ns(directory: str) -> int | None:
    if (v2 := parsers.cpu_v2(_read(f"{directory}/cpu.stat")).total_ns) is not None:
        return v2
    return parsers.number(_read(f"{directory}/cpuacct.usage"))


def _by_device_v2(text: bytes) -> dict[str, tuple[int, int]]:
    devices: dict[str, tuple[int, int]] = {}
    for line in text.splitlines():
        device, *pairs = line.split()
        values = dict(pair.partition(b"=")[::2] for pair in pairs)
        read, written = parsers.number(values.get(b"rbytes", b"")), parsers.number(values.get(b"wbytes", b""))
        if read is not None and written is not None:
            devices[device.decode("ascii", "replace")] = (read, written)
    return devices


def _by_device_v1(text: bytes) -> dict[str, tuple[int, int]]:
    return {device.decode("ascii", "replace"): sums for device, sums in parsers.blkio_v1(text).items()}


def _device_name(number: str) -> str:
    """Name a device by its number, `8:0` -> `sda`; the number where the kernel has no name."""
    try:
        return sanitize(os.path.basename(os.readlink(f"/sys/dev/block/{sanitize(number)}")))
    except OSError:
        return sanitize(number)
