"""What one VMM process uses: counted by the process, for machines that have no cgroup of their own.

`vmm-process` is the process's own use, which leaves out helpers such as virtiofsd. `vmm` is what is a machine's
wherever its process is counted: virtual CPUs, taps, and what it was given.
Source: proc_pid_stat(5), proc_pid_status(5), proc_pid_io(5).
"""

from __future__ import annotations

import os
import time

from collectors.kernel.cgroup import parsers, processes
from collectors.kernel.cgroup.open_files import GroupGone, OpenFile, slow_file_bound
from collectors.kernel.procfs import Process, stat_fields
from collectors.kernel.vmm.process import VmmProcess
from collectors.kernel.vmm.taps import InterfaceTables, Tap, taps_of, traffic
from collectors.kernel.vmm.threads import VcpuThreads
from collectors.model.workloads import Sample, State

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_PAUSED, _ENDED = (b"T", b"t"), (b"Z", b"X")
_MEMORY_EVERY = 5
"""Readings after which memory is read again of a process that used no CPU time."""
_LOOK_EVERY = 15
"""Readings after which threads and taps are looked for again."""
_FIRST_LOOKS = (1, 3, 7)
"""Further readings in which they are looked for: a VMM that has just begun starts and names them one by one."""
BY_PROCESS = "vmm-process"
OF_MACHINE = "vmm"


class ProcessUsage:
    """Reads one process repeatedly, through files that stay those of this process when its pid is reused."""

    def __init__(self, process: VmmProcess, tables: InterfaceTables, proc: str = "/proc", sys: str = "/sys") -> None:
        self.process = process
        self._tables = tables
        self._proc, self._sys = proc, sys
        folder = f"{proc}/{process.pid}"
        self._stat, self._status, self._io = (
            OpenFile(f"{folder}/{name}", slow_file_bound()) for name in ("stat", "status", "io")
        )
        self._threads = VcpuThreads(folder, process.family.vcpu_thread)
        self._taps: tuple[Tap, ...] | None = ()
        self._namespace = ""
        self._readings = 0
        self._cpu_ns = -1
        self._status_text = b""
        self.state = State.RUNNING
        """`PAUSED` while the process is stopped by a signal: that the guest is paused shows only in its monitor."""
        self.started_at = processes.started_at(proc, Process(process.pid, process.start_ticks))

    @property
    def has_named_threads(self) -> bool:
        """Whether its virtual CPUs can be told from its other threads."""
        return len(self._threads) > 0

    @property
    def has_disk_counters(self) -> bool:
        """Whether this user may read what the process reads and writes."""
        return bool(self._io)

    @property
    def taps(self) -> tuple[Tap, ...] | None:
        """Its interfaces on the host; `None` if this user may not see them."""
        return self._taps

    def read(self) -> tuple[Sample, Sample] | None:
        """Return the samples `vmm-process` and `vmm`; `None` when the process has ended."""
        fields = stat_fields(_read(self._stat))
        if len(fields) < 22 or fields[0] in _ENDED or int(fields[19]) != self.process.start_ticks:
            return None
        if self._readings in _FIRST_LOOKS or self._readings % _LOOK_EVERY == 0:
            self._look()
        self.state = State.PAUSED if fields[0] in _PAUSED else State.RUNNING
        user_ns, system_ns = int(fields[11]) * _TICK_NS, int(fields[12]) * _TICK_NS
        cpu_ns = self._exact_cpu_ns() or user_ns + system_ns
        if cpu_ns != self._cpu_ns or self._readings % _MEMORY_EVERY == 0:
            self._status_text = _read(self._status) or b""
        self._cpu_ns = cpu_ns
        self._readings += 1
        at_ns, epoch = time.monotonic_ns(), self.process.own_id
        own = self._own(at_ns, epoch, (cpu_ns, user_ns, system_ns), int(fields[17]))
        return own, self._of_machine(at_ns, epoch, cpu_ns)

    def close(self) -> None:
        """Close the files."""
        for file in (self._stat, self._status, self._io):
            file.close()
        self._threads.close()

    def _look(self) -> None:
        self._threads.find()
        self._taps = taps_of(self.process.pid, self._proc, self._sys)
        self._namespace = processes.network_namespace(self._proc, self.process.pid) or self.process.own_id

    def _exact_cpu_ns(self) -> int | None:
        """Return the CPU time by the process's own clock (clock_getcpuclockid(3)): /proc has ticks of 10 ms."""
        if self._proc != "/proc":
            return None
        try:
            return time.clock_gettime_ns((~self.process.pid << 3) | 2)
        except OSError:
            return None

    def _own(self, at_ns: int, epoch: str, cpu_ns: tuple[int, int, int], threads: int) -> Sample:
        io, status = _read(self._io) or b"", self._status_text
        return Sample(
            source=BY_PROCESS,
            at_ns=at_ns,
            epoch=epoch,
            cpu_total_ns=cpu_ns[0],
            cpu_user_total_ns=cpu_ns[1],
            cpu_system_total_ns=cpu_ns[2],
            memory_rss_bytes=_kilobytes(status, b"VmRSS:"),
            memory_swap_bytes=_kilobytes(status, b"VmSwap:"),
            memory_hugetlb_bytes=parsers.hugetlb_bytes(status),
            disk_read_total_bytes=parsers.find_value(io, b"read_bytes:"),
            disk_write_total_bytes=parsers.find_value(io, b"write_bytes:"),
            pids=threads,
        )

    def _of_machine(self, at_ns: int, epoch: str, cpu_ns: int) -> Sample:
        vcpu_times = self._threads.read()
        vcpus = len(self._threads) or self.process.vcpus
        net = traffic(self._taps, self._tables.of(self.process.pid, self._namespace)) if self._taps else None
        return Sample(
            source=OF_MACHINE,
            at_ns=at_ns,
            epoch=epoch,
            cpu_total_ns=None if vcpu_times is None else cpu_ns,
            cpu_limit_cores=vcpus,
            memory_limit_bytes=self.process.memory_bytes,
            memory_maximum_bytes=self.process.memory_bytes,
            vcpus=vcpus,
            vcpu_total_ns=None if vcpu_times is None else vcpu_times[0],
            steal_total_ns=None if vcpu_times is None else vcpu_times[1],
            net_rx_total_bytes=None if net is None else net.rx_bytes,
            net_tx_total_bytes=None if net is None else net.tx_bytes,
            net_rx_packets_total=None if net is None else net.rx_packets,
            net_tx_packets_total=None if net is None else net.tx_packets,
            net_drops_total=None if net is None else net.drops,
        )


def _read(file: OpenFile) -> bytes | None:
    """Return the content; `None` when the process has ended, or the file may not be read."""
    try:
        return file.read() or None
    except GroupGone:
        return None


def _kilobytes(status: bytes, key: bytes) -> int | None:
    """Return the value of a line of /proc/<pid>/status in bytes; `None` without it: a kernel thread, or a zombie."""
    words = status.partition(b"\n" + key)[2].split(None, 2)
    kilobytes = parsers.number(words[0]) if words else None
    return None if kilobytes is None else kilobytes * 1024
