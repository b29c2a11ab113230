"""Facts in the comparison of workload classes. Plain data."""

from __future__ import annotations

from typing import NamedTuple

from collectors.model.metrics import Unit


class Fact(NamedTuple):
    """A value and how it was found, or why it is missing."""

    value: float | str | None
    how: str
    """The file or call that supplied it; for a missing value, why it is missing."""


def unknown(reason: str) -> Fact:
    """Return the fact of a value that could not be found, with the reason."""
    return Fact(None, reason)


class Row(NamedTuple):
    """One row of the comparison of classes."""

    key: str
    """Name in JSON; ends with its unit."""
    label: str
    unit: Unit | None
    """`None` for text."""
    help: str


ROWS: tuple[Row, ...] = (
    Row("isolation", "isolation", None, "what keeps it apart from the host and its neighbours"),
    Row("system", "operating system", None, "whose kernel and which system it runs on"),
    Row("size_bytes", "size on disk", Unit.BYTES, "what it occupies on the host's disks"),
    Row("startup_running_seconds", "start to running", Unit.SECONDS, "of starts that were witnessed"),
    Row("startup_ready_seconds", "start to ready", Unit.SECONDS, "of starts that were witnessed, by the signal it has"),
    Row("cpu_overhead_percent", "CPU overhead", Unit.PERCENT, "CPU spent on it in addition to its own work"),
    Row("memory_overhead_bytes", "memory overhead", Unit.BYTES, "memory held for it in addition to its own"),
    Row("memory_host_bytes", "memory: host pays", Unit.BYTES, "what the host holds for it"),
    Row("memory_inside_bytes", "memory: used inside", Unit.BYTES, "what its programs use"),
    Row("waiting_percent", "waiting", Unit.PERCENT, "share of time in which it was ready and had to wait"),
    Row("disk_guest_bytes_per_second", "I/O: guest side", Unit.BYTES_PER_SECOND, "what the guest asks of its disks"),
    Row("disk_host_bytes_per_second", "I/O: host side", Unit.BYTES_PER_SECOND, "what reaches the host's disks"),
)
"""In the order in which they are shown. `docs/guide.md` explains them."""
