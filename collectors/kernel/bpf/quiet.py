"""Which groups have not moved since their files were read: their rows are the same as then.

A value never comes from a row. A group whose row has changed, or that has none, is read by its files, and so is a
quiet one now and then. If its counters have changed then although its row stays the same, or if anything else fails,
the rows are given up for good: every group is read by its files from that moment on.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import Protocol

from collectors.kernel.bpf.libbpf import BpfError
from collectors.kernel.bpf.rows import RowReader, Rows
from collectors.kernel.procfs import read_bytes

_NONE: Rows = {0: b""}
"""The second tree where there is only one: every group has the same row in it."""

log = logging.getLogger(__name__)


class Reader(Protocol):
    """What supplies the rows: `RowReader`, or what stands in for it in a test."""

    def read(self) -> tuple[Rows, ...]:
        """Return the rows of each tree."""

    def close(self) -> None:
        """Release everything."""


class QuietGroups:
    """The newest rows of all groups.

    Args:
        unified: The directory of the v2 tree.
        memory: That of the v1 tree with the memory controller; `None` where v2 has it.
        make_reader: Makes what reads the rows of those trees.
    """

    def __init__(
        self, unified: str, memory: str | None = None, make_reader: Callable[[tuple[str, ...]], Reader] = RowReader
    ) -> None:
        self._unified = unified
        self._has_memory_tree = memory is not None
        self.rows: Rows = {}
        self.memory_rows: Rows = {}
        self.at_ns = 0
        """Monotonic instant of which the newest rows are."""
        self.problem = ""
        """Why the rows were given up; empty while they are in use."""
        self._doubts: dict[str, Watch] = {}
        self._reader: Reader | None = None
        try:
            self._reader = make_reader((unified,) if memory is None else (unified, memory))
        except BpfError as error:
            self._give_up(str(error))

    def refresh(self) -> None:
        """Read the rows of all groups. Whatever fails, they are given up: nothing is quiet then."""
        if self._reader is None:
            return
        try:
            at_ns = time.monotonic_ns()
            self._add_up()
            rows = self._reader.read()
        except (BpfError, OSError) as error:
            self._give_up(str(error))
            return
        self.rows, self.memory_rows, self.at_ns = rows[0], rows[1] if self._has_memory_tree else _NONE, at_ns
        doubts, self._doubts = self._doubts, {}
        for path, watch in doubts.items():
            if watch.is_quiet():
                self._give_up(f"the files of {path} had changed, and its row had not")
                return

    def watch(self, path: str, memory_path: str | None = None) -> Watch | None:
        """Return what tells whether a group is quiet; `None` if that cannot be told.

        Args:
            path: Its directory in the v2 tree.
            memory_path: Its directory in the v1 tree with the memory controller, where there is one.
        """
        if self._reader is None or self._has_memory_tree != (memory_path is not None):
            return None
        try:
            return Watch(self, path, os.stat(path).st_ino, os.stat(memory_path).st_ino if memory_path else 0)
        except OSError:
            return None

    def doubt(self, path: str, watch: Watch) -> None:
        """Note that a group's counters have changed since its newest row: the next one has to be another."""
        self._doubts[path] = watch

    def close(self) -> None:
        """Take the program out of the kernel."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self.rows, self.memory_rows = {}, {}

    def _give_up(self, problem: str) -> None:
        self.close()
        self.problem = problem
        log.warning("BPF is not used, the files of every control group are read: %s", problem)

    def _add_up(self) -> None:
        """Have the kernel add up what it counts per CPU: reading a file does it for the group and all below it."""
        tops = [self._unified]
        if not os.path.exists(f"{self._unified}/cgroup.type"):  # the root of all, for which reading adds up nothing
            with os.scandir(self._unified) as entries:
                tops = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        for top in tops:
            read_bytes(f"{top}/cpu.stat")
            read_bytes(f"{top}/io.stat")  # there only with that controller


class Watch:
    """Whether one group is quiet. `note` goes with each reading of its files, `is_quiet` comes before."""

    __slots__ = ("_groups", "_inode", "_memory_inode", "_memory_row", "_path", "_row", "_seen", "_seen_memory")

    def __init__(self, groups: QuietGroups, path: str, inode: int, memory_inode: int) -> None:
        self._groups = groups
        self._path = path
        self._inode = inode
        self._memory_inode = memory_inode
        self._row: bytes | None = None
        self._memory_row: bytes | None = None
        self._seen: bytes | None = None
        self._seen_memory: bytes | None = None

    @property
    def at_ns(self) -> int:
        """Monotonic instant at which the group was last found quiet."""
        return self._groups.at_ns

    def is_quiet(self) -> bool:
        """Whether nothing has moved between the row before the files were last read, and the newest one."""
        groups = self._groups
        self._row = row = groups.rows.get(self._inode)
        self._memory_row = memory_row = groups.memory_rows.get(self._memory_inode)
        return row is not None and row == self._seen and memory_row is not None and memory_row == self._seen_memory

    def note(self, is_contradicted: bool) -> None:
        """Note that the files have been read after `is_quiet`.

        Args:
            is_contradicted: Whether their counters have changed although the group was quiet: the next row has to show
                it.
        """
        if is_contradicted:
            self._groups.doubt(self._path, self)
        self._seen, self._seen_memory = self._row, self._memory_row
