"""The details of a virtual machine that its VMM process shows: what was started, and what its threads and taps do."""

from __future__ import annotations

import os
import time

from collectors.analysis.counter_rates import Rates
from collectors.kernel.isolation import isolation_table
from collectors.kernel.qemu_memory import guest_memory_table
from collectors.kernel.vmm.configuration import Configured, read_configuration
from collectors.kernel.vmm.process import VmmProcess, find
from collectors.kernel.vmm.scan import machine_of
from collectors.kernel.vmm.taps import InterfaceTables, taps_of, traffic
from collectors.kernel.vmm.threads import vcpu_times
from collectors.model.details import Column, Fact, Page, Table, Value
from collectors.model.metrics import Unit
from collectors.model.workloads import Kind, Workload
from collectors.safety.peers import user_name
from collectors.safety.sanitize import sanitize

_LONGEST_PATH = 1024
_KVM = "anon_inode:kvm-vm"
_FLOW = Unit.BYTES_PER_SECOND


class MachineDetails:
    """Reads one machine's process repeatedly; rates need a second reading.

    Args:
        proc: Where procfs is mounted.
        sys: Where sysfs is mounted.
    """

    def __init__(self, proc: str = "/proc", sys: str = "/sys") -> None:
        self._proc, self._sys = proc, sys
        self._rates = Rates()
        self._process: VmmProcess | None = None

    def tables(self, workload: Workload, has_thread_groups: bool = False) -> list[Table]:
        """Return the tables of a machine's process; none if it is not found.

        Args:
            workload: A virtual machine of this host.
            has_thread_groups: Whether its virtual CPUs have cgroups, which count them.
        """
        process = self._find(workload)
        if process is None:
            return []
        at = time.monotonic()
        configured = read_configuration(process, self._proc) or Configured()
        process = process.with_configuration(configured.vcpus, configured.memory_bytes)
        tables = [self._facts(process, configured.name)]
        if workload.cgroup is None:
            tables += [
                *isolation_table(workload.kind, process.pid, self._proc),
                *guest_memory_table(process.pid, self._proc),
            ]
        if not process.facts.is_measured_by_manager:
            tables += [*self._disks(process, configured.disks), *self._network(process, at)]
        return tables + ([] if has_thread_groups else self._split(process, at))

    def _find(self, workload: Workload) -> VmmProcess | None:
        known = self._process
        again = find(known.pid, self._proc) if known is not None else None
        if again is None or (workload.id.engine, workload.id.id) not in again.identities:
            again = machine_of(workload.id.engine, workload.id.id, self._proc)
        self._process = again
        return again

    def _facts(self, process: VmmProcess, title: str | None) -> Table:
        facts = (
            Fact("product", process.family.product),
            Fact("name in its configuration", _text(title)),
            Fact("program", _text(process.executable)),
            Fact("process", process.pid),
            Fact("user", user_name(process.uid)),
            Fact("runs by KVM", uses_kvm(process.pid, self._proc)),
            Fact("UUID", process.facts.uuid),
            Fact("virtual CPUs at its start", process.vcpus, Unit.COUNT),
            Fact("memory at its start", process.memory_bytes, Unit.BYTES),
            Fact("control socket", _text(process.control_socket)),
            Fact("configuration", _text(process.config_path)),
            Fact("cgroup of the process", _text(process.cgroup)),
        )
        return Table(
            Page.FACTS, "The process that runs it", facts=tuple(fact for fact in facts if fact.value is not None)
        )

    def _disks(self, process: VmmProcess, configured: tuple[str, ...]) -> list[Table]:
        disks = dict.fromkeys((*process.disks, *configured))
        rows = tuple((_text(disk), *self._sizes(process, disk)) for disk in disks)
        columns = (Column("DISK"), Column("SIZE", Unit.BYTES), Column("ALLOCATED", Unit.BYTES))
        return [Table(Page.DEVICES, "Disks that it was started with", columns, rows)] if rows else []

    def _sizes(self, process: VmmProcess, disk: str) -> tuple[Value, Value]:
        """Return the size of a disk's file and what of it is allocated; neither for a device, or out of reach."""
        try:
            status = os.stat(process.root_path(disk, self._proc))
        except (OSError, ValueError):
            return None, None
        return (status.st_size, status.st_blocks * 512) if status.st_size else (None, None)

    def _network(self, process: VmmProcess, at: float) -> list[Table]:
        taps = taps_of(process.pid, self._proc, self._sys) or ()
        interfaces = InterfaceTables(self._proc).of(process.pid, "")
        rows: list[tuple[Value, ...]] = []
        for tap in taps:
            sums = traffic((tap,), interfaces)
            if sums is None:
                continue
            name = sanitize(tap.name)
            flows = (
                self._rates.per_second(f"rx{name}", sums.rx_bytes, at),
                self._rates.per_second(f"tx{name}", sums.tx_bytes, at),
            )
            rows.append((name, *flows, sums.rx_bytes, sums.tx_bytes, sums.drops))
        columns = (
            Column("INTERFACE"), Column("RX/S", _FLOW), Column("TX/S", _FLOW),
            Column("RX", Unit.BYTES), Column("TX", Unit.BYTES), Column("DROPS", Unit.COUNT),
        )  # fmt: skip
        return (
            [Table(Page.DEVICES, "Its interfaces on this host, as it sees them", columns, tuple(rows))] if rows else []
        )

    def _split(self, process: VmmProcess, at: float) -> list[Table]:
        """Split the CPU time by the threads of the virtual CPUs, as far as these have names."""
        times = vcpu_times(f"{self._proc}/{process.pid}", process.family.vcpu_thread)
        rows: list[tuple[Value, ...]] = []
        for name, (ran, waited) in sorted(times.items()):
            percent = self._rates.per_second(f"ran {name}", ran, at)
            wait = self._rates.per_second(f"waited {name}", waited, at)
            rows.append(
                (sanitize(name), None if percent is None else percent / 1e7, None if wait is None else wait / 1e7)
            )
        columns = (Column("THREADS"), Column("CPU%", Unit.PERCENT), Column("WAIT%", Unit.PERCENT))
        return [Table(Page.DEVICES, "Virtual CPUs, by its threads", columns, tuple(rows))] if rows else []


def uses_kvm(pid: int, proc: str = "/proc") -> bool | None:
    """Return whether a process runs a machine by KVM; `None` if this user may not see its open files."""
    folder = f"{proc}/{pid}/fd"
    try:
        return any(_target(f"{folder}/{file}") == _KVM for file in os.listdir(folder))
    except OSError:
        return None


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:  # it was closed meanwhile
        return ""


def _text(path: str | None) -> str | None:
    return None if path is None else sanitize(path, _LONGEST_PATH)


def machine_pid(workload: Workload, proc: str = "/proc") -> int | None:
    """Return the pid of a virtual machine's VMM on this host; `None` if it is not found."""
    if workload.kind is not Kind.VM or not workload.is_here or not workload.state.is_active:
        return None
    process = machine_of(workload.id.engine, workload.id.id, proc)
    return None if process is None else process.pid
