"""One discovered cgroup: its workload, and its samples."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace

import msgspec

from collectors.kernel import procfs
from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.bpf.quiet import QuietGroups
from collectors.kernel.cgroup import parsers
from collectors.kernel.cgroup.discovery import Cgroup, DiscoveredWorkload
from collectors.kernel.cgroup.fast_files import FastFiles
from collectors.kernel.cgroup.hierarchy import Hierarchy
from collectors.kernel.cgroup.identity import identify, is_settled, state_of
from collectors.kernel.cgroup.limits import Limits
from collectors.kernel.cgroup.networks import NetworkClaims, roles_of_process
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.cgroup.process_io import ProcessIo
from collectors.kernel.cgroup.quiet_folders import QuietFolder
from collectors.kernel.cgroup.slow_files import Depth, SlowFiles, read_machine_process
from collectors.kernel.cgroup.unmeasured import unmeasured_files, unmeasured_network
from collectors.kernel.container_names import Names
from collectors.kernel.network.quiet import HostEnds, NetworkRest
from collectors.kernel.network_edge import NetworkEdge
from collectors.model.workloads import Kind, Sample, State, Unmeasured, Workload, WorkloadId
from collectors.safety.sanitize import sanitize

_SLOW_EVERY = 5
_WHOLE_EVERY = 15
"""Readings after which a slow one includes what cannot have changed in a group that did nothing."""
ANYWAY_EVERY = 60
"""Readings after which everything is read, whatever tells that nothing has changed."""
_NOTES_EVERY = 12
"""Slow readings after which it is noted again what cannot be measured: it changes only when someone changes it."""
_PATIENCE = 3
"""Readings for which a group without processes is withheld, when only a process can show its id."""


@dataclass(slots=True)
class SharedContext:
    """What all groups of one source share."""

    hierarchy: Hierarchy
    proc: str
    limits: Limits
    names: Names
    block_devices: BlockDevices
    host_ends: HostEnds
    host_network: str | None = None
    is_blkio_dead: bool = False
    hugepage_sizes: tuple[str, ...] = ()
    """Sizes of which the host has pages, as the hugetlb controller writes them."""
    networks: NetworkClaims = field(default_factory=NetworkClaims)
    host_table: bytes | None = None
    """The host's table of interfaces as of this reading; `None` until a group needs it."""
    quiet_groups: QuietGroups | None = None
    """What BPF tells of the groups; `None` where it was not asked for."""


