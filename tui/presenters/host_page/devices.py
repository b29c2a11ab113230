"""Disks, file systems, interfaces, sensors and graphics of the host."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.analysis.rates import Moment
from collectors.model.machine import DiskRow, FileSystem, Gpu, InterfaceRow, MachineReading, Sensor
from collectors.model.metrics import Unit
from tui.presenters.formatting import text
from tui.presenters.host_page.layout import Column, Part, number, table
from tui.presenters.styled_lines import Line, Run

_FLOW = Unit.BYTES_PER_SECOND
_FULL_PERCENT, _VERY_FULL_PERCENT = 90.0, 95.0
_BUSY_PERCENT = 80.0
_REASON = 40
"""Cells for the reason why a graphics processor has no numbers."""
_HIGH_SHARE = 0.9
"""Share of its critical temperature from which a sensor is shown as a warning."""


def disks_part(moment: Moment, disks: Sequence[DiskRow], width: int) -> Part:
    """Return the block devices, and in the rule the totals of the outermost; without any, the frame's totals."""
    name = max(12, min(36, width - 66))
    columns = (
        Column("DEVICE", name, False), Column("SIZE", 5), Column("USED", 4), Column("READ/s", 6), Column("WRITE/s", 7),
        Column("IOPS", 5), Column("BUSY", 4), Column("AWAIT", 7),
    )  # fmt: skip
    rows = [_disk(row) for row in disks]
    lines = table(columns, rows) if rows else [[("  no block device is visible", "muted")]]
    totals = _disk_totals(disks) if disks else _totals(moment, "read", "disk_read", "write", "disk_write")
    return Part("Disks", "Disks", "", totals, lines)


def _disk_totals(disks: Sequence[DiskRow]) -> str:
    """Return the sums of the rows, at their instants: the header's are of others."""
    outermost = [row for row in disks if not row.on]
    shown = []
    for flows in ([row.read_bps for row in outermost], [row.write_bps for row in outermost]):
        known = [flow for flow in flows if flow is not None]
        shown.append(text(sum(known) if known else None, _FLOW, 5).strip())
    return f"read {shown[0]}/s  write {shown[1]}/s"


def _totals(moment: Moment, one: str, one_key: str, other: str, other_key: str) -> str:
    flows = [moment.host.value(f"{key}_bytes_per_second") for key in (one_key, other_key)]
    shown = [text(flow, _FLOW, 5).strip() for flow in flows]
    return f"{one} {shown[0]}/s  {other} {shown[1]}/s"


def _disk(row: DiskRow) -> list[Run]:
    label = f"{row.name} on {row.on}" if row.on else row.name
    busy, waited = row.busy_percent, row.await_ms
    return [
        (label, "muted" if row.on else "text"),
        number(row.size_bytes, Unit.BYTES, 5),
        _share(row.used_percent, _FULL_PERCENT, _VERY_FULL_PERCENT),
        number(row.read_bps, _FLOW, 6),
        number(row.write_bps, _FLOW, 7),
        number(row.iops, Unit.COUNT, 5),
        _share(busy, _BUSY_PERCENT, 101.0),
        (
            "-" if waited is None else f"{waited:.1f} ms" if waited < 10 else f"{waited:.0f} ms",
            "text" if waited else "muted",
        ),
    ]


def _share(percent: float | None, high: float, very_high: float) -> Run:
    if percent is None:
        return "-", "muted"
    tone = "bad" if percent >= very_high else "warn" if percent >= high else "text" if round(percent) else "muted"
    return f"{percent:.0f}%", tone


def file_systems_part(systems: Sequence[FileSystem], width: int) -> Part:
    """Return the mounted file systems of this host's devices."""
    mount = max(16, min(40, width - 50))
    columns = (
        Column("MOUNTED ON", mount, False), Column("SIZE", 5), Column("USED", 5), Column("FREE", 5), Column("USED", 4),
        Column("TYPE", 8, False), Column("DEVICE", max(8, width - mount - 50), False),
    )  # fmt: skip
    rows = [_system(system) for system in systems]
    lines = table(columns, rows) if rows else [[("  none on a device of this host", "muted")]]
    return Part("File systems", "File systems", "", "", lines)


def _system(system: FileSystem) -> list[Run]:
    used = system.used_bytes
    usable = None if used is None or system.available_bytes is None else used + system.available_bytes
    percent = used / usable * 100 if used is not None and usable else None
    return [
        (system.mount, "text"),
        number(system.size_bytes, Unit.BYTES, 5),
        number(used, Unit.BYTES, 5),
        number(system.available_bytes, Unit.BYTES, 5),
        _share(percent, _FULL_PERCENT, _VERY_FULL_PERCENT),
        (system.kind, "muted"),
        (system.why or system.device, "warn" if system.why else "muted"),
    ]


