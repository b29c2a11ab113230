"""The basic types of vmtop: workloads, samples, frames, events and the states of sources.

Everything here is plain data. Nothing here reads a system, derives a rate or formats text, and no other
module of the package is imported. A missing value is `None`, never zero.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec


class Kind(StrEnum):
    """What a workload is."""

    VM = "vm"
    CONTAINER = "container"
    SERVICE = "service"
    """A systemd unit or any other top-level cgroup."""
    HOST = "host"


KINDS_BY_NAME = {
    "vm": Kind.VM,
    "container": Kind.CONTAINER,
    "service": Kind.SERVICE,
    "ct": Kind.CONTAINER,
    "svc": Kind.SERVICE,
    "host": Kind.HOST,
}
"""The kinds of workloads by every name that users can write; the table of workloads shows the short ones."""


class State(StrEnum):
    """The state of a workload, in the terms of the engines."""

    RUNNING = "running"
    PAUSED = "paused"
    STARTING = "starting"
    STOPPING = "stopping"
    RESTARTING = "restarting"
    STOPPED = "stopped"
    CREATED = "created"
    CRASHED = "crashed"
    SUSPENDED = "suspended"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"

    @property
    def is_active(self) -> bool:
        """Whether the workload holds memory and can use CPU: true for every state but stopped, created and crashed."""
        return self in ACTIVE


ACTIVE = frozenset(State) - {State.STOPPED, State.CREATED, State.CRASHED}


PAUSING_FAULTS = frozenset({"I/O error", "watchdog", "guest crashed", "post-copy migration failed", "API error"})
"""The `Workload.state_reason` of workloads that were paused by a fault."""


class WorkloadId(NamedTuple):
    """Identifies a workload for as long as it exists.

    The id is the engine's own: 64 hex digits for a container, the UUID of a domain, the cgroup path of a service.
    Clones and services have the same one on several hosts, which the host tells apart.
    """

    engine: str
    id: str
    host: str = ""
    """The name by which vmtop knows the other host that it is on; empty on the host that vmtop runs on."""

    @property
    def short(self) -> str:
        """The first 12 characters of a 64-digit id; other ids whole."""
        return self.id[:12] if len(self.id) == 64 else self.id

    def named(self, name: str) -> str:
        """Return a workload's name as it is typed: with its host before it, if that is another one."""
        return f"{self.host}/{name}" if self.host else name


LOCAL_HOST = "local"
"""What the host that vmtop runs on is called among others, which have names of their own."""


class Unmeasured(NamedTuple):
    """Something that a source cannot measure of a workload for as long as the workload stays as it is."""

    topic: str
    """What is missing, a key of `analysis.empty_cells.TOPICS`."""
    cause: str
    """Why, a key of `analysis.empty_cells.CAUSES`; unknown ones, of a later version, are ignored."""
    detail: str = ""
    """What the cause's sentence names: a controller, a file, or the id of another workload; inert."""


class Workload(msgspec.Struct, frozen=True, gc=False):
    """Identity and facts of one workload. Facts that a source cannot know are `None` or empty."""

    id: WorkloadId
    kind: Kind
    name: str
    """The text to show, already sanitized (see `safety.sanitize`)."""
    state: State = State.UNKNOWN
    name_is_known: bool = True
    """False when the name is only a shortened id, because no engine could be asked."""
    image: str | None = None
    """A container's image; a domain's title."""
    description: str | None = None
    project: str | None = None
    """Compose project, pod or slice: what the tree groups by."""
    health: str | None = None
    """`healthy`, `unhealthy`, `starting`; `None` without a health check."""
    ports: str | None = None
    """Published ports as `*:8080→80/tcp` (address:host→inside; `*` is every address), then the others as `5432/tcp`."""
    addresses: tuple[str, ...] = ()
    """Its own IP addresses, those of IPv4 first."""
    restarts: int | None = None
    """How often its engine has started it again by itself."""
    cgroup: str | None = None
    """Path below the cgroup root, with a leading slash."""
    parent: WorkloadId | None = None
    """The workload whose cgroup encloses this one; its counters include these."""
    endpoint: str = ""
    """Where a remote engine is; empty for workloads of the host whose vmtop reads them."""
    started_at: float | None = None
    """Wall time in seconds since 1970."""
    exit_code: int | None = None
    """That of its last run; `None` while it runs, and for machines."""
    labels: tuple[tuple[str, str], ...] = ()
    is_listed: bool | None = None
    """Whether an engine that vmtop asks lists it. False: all that could do so answer, and none does. `None`: at least
    one does not answer, or none is asked."""
    state_reason: str | None = None
    """Why it is in its state, in the engine's terms, such as `I/O error`, `out of memory` or `exit code 3`; inert.
    `None` where nothing but its state is known."""
    unmeasured: tuple[Unmeasured, ...] = ()
    """What its sources cannot measure, and why."""
    is_sandbox: bool = False
    """Whether it only holds what the members of its pod share, such as their network: it has no row, and its numbers
    are part of the pod's, which is its `project`."""

    @property
    def is_faulted(self) -> bool:
        """Whether a fault paused it, not a user: resuming does not help until the fault is repaired."""
        return self.state is State.PAUSED and self.state_reason in PAUSING_FAULTS

    @property
    def is_here(self) -> bool:
        """Whether it is on the host that vmtop runs on: only then may this kernel's files be read for it."""
        return not self.endpoint and not self.id.host

    @property
    def host_name(self) -> str:
        """The host that it is on, as the table and filters name it: with a remote engine, where that is."""
        return self.id.host or self.endpoint or LOCAL_HOST

    @property
    def typed_name(self) -> str:
        """Its name as it is typed on the command line: with its host before it, if that is another one."""
        return self.id.named(self.name)

    @property
    def is_host(self) -> bool:
        """Whether it is a host that a vmtop runs on, this one or another, not one that a remote engine reports."""
        return self.kind is Kind.HOST and not self.endpoint

    @property
    def short_id(self) -> str:
        """The first 12 characters of a 64-digit id; other ids whole."""
        return self.id.short


