"""Rows of control groups, as `cgroup_rows.bpf.c` writes them: parsing, and one reading of a tree after the other."""

from __future__ import annotations

import os
import struct
from importlib import resources
from typing import NamedTuple

from collectors.kernel.bpf.libbpf import BpfError, Iteration
from collectors.kernel.procfs import read_bytes

OBJECT = "cgroup_rows.bpf.o"
ROW_BYTES = 96
_ROW = struct.Struct(f"=Q{ROW_BYTES - 8}s")
_HEADING = struct.Struct("=QQ")
_COUNTERS = struct.Struct("=11Q")
_NOT_MEASURED = 2**64 - 1
_LEAST_ROOM, _MOST_ROOM = 1024, 1 << 18
"""Rows, of 96 bytes of the kernel's memory each: 25 MB at most."""

Rows = dict[int, bytes]
"""Inode of a group's directory -> everything else of its row. Two equal ones: nothing has moved in between."""


class Counters(NamedTuple):
    """A row, with the names that it has in the program."""

    moving: int
    """0, or an instant that no other row has: the group may do something that its counters do not show yet."""
    cpu_ns: int
    user_ns: int
    """Not scaled to fit `cpu_ns`, as `cpu.stat` has it."""
    system_ns: int
    stall_cpu_ns: int | None
    """As of the kernel's last average, which is up to two seconds old while anything moves; `None`: pressure is off."""
    stall_other_ns: int
    memory_pages: int
    disk_bytes: int
    disk_operations: int
    quota_periods: int
    throttled_ns: int


def counters(row: bytes) -> Counters:
    """Take a row apart.

    Raises:
        BpfError: It has another length.
    """
    if len(row) != _COUNTERS.size:
        raise BpfError(f"a row of {len(row)} bytes instead of {_COUNTERS.size}")
    values = Counters._make(_COUNTERS.unpack(row))
    return values._replace(stall_cpu_ns=None) if values.stall_cpu_ns == _NOT_MEASURED else values


def parse(table: bytes | memoryview) -> tuple[Rows, int]:
    """Read a table; return its rows, and how many there would be if there were room.

    Raises:
        BpfError: It has no heading, or was not written to its end.
    """
    if len(table) < ROW_BYTES or len(table) % ROW_BYTES:
        raise BpfError(f"a table of {len(table)} bytes, which are not whole rows")
    count, is_finished = _HEADING.unpack_from(table)
    if not is_finished:
        raise BpfError("the walk over the groups ended before the last one")
    return dict(_ROW.iter_unpack(table[ROW_BYTES : ROW_BYTES * (count + 1)])), count


class RowReader:
    """Reads the rows of one or several trees.

    Args:
        trees: Directories of cgroupfs, each the root of a tree.

    Raises:
        BpfError: The program is not part of this installation, or cannot be loaded and run here.
    """

    def __init__(self, trees: tuple[str, ...]) -> None:
        self._trees = trees
        try:
            self._code = resources.files(__package__).joinpath(OBJECT).read_bytes()
        except OSError as error:
            raise BpfError("the compiled program is not part of this installation") from error
        self._iteration: Iteration | None = None
        self._links: tuple[int, ...] = ()
        self._load(2 * max(map(_group_count, trees)))

    def read(self) -> tuple[Rows, ...]:
        """Return the rows of each tree.

        What is counted per CPU is as of the last time that the kernel added it up.

        Raises:
            BpfError: The kernel broke off; this object can only be closed.
        """
        read = [self._read(index) for index in range(len(self._trees))]
        needed = max(count for _, count in read)
        if needed >= self._room:
            self._load(2 * needed)
        return tuple(rows for rows, _ in read)

    def close(self) -> None:
        """Take the program out of the kernel."""
        if self._iteration is not None:
            self._iteration.close()
            self._iteration = None

    def _load(self, room: int) -> None:
        self.close()
        self._room = min(max(room, _LEAST_ROOM), _MOST_ROOM)
        self._iteration = iteration = Iteration(self._code, "write_row", "rows", ROW_BYTES, self._room)
        try:
            self._links = tuple(iteration.attach(tree) for tree in self._trees)
        except BpfError:
            self.close()
            raise

    def _read(self, index: int) -> tuple[Rows, int]:
        iteration = self._iteration
        if iteration is None or iteration.table is None:
            raise BpfError("the program is not loaded")
        iteration.run(self._links[index])
        with memoryview(iteration.table) as table:
            return parse(table)


def _group_count(tree: str) -> int:
    """Return how many groups a tree has; 0 where the kernel does not say."""
    text = read_bytes(os.path.join(tree, "cgroup.stat")) or b""
    words = text.split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