def network_part(moment: Moment, reading: MachineReading, width: int) -> Part:
    """Return the interfaces; those that repeat what others carry are muted and say so. The totals are the header's."""
    columns = (
        Column("INTERFACE", 16, False), Column("RX/s", 6), Column("TX/s", 6), Column("DROP/s", 6),
        Column("LINK", 6, False), Column("", max(8, width - 54), False),
    )  # fmt: skip
    rows = [_interface(row) for row in reading.interfaces]
    lines = table(columns, rows) if rows else [[("  no interface is visible", "muted")]]
    if reading.inner_interfaces:
        plural = "s" if reading.inner_interfaces != 1 else ""
        lines.append(
            [(f"  and {reading.inner_interfaces} interface{plural} that lead into workloads or nowhere", "muted")]
        )
    return Part("Network", "Network", "", _totals(moment, "rx", "net_rx", "tx", "net_tx"), lines)


def _interface(row: InterfaceRow) -> list[Run]:
    note = f"not counted: {row.role}" if row.role else ""
    return [
        (row.name, "muted" if row.role else "text"),
        number(row.rx_bps, _FLOW, 6),
        number(row.tx_bps, _FLOW, 6),
        ("-" if row.drops is None else f"{row.drops:.0f}", "warn" if row.drops and row.drops >= 1 else "muted"),
        (_link(row), "warn" if row.why == "down" and not row.role else "text" if row.link_mbps else "muted"),
        (note, "muted"),
    ]


def _link(row: InterfaceRow) -> str:
    if row.link_mbps is None:
        return "down" if row.why == "down" else "-"
    return f"{row.link_mbps / 1000:g}G" if row.link_mbps >= 1000 else f"{row.link_mbps}M"


def sensors_part(reading: MachineReading, width: int, is_ascii: bool) -> Part | None:
    """Return temperatures and fans; `None` where the kernel shows neither, as in most virtual machines."""
    cells = [_temperature(sensor, is_ascii) for sensor in reading.temperatures]
    cells += [_fan(sensor) for sensor in reading.fans]
    if not cells:
        return None
    per_line = max(1, (width - 2) // 38)
    lines: list[Line] = []
    for start in range(0, len(cells), per_line):
        lines.append([("  ", "text"), *(run for cell in cells[start : start + per_line] for run in cell)])
    return Part("Sensors", "Temperatures and fans", "", "", lines)


def _name(sensor: Sensor) -> Run:
    return f"{sensor.chip} {sensor.label}"[:19].ljust(20), "muted"


def _temperature(sensor: Sensor, is_ascii: bool) -> list[Run]:
    if sensor.value is None:
        return [_name(sensor), (f"- {sensor.why}"[:17].ljust(18), "muted")]
    most = sensor.critical or sensor.high
    tone = "bad" if most and sensor.value >= most else "warn" if most and sensor.value >= most * _HIGH_SHARE else "text"
    limit = f" of {most:.0f}" if most else ""
    return [_name(sensor), (f"{sensor.value:.0f} {'' if is_ascii else '°'}C", tone), (limit.ljust(18 - 5), "muted")]


def _fan(sensor: Sensor) -> list[Run]:
    if sensor.value is None:
        return [_name(sensor), (f"- {sensor.why}"[:17].ljust(18), "muted")]
    return [_name(sensor), (f"{sensor.value:.0f} rpm".ljust(18), "text" if sensor.value else "muted")]


def graphics_part(gpus: Sequence[Gpu], width: int) -> Part | None:
    """Return the graphics processors; `None` where the kernel shows none."""
    if not gpus:
        return None
    name = max(14, min(30, width - 52 - _REASON if width >= 100 else width - 49))
    columns = (
        Column("GPU", name, False), Column("DRIVER", 9, False), Column("BUSY", 5), Column("MEM", 5), Column("OF", 5),
        Column("CLOCK", 8), Column("", width - name - 52, False),
    )  # fmt: skip
    rows = [
        [
            (gpu.name, "text"),
            (gpu.driver or "-", "muted"),
            _share(gpu.busy_percent, _FULL_PERCENT, 101.0),
            number(gpu.memory_used_bytes, Unit.BYTES, 5),
            number(gpu.memory_bytes, Unit.BYTES, 5),
            ("-" if gpu.clock_mhz is None else f"{gpu.clock_mhz} MHz", "text" if gpu.clock_mhz else "muted"),
            (gpu.why, "muted"),
        ]
        for gpu in gpus
    ]
    return Part("GPU", "Graphics", "", "", table(columns, rows))
