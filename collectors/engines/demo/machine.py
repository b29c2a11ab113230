"""What the page of the host shows in the demo: devices whose numbers add up to the simulated totals."""

from __future__ import annotations

from random import Random

from collectors.analysis.rates import Moment
from collectors.model.machine import Core, DiskRow, FileSystem, InterfaceRow, MachineReading, Pressure, Sensor

_TIB = 1 << 40
_STEP_S = 3.0
"""Seconds for which a core keeps its share of the load."""
_DISKS = (("nvme0n1", 0.7, 1.8, 61.0, 0.4), ("sda", 0.3, 7.3, 78.0, 11.8))
"""Name, share of the traffic, size in TiB, space used in percent, milliseconds a request."""
_SYSTEMS = (("/", "/dev/nvme0n1p2", "ext4", 0.2, 0.42), ("/var/lib", "/dev/nvme0n1p3", "xfs", 1.6, 0.63),
            ("/srv", "/dev/sda1", "xfs", 7.3, 0.78))  # fmt: skip


def simulated_machine(moment: Moment) -> MachineReading:
    """Return devices that fit a moment of the demo; the same ones for the same moment."""
    value = moment.host.value
    wait = value("cpu_wait_percent") or 0.0
    load = (value("cpu_percent") or 0.0) / max(1, moment.frame.cpus)
    read, written = value("disk_read_bytes_per_second"), value("disk_write_bytes_per_second")
    return MachineReading(
        at_ns=moment.frame.at_ns,
        cpu_model="AMD EPYC 7313",
        cores=_cores(moment),
        disks=tuple(
            DiskRow(
                name, "", int(size * _TIB), used,
                _part(read, share), _part(written, share),
                None if read is None or written is None else (read + written) * share / 49152,
                None if read is None or written is None else min(100.0, (read + written) * share / 49152 * ms / 60),
                ms if read or written else None,
            )
            for name, share, size, used, ms in _DISKS
        ),
        file_systems=tuple(
            FileSystem(mount, device, kind, int(size * _TIB), int(size * used * _TIB), int(size * (1 - used) * _TIB))
            for mount, device, kind, size, used in _SYSTEMS
        ),
        interfaces=(
            InterfaceRow("eno1", "", value("net_rx_bytes_per_second"), value("net_tx_bytes_per_second"), 0.0, 10_000),
            InterfaceRow(
                "br0", "bridge", _part(value("net_rx_bytes_per_second"), 0.8),
                _part(value("net_tx_bytes_per_second"), 0.8), 0.0, None, "no speed reported",
            ),
        ),
        inner_interfaces=len(moment.readings),
        temperatures=(
            Sensor("k10temp", "Tctl", 41.0 + load * 0.5, None, 95.0),
            Sensor("nvme", "Composite", 38.0 + load * 0.1, 81.0, 85.0),
        ),
        fans=(Sensor("nct6775", "fan1", float(int(900 + load * 12))),),
        gpus=(),
        pressures=(
            Pressure("CPU", (wait, wait * 0.9, wait * 0.8), None),
            Pressure("memory", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
            Pressure("I/O", (0.4, 0.3, 0.2), (0.1, 0.1, 0.1)),
        ),
    )  # fmt: skip


def _part(total: float | None, share: float) -> float | None:
    return None if total is None else total * share


def _cores(moment: Moment) -> tuple[Core, ...]:
    """Spread the CPU use over the cores, unevenly and so that they add up to it."""
    total = moment.host.value("cpu_percent")
    count = moment.frame.cpus
    if total is None:
        return tuple(Core(number, None, None) for number in range(count))
    shuffle = Random(int(moment.frame.wall / _STEP_S))  # noqa: S311  # nothing secret
    weights = [shuffle.random() ** 2 + 0.02 for _ in range(count)]
    busy = [0.0] * count
    left = min(total, 100.0 * count)
    while left > 1e-6:
        open_cores = [number for number in range(count) if busy[number] < 100.0]
        whole = sum(weights[number] for number in open_cores)
        given = 0.0
        for number in open_cores:
            share = min(100.0 - busy[number], left * weights[number] / whole)
            busy[number] += share
            given += share
        left -= given
    return tuple(Core(number, percent, 0.0) for number, percent in enumerate(busy))