class Sample(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One source's raw reading of one workload at one instant.

    Fields ending in `_total` only grow while the epoch stays the same; the others are gauges. Sizes are bytes,
    times nanoseconds unless the name says otherwise. `None` means the source does not supply the value.
    """

    source: str
    """The reader that made it: `host`, `cgroup`, `cgroup-slow`, `process-io`, `vmm-process`, `vmm`, `libvirt`,
    `docker-stats`, `vsphere`, `demo`."""
    at_ns: int
    """`time.monotonic_ns()` just after the read (the middle of a remote call)."""
    epoch: str = ""
    """Identity of the counters' owner (cgroup inode, domain id, start time). A difference forbids a delta."""

    cpu_total_ns: int | None = None
    cpu_user_total_ns: int | None = None
    cpu_system_total_ns: int | None = None
    cpu_periods_total: int | None = None
    cpu_throttled_periods_total: int | None = None
    cpu_throttled_total_ns: int | None = None
    cpu_limit_cores: float | None = None
    """The most cores it may use: quotas of it and its ancestors, its cpuset and the online CPUs; a domain's vCPUs."""
    cpu_stall_total_ns: int | None = None
    """PSI `some` of CPU: time during which at least one task waited for a CPU."""
    cpu_stall_full_total_ns: int | None = None
    """PSI `full` of CPU: time during which no task ran and at least one waited. Of a host it is always 0, and `None`
    here. `None` before Linux 5.13."""
    memory_stall_total_ns: int | None = None
    memory_stall_full_total_ns: int | None = None
    io_stall_total_ns: int | None = None
    io_stall_full_total_ns: int | None = None

    memory_charged_bytes: int | None = None
    """All memory that the kernel charges to it, page cache included."""
    memory_inactive_file_bytes: int | None = None
    """Page cache that the kernel would drop first."""
    memory_unreclaimable_bytes: int | None = None
    """What would be left if the kernel dropped all that it can read again or make again: caches of files, names and
    inodes. On a host: MemTotal less MemAvailable."""
    memory_limit_bytes: int | None = None
    """The lowest of its own limits and its ancestors'; a domain's balloon target. May be more than the host has."""
    memory_maximum_bytes: int | None = None
    """The most memory a domain may be given."""
    memory_peak_bytes: int | None = None
    memory_swap_bytes: int | None = None
    memory_zswap_bytes: int | None = None
    """What its compressed swap takes of its charged memory."""
    memory_shmem_bytes: int | None = None
    """Of its charged memory, what is shared memory and tmpfs: it cannot be dropped as page cache can."""
    memory_hugetlb_bytes: int | None = None
    """Hugepages that it holds in addition to its charged or resident memory."""
    memory_high_total: int | None = None
    """How often processes were slowed down because it had reached `memory.high`."""
    memory_rss_bytes: int | None = None
    """Resident size of the process that runs a domain."""
    memory_available_bytes: int | None = None
    """On a host: MemAvailable, and what the cache of ZFS would give back. In a domain: the guest's MemTotal, by its
    balloon driver."""
    memory_usable_bytes: int | None = None
    """The guest's MemAvailable, by its balloon driver."""
    memory_report_age_s: float | None = None
    """Age of the guest's own report when it was read, in seconds."""
    oom_kills_total: int | None = None

    disk_read_total_bytes: int | None = None
    """Host side: what reached the block layer of this host."""
    disk_write_total_bytes: int | None = None
    disk_reads_total: int | None = None
    disk_writes_total: int | None = None
    guest_disk_read_total_bytes: int | None = None
    """Guest side: what the domain asked of its virtual disks."""
    guest_disk_write_total_bytes: int | None = None
    guest_disk_reads_total: int | None = None
    guest_disk_writes_total: int | None = None
    guest_disk_read_time_total_ns: int | None = None
    guest_disk_write_time_total_ns: int | None = None

    net_rx_total_bytes: int | None = None
    """Bytes received, as the workload sees it."""
    net_tx_total_bytes: int | None = None
    net_rx_packets_total: int | None = None
    net_tx_packets_total: int | None = None
    net_drops_total: int | None = None

    pids: int | None = None
    pids_limit: int | None = None
    vcpus: int | None = None
    vcpu_total_ns: int | None = None
    """Time spent by all virtual CPUs together."""
    steal_total_ns: int | None = None
    """Time the virtual CPUs were ready to run and had to wait for a host CPU."""
    load_1m: float | None = None


AVERAGED = {"vsphere": 20.0}
"""Values of `Sample.source` whose counters are made of averages, with the seconds of each average: the counters begin
when the source first sees a workload, not with the workload, and a sample is older than others by nature."""


class Availability(StrEnum):
    """Whether a source can be read."""

    OK = "ok"
    WAITING = "waiting"
    """It has been asked and has not answered yet: it is not known to be down, and may only be slow."""
    STALE = "stale"
    """It answered before and does not answer now: its numbers are old."""
    DENIED = "denied"
    ABSENT = "absent"
    """This host has no such system."""
    DOWN = "down"


class SourceState(msgspec.Struct, frozen=True, gc=False):
    """The state of a source, for the header and for `doctor`. A connection to another host is a source of this one."""

    name: str
    availability: Availability
    detail: str = ""
    """A few words that go with `ok`, such as a version or a count."""
    reason: str = ""
    """One sentence: what happened, to what; with `ok`, what of it cannot be seen."""
    remedy: str = ""
    """How to fix it; a command where there is one."""
    read_at_ns: int | None = None
    """Monotonic instant of the last successful reading, in ns; `None` if there was none."""
    cost_ns: int | None = None
    """Duration of that reading in ns."""
    daemon_cores: float | None = None
    """CPU time of the engine's daemon during the readings, by the time since the first one; not kept in session files.
    `None` for sources without a daemon on this host, and where it is not known which process that is."""
    host: str = ""
    """The other host whose vmtop reads it, as in `WorkloadId.host`."""
    storage_percent: float | None = None
    """How full the file system is on which an engine keeps its images and disks, 0 to 100. `None`: the source has no
    such place on this host, or it cannot be read."""

    @property
    def title(self) -> str:
        """Its name, with the host if that is another one."""
        return f"{self.name} on {self.host}" if self.host else self.name


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event of a workload at an instant."""

    wall: float
    workload: WorkloadId
    what: str
    """`start`, `stop`, `die`, `oom`, `pause`, `resume`, `health`, `restart`, `create`, `remove`, ..."""
    detail: str = ""
    name: str = ""


class Use(NamedTuple):
    """What the workloads of one kind use together."""

    cores: float | None
    memory_bytes: float | None


class HostFacts(msgspec.Struct, frozen=True, gc=False):
    """What is known of another host."""

    workload: WorkloadId | None = None
    """The host among the frame's workloads; `None` until it has answered."""
    cpus: int = 0
    """Its online CPUs; 0 is unknown."""
    memory_bytes: int = 0
    """Its MemTotal; 0 is unknown."""
    facts: dict[str, str] = {}
    """As `Frame.facts`, with `vmtop`: the version of the vmtop there."""
    clock_ahead_s: float | None = None
    """By how many seconds its wall clock was ahead of this host's, which its events and start times are corrected by;
    rounded to 0.1, negative when it is behind. `None` is unknown."""
    run: str = ""
    """The run of its sampler."""
    interval_s: float = 0.0
    """Seconds between its frames; 0 is unknown."""
    tags: tuple[str, ...] = ()
    """Words that the configuration groups hosts by."""
    uses: dict[Kind, Use] = {}
    """What its workloads use by kind, where the frame does not have all of them; not kept in session files. Empty
    where it does."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Everything known at one tick, joined over the sources. Raw counters only.

    A slow source's last samples are repeated with their own instants until it has new ones, so every frame
    is complete by itself.
    """

    at_ns: int
    """Monotonic instant of the tick."""
    wall: float
    boot_ns: int
    """`CLOCK_BOOTTIME`: ahead of `at_ns` by the time the host was suspended."""
    host: Workload
    """The host that vmtop runs on. Without samples where only other hosts are watched."""
    workloads: dict[WorkloadId, Workload]
    """Of all hosts, with the other hosts themselves."""
    samples: dict[WorkloadId, tuple[Sample, ...]]
    """In order of authority: the first sample that has a field supplies it. The host's are under its own id. Instants
    are by the clock of the host that vmtop runs on."""
    sources: tuple[SourceState, ...]
    events: tuple[Event, ...] = ()
    cpus: int = 1
    """Online CPUs of the host."""
    memory_bytes: int = 0
    """MemTotal of the host."""
    facts: dict[str, str] = {}
    """Host facts for the header: `hostname`, `kernel`, `cgroup`."""
    run: str = "0" * 16
    """The sampler's run, 16 hexadecimal digits: monotonic instants of two runs come from different clocks."""
    interval_s: float = 0.0
    """The intended time between frames; 0 is unknown."""
    hosts: dict[str, HostFacts] = {}
    """The other hosts that are watched, by name, whether or not they answer."""
