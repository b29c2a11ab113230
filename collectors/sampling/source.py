"""What a source is and how it fails. Nothing here imports a source's library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from collectors.model.workloads import Event, Sample, Workload, WorkloadId


class SourceReading(msgspec.Struct, frozen=True, gc=False):
    """All that a source knows at one instant."""

    workloads: dict[WorkloadId, Workload]
    samples: dict[WorkloadId, tuple[Sample, ...]]
    events: tuple[Event, ...] = ()
    """What happened since the reading before."""
    detail: str = ""
    """A few words for the header: a version, a count."""
    host: Workload | None = None
    """Only the source that reads the host has it; its sample is under the host's id."""
    cpus: int = 0
    memory_bytes: int = 0
    facts: dict[str, str] = {}
    unseen: str = ""
    """What this user, or this container, may not see of it, as a sentence. It is not a failure."""
    remedy: str = ""
    """The command that would show it."""


class Source(Protocol):
    """A system that vmtop reads. All methods run on the source's own worker thread and may block."""

    name: str
    interval_s: float
    """Beat of its readings; 0 means every tick."""
    holds_tick: bool
    """Whether a frame waits (a little) for it: true for the kernel's files, false for daemons."""
    is_authority: bool
    """Whether its names and states win over those of a source that only saw a cgroup."""
    replace_after_s: float | None
    """After this time a reading that hangs is abandoned with its thread, and a fresh source takes over."""
    is_near: bool
    """Whether an attempt in vain costs next to nothing, as on this host: it is repeated until its daemon is back."""

    def open(self, wake: Callable[[], None]) -> None:
        """Connect. `wake` may be called from any thread to ask for a reading before the next beat.

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


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source to run: its name, by which its class is found, and what it is made with."""

    name: str
    options: dict[str, object] = field(default_factory=dict)
    label: str = ""
    """Name in the header when one kind of source runs several times."""
