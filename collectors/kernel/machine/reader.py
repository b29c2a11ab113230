"""Everything that the page of the host reads, at one instant."""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.analysis.counter_rates import Rates
from collectors.kernel.devices import Interfaces
from collectors.kernel.machine.cores import cpu_model, read_cores, read_pressures
from collectors.kernel.machine.disks import DiskReader, Space, read_file_systems, space_of
from collectors.kernel.machine.graphics import read_gpus
from collectors.kernel.machine.interfaces import InterfaceReader
from collectors.kernel.machine.sensors import read_sensors
from collectors.model.machine import MachineReading


class MachineReader:
    """Reads the host repeatedly, from one thread at a time; rates are known from the second reading on.

    Args:
        proc: Where procfs is mounted.
        sys: Where sysfs is mounted.
        space: Asks a file system for its space.
    """

    def __init__(self, proc: str = "/proc", sys: str = "/sys", space: Callable[[str], Space] = space_of) -> None:
        self._proc, self._sys, self._space = proc, sys, space
        self._core_rates = Rates()
        self._disks = DiskReader(proc, sys)
        self._interfaces = InterfaceReader(Interfaces(proc).roles, proc, sys)

    def read(self) -> MachineReading:
        """Read it. Blocks as long as a sensor or a file system takes; what cannot be read is `None`."""
        proc, sys = self._proc, self._sys
        systems = read_file_systems(proc, self._space)
        temperatures, fans = read_sensors(sys)
        interfaces, inner = self._interfaces.read(time.monotonic())
        return MachineReading(
            cpu_model=cpu_model(proc),
            cores=read_cores(proc, sys, self._core_rates),
            disks=self._disks.read(time.monotonic(), systems),
            file_systems=tuple(sorted(systems.values())),
            interfaces=interfaces,
            inner_interfaces=inner,
            temperatures=temperatures,
            fans=fans,
            gpus=read_gpus(sys, proc),
            pressures=read_pressures(proc),
            at_ns=time.monotonic_ns(),
        )
