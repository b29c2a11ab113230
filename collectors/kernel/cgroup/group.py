"""One discovered cgroup: who it is, and the samples that it gives."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace

import msgspec

from collectors.kernel import procfs
from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.discovery import Found, Place
from collectors.kernel.cgroup.fast_files import HotFiles
from collectors.kernel.cgroup.hierarchy import Hierarchy
from collectors.kernel.cgroup.identity import Names, identify, is_settled, state_of
from collectors.kernel.cgroup.limits import Limits
from collectors.kernel.cgroup.open_files import find_homes
from collectors.kernel.cgroup.process_io import ProcessIo
from collectors.kernel.cgroup.slow_files import SlowFiles, read_machine_process
from collectors.model.workloads import Kind, Sample, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize

_SLOW_EVERY = 5
_PATIENCE = 3
"""Readings for which a group without processes is kept back, when only a process can tell its id."""


class NetworkClaims:
    """Which group counts a network namespace: the containers of a pod share one, and it counts once."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[float, str]] = {}

    def claim(self, network: str, began: float, path: str) -> bool:
        """Claim a namespace for a group. The group that began first keeps it: a pod's sandbox."""
        bid = (began, path)
        if bid <= self._owners.get(network, bid):
            self._owners[network] = bid
            return True
        return False

    def release(self, network: str, path: str) -> None:
        """Give a namespace up, when the group has gone."""
        if self._owners.get(network, (0.0, ""))[1] == path:
            del self._owners[network]


@dataclass(slots=True)
class SharedContext:
    """What all groups of one source share."""

    hierarchy: Hierarchy
    proc: str
    limits: Limits
    names: Names
    host_network: str | None = None
    is_blkio_dead: bool = False
    hugepage_sizes: tuple[str, ...] = ()
    """Sizes of which the host has pages, as the hugetlb controller writes them."""
    networks: NetworkClaims = field(default_factory=NetworkClaims)
    host_table: bytes | None = None
    """The host's interfaces as of this reading, once someone asked for them."""


