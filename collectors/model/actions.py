"""The vocabulary of actions as types, and what an engine has to supply for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from collectors.model.workloads import State, Workload


class Verb(StrEnum):
    """What can be done to a workload."""

    START = "start"
    STOP = "stop"
    """Ask it to end; what follows when it does not is `AfterTimeout`."""
    RESTART = "restart"
    PAUSE = "pause"
    RESUME = "resume"
    KILL = "kill"
    """End it at once, without asking it: for a domain, force it off."""
    REMOVE = "remove"


class AfterTimeout(StrEnum):
    """What follows when a workload did not stop or restart in time."""

    FORCE = "force"
    """It is killed, forced off or reset."""
    LEAVE = "leave"
    """It is left as it is."""


class Result(StrEnum):
    """How an action ended."""

    DONE = "done"
    ALREADY = "already"
    """It was in that state before: nothing was done."""
    TIMED_OUT = "timed out"
    """It was asked, did not follow in time, and was left as it is."""
    GONE = "gone"
    """There is no such workload any more: nothing was done."""
    CHANGED = "changed"
    """It is not what it was when the user confirmed (renamed, restarted): nothing was done."""
    REFUSED = "refused"
    """vmtop did not ask the engine: locked, protected, impossible in this state, another action is under way."""
    DENIED = "denied"
    """The engine does not let this user do it."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The engine was lost in the middle, and nothing could be observed since."""


class Note(StrEnum):
    """What an engine knows about a workload and a user who acts on it may not."""

    TRANSIENT = "transient"
    """Its definition goes when it ends."""
    SAVED = "saved"
    """A domain whose memory is on disk: its start goes on from there."""
    OFF_AFTER_REBOOT = "off after reboot"
    """A domain that ends when its guest reboots."""
    REMOVED_AT_END = "removed at end"
    """A container of `docker run --rm`."""


class Observed(NamedTuple):
    """A workload as its engine sees it now."""

    name: str
    """Inert. Of a unit that was asked for by an alias, its own name."""
    state: State
    start: str = ""
    """Identity of its present or last run: a difference means that it was started again."""
    detail: str = ""
    """How its last run ended, such as `exit code 1`; empty while it runs."""
    notes: frozenset[Note] = frozenset()
    dependents: tuple[str, ...] = ()
    """Units that are active and stop or restart with it, directly; inert."""


@dataclass(frozen=True, slots=True)
class Request:
    """A confirmed action: the verb, its workload and its conditions."""

    verb: Verb
    workload: Workload
    timeout_s: float = 10.0
    after: AfterTimeout = AfterTimeout.FORCE
    seen: Observed | None = None
    """What the user saw when confirming; `None` when the engine could not be asked then."""
    below: tuple[Workload, ...] = ()
    """Who runs inside it, and is hit with it."""
    by_id: bool = False
    """Whether a command typed by hand might reach another engine, on which the name is somebody else's."""


class ActionTimedOut(Exception):
    """The workload did not follow within the request's time."""


class EngineActions(Protocol):
    """Acts on the workloads of one engine. All calls block and may hang; each request has a thread of its own.

    Every call raises `SourceError` in one of its kinds: `AccessDenied` with the remedy, `WorkloadGone` when the engine
    does not know the workload, `SourceDown` when the engine was lost (the outcome is then unknown), and plain
    `SourceError` when the engine answered and refused.
    """

    restart_is_a_new_run: bool
    """Whether `Observed.start` differs after a restart (a rebooted domain keeps its own)."""

    def observe(self, workload: Workload) -> Observed:
        """Ask the engine how the workload is. Never changes anything."""

    def perform(self, request: Request) -> None:
        """Do it, and return when the engine has taken the request, or has finished it where it tells.

        Raises:
            ActionTimedOut: It did not stop or restart within `timeout_s`, and the engine leaves it as it is.
        """

    def force(self, request: Request) -> None:
        """Do what follows a timed-out stop or restart: kill, force off or reset."""
