"""The files of a group that are read at every tick, on kept descriptors."""

from __future__ import annotations

import time

from collectors.model import Sample
from collectors.sources.cgroup import readers
from collectors.sources.cgroup.files import GroupGone, Homes, KeptFile


class HotFiles:
    """CPU time, throttling, memory, block I/O and CPU pressure of one group."""

    def __init__(self, homes: Homes, is_blkio_dead: bool = False) -> None:
        """Open what there is.

        Raises:
            GroupGone: No hierarchy has CPU time or memory of it.
        """
        unified = homes.unified
        # On a hybrid host the v2 tree counts CPU time too, and cpuacct may lack libvirt's machines.
        self._is_v2_cpu = unified is not None
        self._is_v1_disk = "blkio" in homes.hierarchy.mounts
        self._cpu = KeptFile(f"{unified}/cpu.stat" if unified else homes.v1_file("cpuacct", "cpuacct.usage"))
        self._cpu_ticks = KeptFile(None if unified else homes.v1_file("cpuacct", "cpuacct.stat"))
        self._quota = KeptFile(homes.v1_file("cpu", "cpu.stat"))
        self._memory = KeptFile(homes.file("memory", "memory.usage_in_bytes", "memory.current"))
        self._memory_stat = KeptFile(homes.file("memory", "memory.stat", "memory.stat"))
        disk = homes.file("blkio", "blkio.throttle.io_service_bytes_recursive", "io.stat")
        self._disk = KeptFile(None if is_blkio_dead else disk)
        operations = homes.v1_file("blkio", "blkio.throttle.io_serviced_recursive")
        self._disk_operations = KeptFile(None if is_blkio_dead else operations)
        self._pressure = KeptFile(f"{unified}/cpu.pressure" if unified else None)
        self._files = (
            self._cpu,
            self._cpu_ticks,
            self._quota,
            self._memory,
            self._memory_stat,
            self._disk,
            self._disk_operations,
            self._pressure,
        )
        if not self._cpu and not self._memory:
            self.close()
            raise GroupGone(homes.path)
        self.epoch = str(self._cpu.inode() or self._memory.inode())

    def reopen(self) -> None:
        """Open the files that were missing: controllers are enabled one by one, and also later."""
        for file in self._files:
            file.reopen()

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()

    def read(self, network: readers.Network | None) -> Sample:
        """Read everything once; the network's counters are taken over as they are.

        Raises:
            GroupGone: The group was removed.
        """
        cpu_text = self._cpu.read()
        cpu = self._cpu_of(cpu_text)
        quota_text = self._quota.read() if self._quota else cpu_text
        throttled = readers.throttling(quota_text) if quota_text else readers.Throttling()
        charged = self._memory.read()
        memory_stat = self._memory_stat.read()
        disk = self._read_disk()
        pressure = self._pressure.read()
        return Sample(
            source="cgroup",
            at_ns=time.monotonic_ns(),
            epoch=self.epoch,
            cpu_total_ns=cpu.total_ns,
            cpu_user_total_ns=cpu.user_ns,
            cpu_system_total_ns=cpu.system_ns,
            cpu_periods_total=throttled.periods,
            cpu_throttled_periods_total=throttled.throttled_periods,
            cpu_throttled_total_ns=throttled.throttled_ns,
            cpu_stall_total_ns=readers.stall_ns(pressure) if pressure else None,
            memory_charged_bytes=readers.number(charged) if charged else None,
            memory_inactive_file_bytes=readers.inactive_file(memory_stat) if memory_stat else None,
            disk_read_total_bytes=disk.read_bytes,
            disk_write_total_bytes=disk.write_bytes,
            disk_reads_total=disk.reads,
            disk_writes_total=disk.writes,
            net_rx_total_bytes=network.rx_bytes if network else None,
            net_tx_total_bytes=network.tx_bytes if network else None,
            net_rx_packets_total=network.rx_packets if network else None,
            net_tx_packets_total=network.tx_packets if network else None,
            net_drops_total=network.drops if network else None,
        )

    def _cpu_of(self, text: bytes | None) -> readers.Cpu:
        if text is None:
            return readers.Cpu()
        return readers.cpu_v2(text) if self._is_v2_cpu else readers.cpu_v1(text, self._cpu_ticks.read() or b"")

    def _read_disk(self) -> readers.Disk:
        text = self._disk.read()
        if text is None:
            return readers.Disk()
        return readers.io_v1(text, self._disk_operations.read()) if self._is_v1_disk else readers.io_v2(text)
