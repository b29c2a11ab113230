"""The source of every workload that has a cgroup: containers, virtual machines and services, without any engine."""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.model import Event, Sample, Workload, WorkloadId
from collectors.sources.base import SourceAbsent, SourceReading
from collectors.sources.cgroup.blind_spots import blind_spots
from collectors.sources.cgroup.discovery import Place
from collectors.sources.cgroup.files import GroupGone, raise_file_limit
from collectors.sources.cgroup.group import Group, Surroundings
from collectors.sources.cgroup.hierarchy import Hierarchy, Mode, detect
from collectors.sources.cgroup.identity import Names
from collectors.sources.cgroup.limits import Limits, host_memory_bytes, online_cpus
from collectors.sources.cgroup.process_io import is_blkio_dead
from collectors.sources.cgroup.processes import host_network_namespace
from collectors.sources.cgroup.tree import Tree

_REFRESH_EVERY = 5
"""Readings after which limits and names are read anew, and groups that could not be opened are tried again."""


class CgroupSource:
    """Reads all cgroups below a root."""

    name = "cgroup"
    interval_s = 0.0
    holds_tick = True
    is_authority = False
    replace_after_s: float | None = None

    def __init__(
        self,
        root: str = "/sys/fs/cgroup",
        proc: str = "/proc",
        hierarchy: Hierarchy | None = None,
        names: Names | None = None,
    ) -> None:
        """Take the places of cgroupfs and procfs; the hierarchy is detected unless given."""
        self._root = root
        self._proc = proc
        self._given = hierarchy
        self._names = names or Names()
        self._hierarchy = Hierarchy(Mode.NONE)
        self._tree = Tree(())
        self._around: Surroundings | None = None
        self._groups: dict[str, Group] = {}
        self._unreadable: set[str] = set()
        self._kills: dict[WorkloadId, tuple[str, int]] = {}
        self._readings = 0
        self._blind = ("", "", "")

    def open(self, wake: Callable[[], None]) -> None:
        """Find the hierarchies.

        Raises:
            SourceAbsent: No cgroup file system is mounted.
        """
        self._hierarchy = self._given or detect(self._root, self._proc)
        if self._hierarchy.mode is Mode.NONE:
            raise SourceAbsent(f"no cgroup file system is mounted below {self._root}")
        raise_file_limit()
        blkio = self._hierarchy.v1("blkio")
        self._names.refresh()
        self._around = Surroundings(
            hierarchy=self._hierarchy,
            proc=self._proc,
            limits=Limits(self._hierarchy, online_cpus(), host_memory_bytes(self._proc)),
            names=self._names,
            host_network=host_network_namespace(self._proc),
            is_blkio_dead=blkio is not None and is_blkio_dead(blkio, self._proc),
        )
        self._tree = Tree(self._hierarchy.walked)
        self._blind = blind_spots(self._hierarchy, self._around.is_blkio_dead, self._proc)

    def read(self) -> SourceReading:
        """Look for new groups and read all. A group that vanishes in between is simply not there."""
        if self._readings % _REFRESH_EVERY == 0 and self._around is not None:
            self._around.limits.refresh()
            self._names.refresh()
            self._unreadable.clear()
        self._readings += 1
        self._follow_tree()
        samples = self._read_groups()
        workloads = self._describe(samples)
        kept = {group.id: samples[path] for path, group in self._groups.items() if path in samples}
        return SourceReading(
            workloads=workloads,
            samples={identity: kept[identity] for identity in workloads},
            events=self._oom_events(workloads, kept),
            detail=self._detail(),
            unseen=self._blind[1],
            remedy=self._blind[2],
            facts={"cgroup": str(self._hierarchy.mode)},
        )

    def _detail(self) -> str:
        """Say which hierarchy it is, and what of it cannot be seen."""
        words = self._blind[0]
        return f"{self._hierarchy.mode}, {words}" if words else str(self._hierarchy.mode)

    def close(self) -> None:
        """Let go of every file."""
        for group in self._groups.values():
            group.close()
        self._groups.clear()
        self._unreadable.clear()

    def _follow_tree(self) -> None:
        """Open the groups that came and close those that went."""
        self._tree.update()
        places = self._tree.places
        for path in self._groups.keys() - places.keys():
            self._groups.pop(path).close()
        for path in places.keys() - self._groups.keys() - self._unreadable:
            self._open_group(places[path])

    def _open_group(self, place: Place) -> None:
        if place.found is None or self._around is None:
            return
        try:
            self._groups[place.path] = Group(place, place.found, self._around)
        except GroupGone:
            # Leftovers in a hierarchy without counters are common on v1.
            self._unreadable.add(place.path)
            self._tree.invalidate(place.path)

    def _read_groups(self) -> dict[str, tuple[Sample, ...]]:
        samples: dict[str, tuple[Sample, ...]] = {}
        for path, group in tuple(self._groups.items()):
            try:
                taken = group.read()
            except GroupGone:
                self._groups.pop(path).close()
                self._tree.invalidate(path)
                continue
            if group.is_settled:
                samples[path] = taken
        return samples

    def _describe(self, samples: dict[str, tuple[Sample, ...]]) -> dict[WorkloadId, Workload]:
        workloads: dict[WorkloadId, Workload] = {}
        for path in samples:
            group = self._groups[path]
            service = group.place.service
            enclosing = self._groups.get(service) if service is not None and service != path else None
            workloads[group.id] = group.workload(enclosing.id if enclosing else None)
        return workloads

    def _oom_events(
        self, workloads: dict[WorkloadId, Workload], samples: dict[WorkloadId, tuple[Sample, ...]]
    ) -> tuple[Event, ...]:
        """Tell of workloads in which the kernel killed since the reading before."""
        kills: dict[WorkloadId, tuple[str, int]] = {}
        events: list[Event] = []
        for identity, taken in samples.items():
            slow = taken[1]
            if slow.oom_kills_total is None:
                continue
            kills[identity] = (slow.epoch, slow.oom_kills_total)
            epoch, before = self._kills.get(identity, kills[identity])
            if epoch == slow.epoch and slow.oom_kills_total > before and identity in workloads:
                count = slow.oom_kills_total - before
                detail = f"{count} process{'es' if count > 1 else ''} killed for lack of memory"
                events.append(Event(time.time(), identity, "oom", detail, workloads[identity].name))
        self._kills = kills
        return tuple(events)
