"""Kills for lack of memory below a group, which cgroup v1 counts only in the group where they happened."""

from __future__ import annotations

from collectors.kernel.cgroup import parsers, processes
from collectors.kernel.procfs import read_bytes


class InnerOomKills:
    """Adds up the kills in the groups below one of v1's memory tree. What was counted stays when a group is removed.

    Source: kernel mm/memcontrol.c, mem_cgroup_oom_control_read: `oom_kill` is that of `memory.events_local`.
    """

    def __init__(self, directory: str) -> None:
        """Take the group's directory."""
        self._directory = directory
        self._counts: dict[str, int] = {}
        self._removed = 0

    def total(self) -> int:
        """Count the kills below the group so far; those of a group that came and went between two calls are missed."""
        counts: dict[str, int] = {}
        _own, *folders = processes.folders(self._directory)
        for folder in folders:
            kills = parsers.oom_kills(read_bytes(f"{folder}/memory.oom_control") or b"")
            if kills is not None:
                counts[folder] = kills
        for folder, before in self._counts.items():
            if counts.get(folder, -1) < before:
                self._removed += before
        self._counts = counts
        return self._removed + sum(counts.values())
