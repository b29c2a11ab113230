"""What a source is and how it fails. Nothing here imports a source's library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import msgspec

from collectors.model.workloads import Event, HostFacts, Sample, SourceState, Workload, WorkloadId
from collectors.sampling.spec import REMOTE as REMOTE
from collectors.sampling.spec import SourceSpec as SourceSpec


class SourceReading(msgspec.Struct, frozen=True, gc=False):
    """Everything that a source reads at one instant."""

    workloads: dict[WorkloadId, Workload]
    samples: dict[WorkloadId, tuple[Sample, ...]]
    events: tuple[Event, ...] = ()
    """Events since the previous reading."""
    detail: str = ""
    """A few words for the header: a version, a count."""
    host: Workload | None = None
    """The host, from the one source that reads it; its sample is under the host's id. `None` from the others."""
    cpus: int = 0
    memory_bytes: int = 0
    facts: dict[str, str] = {}
    engines: frozenset[str] = frozenset()
    """Values of `WorkloadId.engine` that its source, and no other kind of source, lists."""
    below: str = ""
    """The control group in which what it describes has to be, where the kernel shows one: a user's own engine may not
    describe what is not that user's. Empty: anywhere."""
    unseen: str = ""
    """What this user, or this container, may not see of it, as a sentence; empty if nothing. Not a failure."""
    remedy: str = ""
    """The command that would make it visible; empty if there is none."""
    restarts: dict[WorkloadId, int] = {}
    """How often workloads that other sources list were started again by their engine. It lists none by itself."""
    daemon_cpu_s: float | None = None
    """CPU seconds of the engine's daemon during all readings since the source was opened; `None` where unknown."""
    hosts: dict[str, HostFacts] = {}
    """The other hosts that it reads, by name."""
    sources: tuple[SourceState, ...] = ()
    """How the other hosts' own sources are doing."""


class Source(Protocol):
    """A system that vmtop reads. All methods run on the source's own worker thread and may block."""

    name: str
    interval_s: float
    """Seconds between its readings; 0 means every tick."""
    holds_tick: bool
    """Whether a frame waits (briefly) for it: true for the kernel's files, false for daemons."""
    is_authority: bool
    """Whether its names and states win over those of a source that only saw a cgroup."""
    replace_after_s: float | None
    """Seconds after which a hung reading is abandoned with its thread, and a new source takes over; `None`: never.

    Twice as long after each time, until there is an answer."""
    is_near: bool
    """Whether a failed attempt costs almost nothing, as on this host: it is repeated until its daemon is back."""

    def open(self, wake: Callable[[], None]) -> None:
        """Connect. `wake` may be called from any thread to ask for a reading before the next one is due.

        Raises:
            SourceError: It cannot be read, with the reason and the remedy.
        """

    def read(self) -> SourceReading:
        """Read everything once.

        Raises:
            SourceError: The connection broke; the worker closes, waits and opens again.
        """

    def close(self) -> None:
        """Release resources. Never raises."""


@runtime_checkable
class Layered(Protocol):
    """A source that reads some of it less often than at every reading."""

    def read_all_next(self) -> None:
        """Have the next reading include all of it. Callable from any thread."""


@runtime_checkable
class Storing(Protocol):
    """A source whose engine keeps images or disks in a folder of this host."""

    storage_folder: str
    """The folder; empty if it is not known."""


@runtime_checkable
class OtherHost(Protocol):
    """A source that reads another host; its worker has the host's name."""

    host: HostFacts
    """What is known of it before it answers."""
    heard_at: float | None
    """Monotonic instant, in seconds, at which its newest frame arrived; `None` before the first."""
    patience_s: float
    """Seconds after that instant from which what is known of it is old."""

    def pace(self, interval_s: float) -> None:
        """Have it read at this interval, in seconds. Callable from any thread; quick."""

    def stop(self) -> None:
        """End what is under way, for good. Callable from any thread; quick."""


def other_host(source: Source) -> OtherHost | None:
    """Return a source as one that reads another host; `None` if it is of this host.

    To be kept: Python takes as long to find out as to read two files.
    """
    return source if isinstance(source, OtherHost) else None
