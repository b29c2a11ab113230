"""What the kernel knows about a workload's cgroup: limits, throttling, I/O by device, the CPU split."""

from __future__ import annotations

import os
import time

import psutil

from collectors.analysis.counter_rates import Rates
from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.domain_groups import DomainGroups
from collectors.kernel.cgroup.hierarchy import Hierarchy, detect
from collectors.kernel.cgroup.limits import Limits
from collectors.kernel.cgroup.networks import roles_of_process
from collectors.kernel.cgroup.open_files import CgroupDirs, find_directories
from collectors.kernel.cgroup.processes import first_process
from collectors.kernel.isolation import isolation_table
from collectors.kernel.network_edge import EDGE, roles_by_name
from collectors.kernel.procfs import read_bytes
from collectors.kernel.qemu_memory import guest_memory_table
from collectors.kernel.vmm.details import MachineDetails
from collectors.model.details import Column, Fact, Page, Table, Value
from collectors.model.metrics import Unit
from collectors.model.workloads import Kind, Workload
from collectors.safety.sanitize import sanitize

_FLOW = Unit.BYTES_PER_SECOND
_BY_NAME = "which interfaces count is judged by their names: only root may look into the network namespace"


class KernelDetails:
    """Reads one workload's cgroup repeatedly."""

    def __init__(self, root: str = "/sys/fs/cgroup", proc: str = "/proc", sys: str = "/sys") -> None:
        self._proc = proc
        self._hierarchy: Hierarchy = detect(root, proc)
        self._limits = Limits(self._hierarchy)
        self._block_devices = BlockDevices(sys, proc)
        self._rates = Rates()
        self._machine = MachineDetails(proc, sys)

    def tables(self, workload: Workload) -> list[Table]:
        """Return all tables of a workload's cgroup, and of a machine's process; empty if neither is on this host."""
        if not workload.is_here:
            return []
        directories = find_directories(self._hierarchy, workload.cgroup) if workload.cgroup else None
        has_thread_groups = directories is not None and _thread_groups(directories) is not None
        machine = self._machine.tables(workload, has_thread_groups) if workload.kind is Kind.VM else []
        return machine + (self._of_cgroup(workload, directories) if directories is not None and directories.all else [])

    def _of_cgroup(self, workload: Workload, directories: CgroupDirs) -> list[Table]:
        self._limits.refresh()
        self._block_devices.refresh()
        at = time.monotonic()
        first = first_process(directories.all, self._proc, workload.kind)
        pid = first.pid if first is not None else None
        domain = DomainGroups(directories) if workload.kind is Kind.VM else None
        tables = [
            self._limit_facts(directories, domain),
            *isolation_table(workload.kind, pid, self._proc),
            *(guest_memory_table(pid, self._proc) if workload.kind is Kind.VM else ()),
            *self._split(workload, directories, at),
            *self._throttling(directories, domain, at),
            self._disks(directories, at),
            *self._network(workload, directories, pid, at),
        ]
        return [table for table in tables if table.rows or table.facts or table.note]

    def _limit_facts(self, directories: CgroupDirs, domain: DomainGroups | None) -> Table:
        limits, path = self._limits, directories.path
        memory = limits.memory_bytes(domain.path if domain else path)
        weight = _read(directories.file("cpu", "cpu.shares", "cpu.weight"))
        pids = _read(directories.file("pids", "pids.max", "pids.max"))
        high = b"" if "memory" in directories.hierarchy.mounts else _read(f"{directories.unified}/memory.high")
        facts = (
            Fact("cgroup", sanitize(path)),
            Fact("CPU, at most", domain.find_cores(limits) if domain else limits.cores(path), Unit.CORES),
            Fact("CPU weight" if directories.unified else "CPU shares", parsers.number(weight), Unit.COUNT),
            Fact("memory, at most", None if memory is None else min(memory, self._host_memory_bytes()), Unit.BYTES),
            Fact("memory, slowed down above", parsers.limit_bytes(high), Unit.BYTES),
            Fact("tasks, at most", parsers.number(pids), Unit.COUNT),
        )
        return Table(Page.FACTS, "Limits in force (its own, those around it, the host)", facts=facts)

    def _host_memory_bytes(self) -> int:
        psutil.PROCFS_PATH = self._proc
        return int(psutil.virtual_memory().total)

    def _split(self, workload: Workload, directories: CgroupDirs, at: float) -> list[Table]:
        """Split a VM's CPU time by its sub-groups: virtual CPUs, the emulator, I/O threads."""
        directory = _thread_groups(directories)
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

    def _throttling(self, directories: CgroupDirs, domain: DomainGroups | None, at: float) -> list[Table]:
        own = _read(directories.file("cpu", "cpu.stat", "cpu.stat"))
        throttling = domain.throttling() if domain else parsers.throttling(own)
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
        """List all devices with I/O, also those that are stacked: a byte is in the lines of all that it passed."""
        counted = parsers.io_v2(_read(f"{directories.unified}/io.stat")) if directories.unified else {}
        if not counted:
            counted = parsers.io_v1(
                _read(directories.v1_file("blkio", "blkio.throttle.io_service_bytes_recursive")), None
            )
        rows: list[tuple[Value, ...]] = []
        for key, device in sorted(counted.items()):
            shown = self._block_devices.label(key)
            read, written = device.read_bytes, device.write_bytes
            flows = (self._rates.per_second(f"r{shown}", read, at), self._rates.per_second(f"w{shown}", written, at))
            below = ", ".join(self._block_devices.below(key))
            rows.append((sanitize(shown), sanitize(below) or None, *flows, read, written))
        columns = (
            Column("DEVICE"), Column("ON"), Column("READ/S", _FLOW), Column("WRITE/S", _FLOW),
            Column("READ", Unit.BYTES), Column("WRITTEN", Unit.BYTES),
        )  # fmt: skip
        return Table(Page.DEVICES, "I/O by device of this host", columns, tuple(rows))

    def _network(self, workload: Workload, directories: CgroupDirs, pid: int | None, at: float) -> list[Table]:
        """List the interfaces inside a container's own network namespace, and which of them the table counts."""
        if workload.kind is not Kind.CONTAINER or pid is None or _same_network(self._proc, pid):
            return []
        rows: list[tuple[Value, ...]] = []
        table = parsers.interfaces(read_bytes(f"{self._proc}/{pid}/net/dev") or b"") or {}
        known_roles = _network_roles(self._proc, pid, directories)
        roles = roles_by_name(table) if known_roles is None else known_roles
        for name, counters in table.items():
            interface, sums = sanitize(name), parsers.traffic([counters])
            flows = (
                self._rates.per_second(f"rx{interface}", sums.rx_bytes, at),
                self._rates.per_second(f"tx{interface}", sums.tx_bytes, at),
            )
            rows.append((interface, _is_counted(roles.get(name)), *flows, sums.rx_bytes, sums.tx_bytes, sums.drops))
        columns = (
            Column("INTERFACE"), Column("COUNTED"), Column("RX/S", _FLOW), Column("TX/S", _FLOW),
            Column("RX", Unit.BYTES), Column("TX", Unit.BYTES), Column("DROPS", Unit.COUNT),
        )  # fmt: skip
        return [
            Table(Page.DEVICES, "Network interfaces inside", columns, tuple(rows), note="" if known_roles else _BY_NAME)
        ]


def _thread_groups(directories: CgroupDirs) -> str | None:
    """Return the directory of a machine that has a group for each virtual CPU below it; `None` without one."""
    candidates = (
        path for path in directories.all if os.path.isdir(f"{path}/libvirt") or os.path.isdir(f"{path}/vcpu0")
    )
    return next(candidates, None)


def _same_network(proc: str, pid: int) -> bool:
    try:
        return os.readlink(f"{proc}/{pid}/ns/net") == os.readlink(f"{proc}/self/ns/net")
    except OSError:
        return True


def _is_counted(role: str | None) -> str | None:
    return role if role is None else "yes" if role == EDGE else sanitize(f"no: {role}")


def _network_roles(proc: str, pid: int, directories: CgroupDirs) -> dict[bytes, str] | None:
    try:
        process = os.open(f"{proc}/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return roles_of_process(process, directories.all, proc)
    finally:
        os.close(process)


def _read(path: str | None) -> bytes:
    return (read_bytes(path) or b"") if path else b""


def _cpu_ns(directory: str) -> int | None:
    if (v2 := parsers.cpu_v2(_read(f"{directory}/cpu.stat")).total_ns) is not None:
        return v2
    return parsers.number(_read(f"{directory}/cpuacct.usage"))
