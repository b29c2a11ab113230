"""The source of all workloads with a cgroup: containers, virtual machines and services, without any engine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.bpf.quiet import QuietGroups
from collectors.kernel.cgroup.descriptor_shares import ALL, DescriptorShares
from collectors.kernel.cgroup.discovery import Cgroup
from collectors.kernel.cgroup.group import Group, SharedContext
from collectors.kernel.cgroup.hierarchy import Hierarchy, Mode, detect
from collectors.kernel.cgroup.identity import is_machine
from collectors.kernel.cgroup.limits import Limits
from collectors.kernel.cgroup.nested_containers import is_started_outside
from collectors.kernel.cgroup.open_files import GroupGone, find_directories, raise_file_limit
from collectors.kernel.cgroup.process_io import is_blkio_dead
from collectors.kernel.cgroup.processes import host_network_namespace
from collectors.kernel.cgroup.quiet_folders import QuietFolders
from collectors.kernel.cgroup.tree import Tree
from collectors.kernel.cgroup.visibility import blind_spots, with_files_only, with_guessed_networks
from collectors.kernel.container_names import Names
from collectors.kernel.hugepages import read_pools
from collectors.kernel.network.quiet import HostEnds
from collectors.kernel.vmm.join import join_machines
from collectors.kernel.vmm.machines import Machines
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Event, Kind, Sample, Workload, WorkloadId
from collectors.sampling.source import SourceReading

_REFRESH_EVERY = 5
"""Readings after which limits, names and hugepages are read, and groups that could not be opened tried, again."""
_DEVICES_EVERY = 60
"""Readings after which block devices are looked at again: a number may come back as another device."""
_USERS = "/user.slice/"
_TRIES = 3
"""Consecutive readings that try to open a group: an engine creates its directories one by one, or again."""


class CgroupSource:
    """Reads all cgroups below a root."""

    name = "cgroup"
    interval_s = 0.0
    holds_tick = True
    is_authority = False
    replace_after_s: float | None = None
    is_near = True

    def __init__(
        self,
        root: str = "/sys/fs/cgroup",
        proc: str = "/proc",
        sys: str = "/sys",
        hierarchy: Hierarchy | None = None,
        names: Names | None = None,
        has_bpf: bool = False,
    ) -> None:
        """Take the paths of cgroupfs, procfs and sysfs; the hierarchy is detected unless given.

        With `has_bpf`, a BPF program tells which groups need not be read, where there is a v2 tree and it can be
        loaded.
        """
        self._root = root
        self._proc = proc
        self._sys = sys
        self._preset = hierarchy
        self._has_bpf = has_bpf
        self._names = names or Names()
        self._hierarchy = Hierarchy(Mode.NONE)
        self._tree = Tree(())
        self._machines: Machines | None = None
        self._context: SharedContext | None = None
        self._groups: dict[str, Group] = {}
        self._unreadable: dict[str, int] = {}
        """Path -> how often the group could not be opened."""
        self._parts: set[str] = set()
        """Paths that look like containers and are part of what is around them, such as those of an engine that runs
        inside another container."""
        self._folders = QuietFolders(self._hierarchy)
        self._shares = DescriptorShares()
        self._readings = 0
        self._is_thorough = False
        self._blind_spots = ("", "", "")

    def open(self, wake: Callable[[], None]) -> None:
        """Find the hierarchies.

        Raises:
            SourceAbsent: No cgroup file system is mounted.
        """
        self._hierarchy = self._preset or detect(self._root, self._proc)
        if self._hierarchy.mode is Mode.NONE:
            raise SourceAbsent(f"no cgroup file system is mounted below {self._root}")
        raise_file_limit()
        blkio = self._hierarchy.v1("blkio")
        self._names.refresh()
        host_network = host_network_namespace(self._proc)
        unified = self._hierarchy.v2 if self._has_bpf else None
        self._context = SharedContext(
            hierarchy=self._hierarchy,
            proc=self._proc,
            limits=Limits(self._hierarchy, self._sys),
            names=self._names,
            block_devices=BlockDevices(self._sys, self._proc),
            host_ends=HostEnds(self._proc, host_network),
            host_network=host_network,
            is_blkio_dead=blkio is not None and is_blkio_dead(blkio, self._proc, self._sys),
            quiet_groups=QuietGroups(unified, self._hierarchy.v1("memory")) if unified is not None else None,
        )
        self._tree = Tree(self._hierarchy.walked, self._proc)
        self._folders = QuietFolders(self._hierarchy)
        self._machines = Machines(self._hierarchy, self._proc, self._sys)
        self._blind_spots = blind_spots(self._hierarchy, self._context.is_blkio_dead, self._proc)

    def read_all_next(self) -> None:
        """Have the next reading include what is otherwise read less often. Callable from any thread."""
        self._is_thorough = True

    def read(self) -> SourceReading:
        """Look for new groups and read all. A group that vanishes in between is left out."""
        if self._readings % _REFRESH_EVERY == 0 and self._context is not None:
            self._context.limits.refresh()
            self._context.hugepage_sizes = tuple(pool.size for pool in read_pools(self._sys))
            self._names.refresh()
            self._unreadable = dict.fromkeys(self._unreadable, _TRIES - 1)
        if self._readings % _DEVICES_EVERY == 0 and self._context is not None and self._readings:
            self._context.block_devices.refresh()
        if self._context is not None:
            self._context.host_table = None
            self._context.host_ends.refresh()
        self._readings += 1
        self._follow_tree()
        if self._context is not None and self._context.quiet_groups is not None:
            self._context.quiet_groups.refresh()
        workloads: dict[WorkloadId, Workload] = {}
        samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        events: list[Event] = []
        is_network_guessed = False
        for group, group_samples in self._read_groups():
            identity = group.id
            encloser = group.cgroup.encloser
            enclosing = self._groups.get(encloser) if encloser is not None else None
            workload = group.workload(enclosing.id if enclosing else None)
            if identity in workloads and not _outranks(workload, workloads[identity]):
                continue
            workloads[identity] = workload
            samples[identity] = group_samples
            is_network_guessed = is_network_guessed or group.is_network_guessed
            if group.killed:
                events.append(_oom_event(workload, group))
        if self._machines is not None:
            by_path = {path: group.id for path, group in self._groups.items()}
            join_machines(workloads, samples, self._machines.read(), by_path)
        unseen, remedy = with_guessed_networks(*self._blind_spots[1:]) if is_network_guessed else self._blind_spots[1:]
        unseen, remedy = with_files_only(unseen, remedy, self._bpf_problem())
        return SourceReading(
            workloads=workloads,
            samples=samples,
            events=tuple(events),
            detail=self._detail(),
            unseen=unseen,
            remedy=remedy,
            facts={"cgroup": str(self._hierarchy.mode)},
        )

    def _detail(self) -> str:
        """Return the mode of the hierarchy, whether BPF is in use, and what of it cannot be seen."""
        bpf = "" if not self._has_bpf else "no BPF" if self._bpf_problem() else "BPF"
        return ", ".join(filter(None, (self._hierarchy.mode, bpf, self._blind_spots[0])))

    def _bpf_problem(self) -> str:
        """Return why BPF is not used although it was asked for; empty otherwise."""
        if not self._has_bpf or self._context is None:
            return ""
        quiet_groups = self._context.quiet_groups
        return "there is no tree of cgroup v2" if quiet_groups is None else quiet_groups.problem

    def close(self) -> None:
        """Close every file."""
        for group in self._groups.values():
            group.close()
        if self._machines is not None:
            self._machines.close()
        self._folders.close()
        if self._context is not None and self._context.quiet_groups is not None:
            self._context.quiet_groups.close()
        self._groups.clear()
        self._unreadable.clear()
        self._parts.clear()

    def _follow_tree(self) -> None:
        """Open new groups and close removed ones."""
        self._tree.update()
        cgroups, changed = self._with_machines(self._tree.cgroups)
        for path in (self._groups.keys() - cgroups.keys()) | (self._groups.keys() & changed):
            self._groups.pop(path).close()
        for path in self._unreadable.keys() - cgroups.keys():
            del self._unreadable[path]
        self._parts &= cgroups.keys()
        new = cgroups.keys() - self._groups.keys() - self._parts
        self._shares.adapt(self._groups.values(), len(new))
        for path in new:
            if self._unreadable.get(path, 0) < _TRIES:
                self._open_group(cgroups[path])

    def _with_machines(self, cgroups: dict[str, Cgroup]) -> tuple[dict[str, Cgroup], set[str]]:
        """Return the cgroups, with those as machines in which only a VMM runs, and the paths of which that changed."""
        if self._machines is None:
            return cgroups, set()
        changed = self._machines.follow(cgroups, self._machine_ids)
        for path in self._machines.folders & cgroups.keys():
            self._tree.add_folder(path)
            cgroups = self._tree.cgroups
        adopted = self._machines.adopted
        return ({**cgroups, **adopted} if adopted else cgroups), changed

    def _machine_ids(self) -> set[WorkloadId]:
        """Return the ids of the machines that their path identifies: no other process may claim them."""
        adopted = self._machines.adopted if self._machines is not None else {}
        groups = (group for path, group in self._groups.items() if path not in adopted)
        return {group.id for group in groups if group.kind is Kind.VM}

    def _open_group(self, cgroup: Cgroup) -> None:
        if cgroup.workload is None or self._context is None or not self._is_of_host(cgroup, self._context):
            return
        try:
            self._groups[cgroup.path] = group = Group(cgroup, cgroup.workload, self._context)
        except GroupGone:
            # Leftovers in a hierarchy without counters are common on v1.
            self._unreadable[cgroup.path] = self._unreadable.get(cgroup.path, 0) + 1
            self._tree.invalidate(cgroup.path)
        else:
            if self._shares.share < ALL:
                group.keep(self._shares.share)

    def _is_of_host(self, cgroup: Cgroup, context: SharedContext) -> bool:
        """Whether a cgroup is a workload of this host, and not a part of what is around it."""
        if not cgroup.is_nested and not cgroup.is_payload:
            return True
        directories = find_directories(context.hierarchy, cgroup.path).all
        if cgroup.is_nested:
            is_of_host = is_started_outside(context.proc, directories, cgroup.encloser or "")
        else:
            is_of_host = is_machine(context.proc, directories)
        if is_of_host is None:  # it has no process yet
            self._unreadable[cgroup.path] = self._unreadable.get(cgroup.path, 0) + 1
        elif not is_of_host:
            self._parts.add(cgroup.path)
        return bool(is_of_host)

    def _read_groups(self) -> list[tuple[Group, tuple[Sample, ...]]]:
        """Read all groups; return those whose id is certain."""
        readings: list[tuple[Group, tuple[Sample, ...]]] = []
        is_thorough, self._is_thorough = self._is_thorough, False
        folder_of = self._folders.read(self._groups.keys())
        for path, group in tuple(self._groups.items()):
            try:
                samples = group.read(is_thorough, folder_of.get(path))
            except GroupGone:
                self._groups.pop(path).close()
                self._tree.invalidate(path)
                continue
            if group.is_settled:
                readings.append((group, samples))
        return readings


def _outranks(workload: Workload, rival: Workload) -> bool:
    """Return whether a workload, rather than its rival, is the one that both their cgroups are named after.

    Users can create cgroups of any name in their own slices, and containers with enough rights below their own cgroup.
    """
    return _rank(workload) < _rank(rival)


def _rank(workload: Workload) -> tuple[bool, int, float]:
    path = workload.cgroup or ""
    return path.startswith(_USERS), path.count("/"), workload.started_at or math.inf


def _oom_event(workload: Workload, group: Group) -> Event:
    """Return the event of the kernel's kills in a workload since the last such event, and reset their count."""
    count, group.killed = group.killed, 0
    detail = f"{count} process{'es' if count > 1 else ''} OOM killed"
    return Event(time.time(), workload.id, "oom", detail, workload.name)
