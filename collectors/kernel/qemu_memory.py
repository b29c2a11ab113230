"""What a virtual machine's memory costs the host on top of the guest's own: read from its QEMU process's mappings.

The overhead is the resident size of the process less the resident part of the guest's memory. The guest's assigned
memory would be the wrong thing to subtract: a guest that has not touched all of it would seem to have no overhead.
Reading the mappings takes the process's memory lock for some milliseconds: only on demand, never on a beat.
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
    """Of the whole process."""
    guest: int
    """Of it, the guest's memory that is resident."""
    assigned: int
    """The guest's memory, resident or not."""

    @property
    def overhead(self) -> int:
        """What the process holds apart from the guest's memory: devices, caches, translated code, its own libraries."""
        return self.resident - self.guest


def read_guest_memory(pid: int, proc: str = "/proc") -> GuestMemory | None:
    """Read a QEMU process's mappings; `None` if they may not be read, or none of them is the guest's memory."""
    sizes = guest_sizes(command(proc, pid))
    text = read_bytes(f"{proc}/{pid}/smaps")
    return parse_mappings(text, sizes) if text and sizes else None


def guest_sizes(words: list[bytes]) -> set[int]:
    """Return the sizes of the guest's memory, from QEMU's command line: of its memory backends, else of `-m`."""
    sizes: set[int] = set()
    plain: set[int] = set()
    for option, value in pairwise(words):
        said = value.decode("utf-8", "replace")
        if option == b"-object" and "memory-backend" in said:
            sizes.update(_bytes(found[1] or found[2], found[3] or "") for found in _BACKEND_SIZE.finditer(said))
        elif option == b"-m" and (found := _SIZE.match(said)):
            plain.add(_bytes(found[1], found[2] or "m"))
    return sizes or plain


def _bytes(number: str, suffix: str) -> int:
    return int(number) * _SCALES[suffix.lower()]


def parse_mappings(smaps: bytes, sizes: set[int]) -> GuestMemory | None:
    """Add up `/proc/<pid>/smaps` (proc_pid_smaps(5)): all that is resident, and that of mappings of the given sizes.

    Hugepages are resident, too.
    """
    resident = guest = assigned = 0
    is_guest = False
    for line in smaps.splitlines():
        found = _MAPPING.match(line)
        if found:
            size = int(found[2], 16) - int(found[1], 16)
            is_guest = size in sizes
            assigned += size if is_guest else 0
        elif line.startswith((b"Rss:", b"Shared_Hugetlb:", b"Private_Hugetlb:")):  # Rss is without hugepages
            held = int(line.split()[1]) * 1024
            resident += held
            guest += held if is_guest else 0
    return GuestMemory(resident, guest, assigned) if assigned else None


def guest_memory_table(pid: int | None, proc: str = "/proc") -> list[Table]:
    """Return a page's table for a virtual machine's QEMU process."""
    found = None if pid is None else read_guest_memory(pid, proc)
    if found is None:
        return []
    facts = (
        Fact("assigned to the guest", found.assigned, Unit.BYTES),
        Fact("of it held by the host now", found.guest, Unit.BYTES),
        Fact("overhead of the hypervisor", found.overhead, Unit.BYTES),
    )
    return [Table(Page.FACTS, "Memory of its QEMU process", facts=facts)]
