"""Where a command runs so that it can be measured: a group of its own, or at least its process tree."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence

from collectors.kernel.cgroup.hierarchy import Hierarchy, detect
from collectors.kernel.cgroup.open_files import GroupGone
from collectors.kernel.procfs import read_process_stat
from collectors.running.group_meter import GroupMeter
from collectors.running.held_command import HeldCommand
from collectors.running.quantities import Usage
from collectors.running.run_group import NoGroup, RunGroup, kill_each
from collectors.running.scope import NoScope, enter_scope
from collectors.running.tree_meter import TreeMeter
from collectors.safety.sanitize import sanitize

_LEAVING_S = 0.25
"""Seconds for children of the command that end just after it."""
_KILLED_S = 5.0
_POLL_S = 0.02


class Place:
    """The command's group, or its tree.

    Args:
        held: The command, which is not released yet.
        hierarchy: The trees of this host.
        enter: Moves processes into a scope of systemd; tests give another.
    """

    def __init__(
        self,
        held: HeldCommand,
        hierarchy: Hierarchy | None = None,
        enter: Callable[[Sequence[int], Sequence[str], Hierarchy], str] = enter_scope,
    ) -> None:
        self.notes: list[str] = []
        """What could not be done, a sentence each."""
        hierarchy = hierarchy or detect()
        scope = ""
        self._group: RunGroup | None = None
        self._meter: GroupMeter | TreeMeter
        try:
            scope = enter([os.getpid(), held.pid], held.words, hierarchy)
        except NoScope as error:
            self.notes += [str(error)] if str(error) else []
        try:
            self._group = RunGroup(hierarchy, held.pid)
            self._meter = GroupMeter(self._group.directories, self._group.pids)
        except (NoGroup, GroupGone) as error:
            self.close()
            reason = str(error) if isinstance(error, NoGroup) else "no tree counts for it"
            self.notes.append(f"no control group could be made for the command: {reason}")
            self._meter = TreeMeter(held.pid)
            self.way = "its process tree, which is weaker: what ends between two samples is missed"
            return
        self.notes += self._group.notes
        within = f" in {scope}, a scope of systemd" if scope else ""
        self.way = f"a control group of its own{within}: {sanitize(self._group.name, 1024)}"

    @property
    def is_group(self) -> bool:
        """Whether the command has a group of its own."""
        return self._group is not None

    def begin(self) -> None:
        """Begin to measure, just before the command is released."""
        self._meter.begin()

    def sample(self) -> None:
        """Read once."""
        self._meter.sample()

    def usage(self, resources: resource.struct_rusage | None) -> Usage:
        """Return what was used until the last reading."""
        return self._meter.usage(resources)

    def rest(self) -> list[int]:
        """Return what still runs after the command's end, once what is about to end has ended."""
        deadline = time.monotonic() + _LEAVING_S
        while (pids := self._living()) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return pids

    def kill_rest(self) -> int:
        """End what still runs, at once; return how many processes could not be ended."""
        if self._group is not None:
            return self._group.kill()
        deadline = time.monotonic() + _KILLED_S
        while (pids := self._living()) and time.monotonic() < deadline:
            kill_each(pids, self._tree_pids)
            time.sleep(_POLL_S)
        return len(pids)

    def close(self) -> None:
        """Remove the group; what is left in it goes back to vmtop's own."""
        if self._group is not None:
            if not self._group.close():
                self.notes.append(f"the group {sanitize(self._group.name, 1024)} could not be removed")
            self._group = None

    def _living(self) -> list[int]:
        pids = self._group.pids() if self._group is not None else self._tree_pids()
        stats = [(pid, read_process_stat("/proc", pid)) for pid in pids]
        return [pid for pid, stat in stats if stat is not None and not stat.is_zombie]

    def _tree_pids(self) -> list[int]:
        return self._meter.pids() if isinstance(self._meter, TreeMeter) else []