class Group:
    """Reads one cgroup. After `GroupGone` it can only be closed."""

    def __init__(self, place: Place, found: Found, around: SharedContext) -> None:
        """Open the group's files.

        Raises:
            GroupGone: No hierarchy has counters of it.
        """
        self.place = place
        self.encloser = place.service if place.service != place.path else None
        """The path of the service that it runs within."""
        self._found = found
        self._around = around
        self._homes = find_homes(around.hierarchy, place.path)
        self._hot = HotFiles(self._homes, around.is_blkio_dead, has_inner_quotas=found.kind is Kind.VM)
        self._seldom = SlowFiles(self._homes, found.kind, around.hugepage_sizes)
        self._readings = 0
        # the inode spreads the groups over the beat
        self._offset = int(self._hot.epoch) % _SLOW_EVERY
        self._slow: Sample | None = None
        self._kills: int | None = None
        self.killed = 0
        """Processes that the kernel killed for lack of memory and that were not told yet."""
        self._process_io = ProcessIo(lambda: self._homes.all, around.proc) if around.is_blkio_dead else None
        self._approximate: Sample | None = None
        self._table: bytes | None = None
        self._network: parsers.Network | None = None
        """What the table of interfaces was read as."""
        self._process = -1
        self._state = State.UNKNOWN
        self._identity = identify(place, self._homes.all, around.proc, around.host_network, around.names)
        self._keep_process()
        self._workload: Workload | None = None

    @property
    def id(self) -> WorkloadId:
        """The workload's id as known now."""
        return self._identity.id

    @property
    def is_settled(self) -> bool:
        """Whether the id is certain, or will not become so."""
        return self._readings >= _PATIENCE or is_settled(self.place, self._identity)

    def close(self) -> None:
        """Close the files."""
        self._hot.close()
        self._seldom.close()
        if self._process_io is not None:
            self._process_io.close()
        self._drop_process()

    def read(self) -> tuple[Sample, ...]:
        """Read the group. The slow sample is repeated, the same object, until there is a new one.

        Raises:
            GroupGone: It was removed.
        """
        sample = self._hot.read(self._read_network() if self._identity.network is not None else None)
        slow = self._slow
        if slow is None or self._readings == 1 or (self._readings + self._offset) % _SLOW_EVERY == 0:
            slow = self._slow = self._read_slow()
        self._readings += 1
        approximate = None if self._process_io is None else self._read_process_io(self._process_io, sample.at_ns)
        return (sample, slow) if approximate is None else (sample, slow, approximate)

    def _read_process_io(self, process_io: ProcessIo, at_ns: int) -> Sample | None:
        """Add up what the processes read and wrote; without CPU time they did neither. Very many are asked seldom."""
        known, beat = self._approximate, process_io.beat
        if self._readings > 1 and beat == 1 and self._hot.is_idle:
            return None if known is None else msgspec.structs.replace(known, at_ns=at_ns)
        if self._readings > 1 and known is not None and self._readings % beat:
            return known
        counted = process_io.read()
        if counted is None:
            return None
        self._approximate = Sample(
            source="process-io",
            at_ns=time.monotonic_ns(),
            epoch=self._hot.epoch,
            disk_read_total_bytes=counted[0],
            disk_write_total_bytes=counted[1],
        )
        return self._approximate

    def workload(self, parent: WorkloadId | None) -> Workload:
        """Describe the workload; the same object as long as nothing changed."""
        known, who = self._workload, self._identity
        if known is not None and known.parent == parent and known.state is self._state and known.id == who.id:
            return known
        self._workload = Workload(
            id=who.id,
            kind=self._found.kind,
            name=who.name,
            state=self._state,
            name_is_known=who.name_is_known,
            project=who.project,
            cgroup=sanitize(self.place.path, 1024),
            parent=parent,
            started_at=who.started_at,
        )
        return self._workload

    def _read_slow(self) -> Sample:
        around = self._around
        if self._seldom.hugepage_sizes != around.hugepage_sizes:
            self._seldom.close()
            self._seldom = SlowFiles(self._homes, self._found.kind, around.hugepage_sizes)
        self._hot.reopen()
        self._seldom.reopen()
        self._seldom.read()
        if self._readings and self._is_search_due():
            self._identify_again()
        if self._process_io is not None and self._seldom.is_populated is not False:
            self._process_io.find_folders()
        self._state = state_of(self._identity, self._seldom.is_frozen)
        process = read_machine_process(self._found.kind, around.proc, self._pid)
        slow = self._seldom.sample(around.limits, self._hot.epoch, process, self._hot.memory_stat)
        self._count_kills(slow.oom_kills_total)
        return slow

    def _count_kills(self, kills: int | None) -> None:
        if kills is not None and self._kills is not None and kills > self._kills:
            self.killed += kills - self._kills
        self._kills = kills

    @property
    def _pid(self) -> int | None:
        return self._identity.pid

    def _is_search_due(self) -> bool:
        """Whether to look for the first process: seldom where there has long been none, since it costs a walk."""
        if self._pid is None and self._seldom.is_populated is False:
            return False
        return self._pid is not None or self._readings < 4 * _SLOW_EVERY or self._readings % 8 == 0

    def _identify_again(self) -> None:
        """Look for the first process again when it has ended, and for a name as long as none is known."""
        around, known = self._around, self._identity
        if self._is_alive() and (known.name_is_known or around.names.find(known.id.id) is None):
            return
        self._homes = find_homes(around.hierarchy, self.place.path)
        who = identify(self.place, self._homes.all, around.proc, around.host_network, around.names)
        if who.pid is None and known.pid is not None:
            who = known  # it is ending; its id must not fall back to the scope's
        elif who.id == known.id and known.started_at is not None:
            who = replace(who, started_at=known.started_at)  # a service outlives its first process
        self._drop_process()
        self._identity = who
        self._workload = None
        self._keep_process()

    def _is_alive(self) -> bool:
        """Whether the first process still is: its kept directory is empty once it has ended, whoever has its pid."""
        if self._process < 0:
            return False
        try:
            os.stat("stat", dir_fd=self._process)
        except OSError:
            return False
        return True

    def _keep_process(self) -> None:
        """Keep the first process's directory: its network is read through it, never that of a later process."""
        if self._pid is None:
            return
        try:
            self._process = os.open(f"{self._around.proc}/{self._pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            self._process = -1

    def _drop_process(self) -> None:
        if self._process >= 0:
            os.close(self._process)
            self._process = -1
        if self._identity.network:
            self._around.networks.release(self._identity.network, self.place.path)

    def _read_network(self) -> parsers.Network | None:
        """Read the interfaces of the first process's namespace; `None` when another group counts them.

        The table is opened for each reading: a kept descriptor would keep the namespace of a stopped container alive.
        """
        who = self._identity
        if self._process < 0 or who.network is None:
            return None
        if who.network and not self._around.networks.claim(who.network, who.started_at or 0.0, self.place.path):
            return None
        text = procfs.read_bytes("net/dev", self._process)
        if text is None or (not who.network and self._is_hosts(text)):
            return None
        if text != self._table:
            self._table, self._network = text, parsers.network(text)
        return self._network

    def _is_hosts(self, table: bytes) -> bool:
        """Whether a table has the host's interfaces: then, hidden as it is, it is the host's own."""
        around = self._around
        if around.host_table is None:
            around.host_table = procfs.read_bytes(f"{around.proc}/1/net/dev") or b""
        return bool(around.host_table) and _interfaces(around.host_table) == _interfaces(table)


def _interfaces(table: bytes) -> set[bytes]:
    """Return the names in a net/dev table."""
    return {line.partition(b":")[0].strip() for line in table.splitlines()[2:]}
