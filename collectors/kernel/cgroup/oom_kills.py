"""Kills for lack of memory in the groups below one, where the kernel counts them only where they happened."""

from __future__ import annotations

import os

from collectors.kernel.cgroup import parsers, processes
from collectors.kernel.procfs import read_bytes


class InnerOomKills:
    """Adds up the kills in the groups below one. What was counted stays when a group is removed.

    Source: kernel mm/memcontrol.c: v1's `memory.oom_control` has `oom_kill` of `memory.events_local`.
    """

    def __init__(self, file: str) -> None:
        """Take the path of the group's file with its own kills: `memory.oom_control`, or `memory.events` on v2."""
        self._directory, self._name = os.path.split(file)
        self._counts: dict[str, int] = {}
        self._removed = 0

    def total(self) -> int:
        """Count the kills below the group so far; those of a group that came and went between two calls are missed."""
        counts: dict[str, int] = {}
        _own, *folders = processes.folders(self._directory)
        for folder in folders:
            kills = parsers.oom_kills(read_bytes(f"{folder}/{self._name}") or b"")
            if kills is not None:
                counts[folder] = kills
        for folder, before in self._counts.items():
            if counts.get(folder, -1) < before:
                self._removed += before
        self._counts = counts
        return self._removed + sum(counts.values())
