"""The memory overhead of a virtual machine on the host, read from the mappings of its VMM process.

The overhead is the resident size of the process less the resident part of the guest's memory. The guest's assigned
memory is not subtracted: a guest that has not touched all of it would seem to have no overhead.
Reading the mappings holds the process's memory lock for some milliseconds: only on demand, never by the sampler.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from collectors.kernel.cgroup.processes import command
from collectors.kernel.procfs import read_bytes
from collectors.model.details import Fact, Page, Table
from collectors.model.metrics import Unit

_MAPPING = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) [-rwxsp]{4} ")
_BACKEND_SIZE = re.compile(r'"size":\s*(\d+)|[,:]size=(\d+)([kKmMgG]?)')
_SIZE = re.compile(r"(?:size=)?(\d+)([kKmMgG]?)")
_SCALES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class GuestMemory(NamedTuple):
    """Sizes in bytes."""

    resident: int
    """Resident memory of the whole process."""
    guest: int
    """The part of it that is the guest's memory."""
    assigned: int
    """The guest's memory, resident or not."""

    @property
    def overhead(self) -> int:
        """Resident memory other than the guest's: devices, caches, translated code, QEMU's own libraries."""
        return self.resident - self.guest


def read_guest_memory(pid: int, proc: str = "/proc") -> GuestMemory | None:
    """Read a QEMU process's mappings; `None` if this user may not, or none of them is the guest's memory."""
    sizes = guest_sizes(command(proc, pid))
    text = read_bytes(f"{proc}/{pid}/smaps")
    return parse_mappings(text, sizes) if text and sizes else None


def guest_sizes(command_line: list[bytes]) -> set[int]:
    """Return the sizes of the guest's memory in bytes, from QEMU's command line: its memory backends, else `-m`."""
    sizes: set[int] = set()
    option_sizes: set[int] = set()
    for option, value in pairwise(command_line):
        text = value.decode("utf-8", "replace")
        if option == b"-object" and "memory-backend" in text:
            sizes.update(_bytes(match[1] or match[2], match[3] or "") for match in _BACKEND_SIZE.finditer(text))
        elif option == b"-m" and (match := _SIZE.match(text)):
            option_sizes.add(_bytes(match[1], match[2] or "m"))
    return sizes or option_sizes


def _bytes(number: str, suffix: str) -> int:
    return int(number) * _SCALES[suffix.lower()]


def parse_mappings(smaps: bytes, sizes: set[int]) -> GuestMemory | None:
    """Add up `/proc/<pid>/smaps` (proc_pid_smaps(5)): all resident memory, and that of mappings of the given sizes.

    Hugepages are resident memory, too.
    """
    resident = guest = assigned = 0
    is_guest = False
    for line in smaps.splitlines():
        mapping = _MAPPING.match(line)
        if mapping:
            size = int(mapping[2], 16) - int(mapping[1], 16)
            is_guest = size in sizes
            assigned += size if is_guest else 0
        elif line.startswith((b"Rss:", b"Shared_Hugetlb:", b"Private_Hugetlb:")):  # Rss is without hugepages
            held = int(line.split()[1]) * 1024
            resident += held
            guest += held if is_guest else 0
    return GuestMemory(resident, guest, assigned) if assigned else None


def guest_memory_table(pid: int | None, proc: str = "/proc") -> list[Table]:
    """Return the table of the memory of a virtual machine's QEMU process; empty if it cannot be read."""
    memory = None if pid is None else read_guest_memory(pid, proc)
    if memory is None:
        return []
    facts = (
        Fact("assigned to the guest", memory.assigned, Unit.BYTES),
        Fact("of it held by the host now", memory.guest, Unit.BYTES),
        Fact("overhead of the hypervisor", memory.overhead, Unit.BYTES),
    )
    return [Table(Page.FACTS, "Memory of its VMM process", facts=facts)]