class Group:
    """Reads one cgroup. After `GroupGone` it can only be closed."""

    def __init__(self, cgroup: Cgroup, discovered: DiscoveredWorkload, context: SharedContext) -> None:
        """Open the group's files.

        Raises:
            GroupGone: No hierarchy has counters for it.
        """
        self.cgroup = cgroup
        self._discovered = discovered
        self._context = context
        self._directories = find_directories(context.hierarchy, cgroup.path)
        is_machine = discovered.kind is Kind.VM
        self._fast_files = FastFiles(
            self._directories,
            context.block_devices,
            context.is_blkio_dead,
            has_inner_quotas=is_machine,
            quiet_groups=context.quiet_groups,
        )
        self._slow_files = SlowFiles(self._directories, discovered.kind, context.hugepage_sizes)
        self._readings = 0
        # the inode spreads the slow readings of all groups over the ticks
        self._offset = int(self._fast_files.epoch) % ANYWAY_EVERY
        self._slow: Sample | None = None
        self._changes = 0
        """How often the group had done something as of the last slow reading."""
        self._active = 0
        self._most_kept = self._kept = -1
        """How many descriptors it may keep, and keeps; -1: as many as it likes."""
        self._kills: int | None = None
        self.killed = 0
        """OOM kills that no event has reported yet."""
        self._process_io = ProcessIo(lambda: self._directories.all, context.proc) if context.is_blkio_dead else None
        self._approximate: Sample | None = None
        self._forget_network()
        self.is_network_guessed = False
        """Whether the names of its interfaces decide which of them count."""
        self._process = -1
        self._state = State.UNKNOWN
        self._identity = identify(cgroup, self._directories.all, context.proc, context.host_network, context.names)
        self._keep_process()
        self._workload: Workload | None = None
        self._slow_readings = 0
        self._unmeasured: tuple[Unmeasured, ...] = ()

    @property
    def id(self) -> WorkloadId:
        """The workload's id as known now."""
        return self._identity.id

    @property
    def kind(self) -> Kind:
        """What the workload is."""
        return self._discovered.kind

    @property
    def is_settled(self) -> bool:
        """Whether the id is certain, or cannot become more certain."""
        return self._readings >= _PATIENCE or is_settled(self.cgroup, self._identity)

    def close(self) -> None:
        """Close the files."""
        self._fast_files.close()
        self._slow_files.close()
        if self._process_io is not None:
            self._process_io.close()
        self._drop_process()

    def keep(self, most: int) -> int:
        """Keep so many descriptors, of the files that are read most often; return how many are kept."""
        if most != self._most_kept:
            self._most_kept = most
            kept = int(self._process >= 0)
            kept += self._fast_files.keep(most - kept)
            self._kept = kept + self._slow_files.keep(most - kept)
        return self._kept

    def take_activity(self) -> int:
        """Return in how many readings it did something since the last call."""
        before, self._active = self._active, self._fast_files.changes
        return self._active - before

    def read(self, is_thorough: bool = False, folder: QuietFolder | None = None) -> tuple[Sample, ...]:
        """Read the group. The slow sample is repeated, the same object, until there is a new one.

        Args:
            is_thorough: Read everything, and make a new slow sample now.
            folder: What tells of the folder that the group is in, read before; `None` if nothing does.

        Raises:
            GroupGone: It was removed.
        """
        turn = self._readings + self._offset
        is_thorough = is_thorough or turn % ANYWAY_EVERY == 0
        read_network = self._read_network if self._identity.network is not None else None
        sample = self._fast_files.read(read_network, folder, is_thorough)
        slow = self._slow
        if slow is None or is_thorough or self._readings == 1 or turn % _SLOW_EVERY == 0:
            slow = self._slow = self._read_slow(self._depth(turn, is_thorough))
        self._readings += 1
        approximate = (
            None if self._process_io is None else self._read_process_io(self._process_io, sample.at_ns, is_thorough)
        )
        return (sample, slow) if approximate is None else (sample, slow, approximate)

    def _read_process_io(self, process_io: ProcessIo, at_ns: int, is_thorough: bool) -> Sample | None:
        """Add up what the processes read and wrote; without CPU time, nothing. Many processes are read less often."""
        previous, every = self._approximate, process_io.read_every
        if self._readings > 1 and every == 1 and self._fast_files.is_idle:
            return None if previous is None else msgspec.structs.replace(previous, at_ns=at_ns)
        if self._readings > 1 and previous is not None and self._readings % every and not is_thorough:
            return previous
        totals = process_io.read()
        if totals is None:
            return None
        self._approximate = Sample(
            source="process-io",
            at_ns=time.monotonic_ns(),
            epoch=self._fast_files.epoch,
            disk_read_total_bytes=totals[0],
            disk_write_total_bytes=totals[1],
        )
        return self._approximate

    def workload(self, parent: WorkloadId | None) -> Workload:
        """Describe the workload; the same object as long as nothing changed."""
        current, identity = self._workload, self._identity
        if current is not None and (current.parent, current.state, current.id) == (parent, self._state, identity.id):
            return current
        self._workload = Workload(
            id=identity.id,
            kind=self._discovered.kind,
            name=identity.name,
            state=self._state,
            name_is_known=identity.name_is_known,
            image=identity.image,
            project=identity.project,
            is_sandbox=identity.is_sandbox,
            cgroup=sanitize(self.cgroup.path, 1024),
            parent=parent,
            started_at=identity.started_at,
            unmeasured=self._unmeasured,
        )
        return self._workload

    def _depth(self, turn: int, is_thorough: bool) -> Depth:
        """Return how much a slow reading has to include. One that has rested for more than five has had one since."""
        changes, self._changes = self._changes, self._fast_files.changes
        if is_thorough or self._readings <= 1:
            return Depth.WHOLE
        if self._fast_files.rested > _SLOW_EVERY:
            return Depth.STATE
        return Depth.WHOLE if changes != self._changes or turn % _WHOLE_EVERY == 0 else Depth.WAITING

    def _read_slow(self, depth: Depth) -> Sample:
        context = self._context
        if self._slow_files.hugepage_sizes != context.hugepage_sizes:
            self._slow_files.close()
            self._slow_files = SlowFiles(self._directories, self._discovered.kind, context.hugepage_sizes)
            self._most_kept, most = -1, self._most_kept
            if most >= 0:
                self.keep(most)
        self._fast_files.reopen()
        self._slow_files.reopen()
        self._slow_files.read(depth)
        if self._readings and self._is_search_due():
            self._identify_again()
        if self._process_io is not None and depth is Depth.WHOLE and self._slow_files.is_populated is not False:
            self._process_io.find_folders()
        self._state = state_of(self._identity, self._slow_files.is_frozen)
        process = read_machine_process(self._discovered.kind, context.proc, self._identity.pid)
        slow = self._slow_files.sample(context.limits, self._fast_files.epoch, process, self._fast_files.memory_stat)
        self._count_kills(slow.oom_kills_total)
        self._note_unmeasured()
        return slow

    def _note_unmeasured(self) -> None:
        """Note what cannot be measured. The second reading is the first at which every namespace has its owner."""
        context, identity = self._context, self._identity
        if self._slow_readings % _NOTES_EVERY == 1:
            files = unmeasured_files(self._directories, context.is_blkio_dead, identity.pid, context.proc)
            owner = context.networks.owner(identity.network) if identity.network else None
            other = owner if owner != self.cgroup.path else None
            network = unmeasured_network(self._discovered.kind, identity, other, context.host_network, context.proc)
            notes = (*files, network) if network else files
            if notes != self._unmeasured:
                self._unmeasured, self._workload = notes, None
        self._slow_readings += 1

    def _count_kills(self, kills: int | None) -> None:
        if kills is not None and self._kills is not None and kills > self._kills:
            self.killed += kills - self._kills
        self._kills = kills

    def _is_search_due(self) -> bool:
        """Whether to look for the first process: rarely if there has long been none, since it costs a walk."""
        if self._identity.pid is None and self._slow_files.is_populated is False:
            return False
        return self._identity.pid is not None or self._readings < 4 * _SLOW_EVERY or self._readings % 8 == 0

    def _identify_again(self, has_ended: bool = False) -> None:
        """Look for the first process again when it has ended, and for a name as long as none is known."""
        context, previous = self._context, self._identity
        is_named = previous.name_is_known or not context.names.knows(previous.id.id, self.cgroup.path)
        is_named = is_named and context.names.pod(previous.project) == previous.project
        if is_named and not has_ended and self._is_alive():
            return
        self._directories = find_directories(context.hierarchy, self.cgroup.path)
        identity = identify(self.cgroup, self._directories.all, context.proc, context.host_network, context.names)
        if identity.process is None and previous.process is not None:
            identity = previous  # it is ending; its id must not fall back to the scope's
        elif identity.id == previous.id and previous.started_at is not None:
            identity = replace(identity, started_at=previous.started_at)  # a service outlives its first process
        self._drop_process()
        self._identity = identity
        self._workload = None
        self._slow_readings = 0
        self._keep_process()

    def _is_alive(self) -> bool:
        """Whether the first process runs: its open directory is empty once it has ended, even if the pid is reused."""
        if self._process < 0:
            return False
        try:
            os.stat("stat", dir_fd=self._process)
        except OSError:
            return False
        return True

    def _keep_process(self) -> None:
        """Open the first process's directory: its network is read through it, never that of a later process."""
        first = self._identity.process
        if first is None:
            return
        try:
            self._process = os.open(f"{self._context.proc}/{first.pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            self._process = -1
            return
        stat = procfs.parse_process_stat(procfs.read_bytes("stat", self._process))
        if stat is not None and stat.start_ticks != first.start_ticks:  # it has ended, and another one has its pid
            os.close(self._process)
            self._process = -1

    def _drop_process(self) -> None:
        if self._process >= 0:
            os.close(self._process)
            self._process = -1
        self.is_network_guessed = False
        self._forget_network()
        if self._identity.network:
            self._context.networks.release(self._identity.network, self.cgroup.path)

    def _forget_network(self) -> None:
        self._edge = NetworkEdge(self._look_at_network)
        self._rest = NetworkRest(self._context.host_ends, self._find_end)

    def _find_end(self) -> bytes | None:
        """Look for the host's end of the pair into the first process's namespace."""
        return self._context.host_ends.find(self._process)

    def _read_network(self, is_idle: bool) -> parsers.Network | None:
        """Read the interfaces of the first process's namespace; `None` when another group counts them.

        The table is opened for each reading: a kept descriptor would keep the namespace of a stopped container alive.

        Args:
            is_idle: Whether the group has used no CPU time since the last reading.
        """
        if self._process < 0 or not self._claims_network():
            return None
        if self._rest.is_unmoved(is_idle):
            return self._edge.traffic
        text = procfs.read_bytes("net/dev", self._process)
        if text is None:  # the first process has ended: a rate must not wait for the next slow reading
            self._identify_again(has_ended=True)
            if self._process >= 0 and self._claims_network():
                text = procfs.read_bytes("net/dev", self._process)
        if text is None or (not self._identity.network and self._is_hosts(text)):
            return None
        traffic = self._edge.read(text)
        self._rest.note(self._edge.usual)
        return traffic

    def _look_at_network(self) -> dict[bytes, str] | None:
        """Return the roles of the interfaces of the first process's namespace; `None` without the right to enter it."""
        by_name = roles_of_process(self._process, self._directories.all, self._context.proc)
        self.is_network_guessed = by_name is None
        return by_name

    def _claims_network(self) -> bool:
        """Whether the group counts the namespace of its first process."""
        identity = self._identity
        if not identity.network:
            return identity.network is not None
        return self._context.networks.claim(identity.network, identity.started_at or 0.0, self.cgroup.path)

    def _is_hosts(self, table: bytes) -> bool:
        """Whether a table has the host's interfaces: the namespace, although not visible, is then the host's."""
        context = self._context
        if context.host_table is None:
            context.host_table = procfs.read_bytes(f"{context.proc}/1/net/dev") or b""
        return bool(context.host_table) and _interfaces(context.host_table) == _interfaces(table)


def _interfaces(table: bytes) -> set[bytes]:
    """Return the names in a net/dev table."""
    return {line.partition(b":")[0].strip() for line in table.splitlines()[2:]}
