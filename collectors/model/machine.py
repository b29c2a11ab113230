"""What the page of the host shows and no frame holds: cores, devices, sensors. Plain data; never recorded.

Sizes are bytes, rates per second. `None` is unknown; where the reason can be said, a field `why` says it.
"""

from __future__ import annotations

from typing import NamedTuple


class Core(NamedTuple):
    """A logical CPU, over the time since the reading before. Shares are percent of that time."""

    number: int
    busy_percent: float | None
    """By the ruler of the host's CPU%: waiting for I/O and steal are not use."""
    steal_percent: float | None
    """What a hypervisor below took away."""
    is_online: bool = True


class DiskRow(NamedTuple):
    """A block device."""

    name: str
    on: str
    """What it is built on; empty for a disk."""
    size_bytes: int | None
    used_percent: float | None
    """Of the file systems directly on it or its partitions; `None` if none of them is mounted."""
    read_bps: float | None
    write_bps: float | None
    iops: float | None
    """Requests that the device completed, after merging."""
    busy_percent: float | None
    """Share of time with a request in progress. Devices that serve many at once are not full at 100."""
    await_ms: float | None
    """Mean time that a request took, waiting included; `None` without any request."""


class FileSystem(NamedTuple):
    """A mounted file system on a block device, or of a pool."""

    mount: str
    device: str
    kind: str
    size_bytes: int | None
    used_bytes: int | None
    available_bytes: int | None
    """What users without privileges may still write."""
    why: str = ""


class InterfaceRow(NamedTuple):
    """A network interface of the host."""

    name: str
    role: str
    """Empty if the host's totals count it; otherwise why they do not."""
    rx_bps: float | None
    tx_bps: float | None
    drops: float | None
    """Packets dropped per second, both directions."""
    link_mbps: int | None
    why: str = ""
    """Why it has no speed: `down`, `virtual`."""


class Sensor(NamedTuple):
    """A temperature (Celsius) or a fan (revolutions per minute)."""

    chip: str
    label: str
    value: float | None
    high: float | None = None
    critical: float | None = None
    why: str = ""


class Gpu(NamedTuple):
    """A graphics processor, as far as the kernel shows it without the vendor's tools."""

    name: str
    driver: str
    busy_percent: float | None
    memory_used_bytes: int | None
    memory_bytes: int | None
    clock_mhz: int | None
    why: str = ""
    """Why it has no numbers."""


class Pressure(NamedTuple):
    """Shares of time that some task, or all, waited for a resource: means over 10 s, 1 min, 5 min, in percent."""

    resource: str
    some: tuple[float, float, float]
    full: tuple[float, float, float] | None


class MachineReading(NamedTuple):
    """All of it at one instant."""

    at_ns: int
    """`time.monotonic_ns()` after the reading."""
    cpu_model: str
    cores: tuple[Core, ...]
    disks: tuple[DiskRow, ...]
    file_systems: tuple[FileSystem, ...]
    interfaces: tuple[InterfaceRow, ...]
    inner_interfaces: int
    """Those that lead into workloads or nowhere; they are not listed."""
    temperatures: tuple[Sensor, ...]
    fans: tuple[Sensor, ...]
    gpus: tuple[Gpu, ...]
    pressures: tuple[Pressure, ...]
