"""The types of actions, and the interface that an engine implements for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from collectors.model.workloads import State, Workload


class Verb(StrEnum):
    """An action on a workload."""

    START = "start"
    STOP = "stop"
    """Ask it to end; `AfterTimeout` says what follows when it does not."""
    RESTART = "restart"
    PAUSE = "pause"
    RESUME = "resume"
    KILL = "kill"
    """End it at once, without asking it: for a domain, force it off."""
    REMOVE = "remove"


class AfterTimeout(StrEnum):
    """What follows when a workload does not stop or restart in time."""

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
    """It was asked, did not comply in time, and was left as it is."""
    GONE = "gone"
    """There is no such workload any more: nothing was done."""
    CHANGED = "changed"
    """It is not what it was when the user confirmed (renamed, restarted): nothing was done."""
    REFUSED = "refused"
    """vmtop did not ask the engine: locked, protected, impossible in this state, another action is under way."""
    DENIED = "denied"
    """The engine does not allow this user to do it."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The connection to the engine was lost during the action, and the result could not be observed since."""


class Note(StrEnum):
    """A fact about a workload that a user who acts on it may not know."""

    TRANSIENT = "transient"
    """Its definition is removed when it ends."""
    FAULTED = "faulted"
    """A domain that a fault paused: it pauses again when it is resumed, until the fault is repaired."""
    SAVED = "saved"
    """A domain whose memory is saved on disk: starting it resumes from there."""
    OFF_AFTER_REBOOT = "off after reboot"
    """A domain that ends when its guest reboots."""
    REMOVED_AT_END = "removed at end"
    """A container of `docker run --rm`."""


class Observed(NamedTuple):
    """A workload as its engine sees it now."""

    name: str
    """Sanitized. For a unit addressed by an alias, its own name."""
    state: State
    start: str = ""
    """Identity of its current or last run: if it differs, the workload was started again."""
    detail: str = ""
    """Why it is in its state, such as `exit code 1` or `I/O error`; inert; empty while it runs."""
    notes: frozenset[Note] = frozenset()
    dependents: tuple[str, ...] = ()
    """Active units that stop or restart with it, directly; sanitized."""
    addresses: frozenset[str] = frozenset()
    """Its IP addresses on the networks of this host, as far as its engine knows them."""


class Dependents(NamedTuple):
    """What outside a workload depends on it, as far as this user can see."""

    session: str = ""
    """How the login session depends on it, as a clause; empty if it does not."""
    mounts: tuple[str, ...] = ()
    """Where file systems that it serves are mounted on this host; sanitized."""
    network_users: tuple[str, ...] = ()
    """Names of the active workloads that use its network and lose it with it; sanitized."""
    carried: tuple[str, ...] = ()
    """Of a service: names of the containers and machines whose shims, monitors or VMMs its processes started."""


NO_DEPENDENTS = Dependents()


@dataclass(frozen=True, slots=True)
class Request:
    """A confirmed action: the verb, its workload and its conditions."""

    verb: Verb
    workload: Workload
    timeout_s: float = 10.0
    after: AfterTimeout = AfterTimeout.FORCE
    seen: Observed | None = None
    """What the user saw when confirming; `None` when the engine could not be asked then."""
    nested: tuple[Workload, ...] = ()
    """Workloads that run inside it and are affected too."""
    by_id: bool = False
    """Whether the equivalent command uses the id: typed by hand, the name might reach a workload of another engine."""
    dependents: Dependents = NO_DEPENDENTS
    address: str = ""
    """The engine's address for the equivalent command; empty where the engine's own command finds it by itself."""
    epoch: str | None = None
    """`Observed.start` of the only run that it is meant for; `None` for whichever run `seen` is of."""

    @property
    def run(self) -> str | None:
        """Identity of the run that it is meant for; `None` when it is not known."""
        return self.epoch if self.epoch is not None else self.seen and self.seen.start


class Outcome(NamedTuple):
    """How an action ended."""

    result: Result
    sentence: str
    """What happened; begins with the workload's name."""
    remedy: str = ""
    seconds: float = 0.0


class Look(NamedTuple):
    """What an action on a workload would meet."""

    seen: Observed | None
    """`None` when the engine could not be asked."""
    problem: str = ""
    """Why it could not."""
    dependents: Dependents = NO_DEPENDENTS
    nested: tuple[Workload, ...] = ()
    """Workloads that run inside it."""
    protected: str = ""
    """Why the vmtop of its host would refuse, as a clause; empty if it would not."""


class ActionTimedOut(Exception):
    """The workload did not comply within the request's time."""


class EngineActions(Protocol):
    """Acts on the workloads of one engine. All calls block and may hang; each request has its own thread.

    Every call raises `SourceError` in one of its kinds: `AccessDenied` with the remedy, `WorkloadGone` when the engine
    does not know the workload, `SourceDown` when the engine was lost (the outcome is then unknown), and plain
    `SourceError` when the engine answered and refused.
    """

    restart_is_a_new_run: bool
    """Whether `Observed.start` differs after a restart (a rebooted domain keeps its own)."""

    def observe(self, workload: Workload) -> Observed:
        """Return the workload's state as its engine reports it. Never changes anything."""

    def perform(self, request: Request) -> None:
        """Do it, and return when the engine has accepted the request, or has finished it if the engine reports that.

        Raises:
            ActionTimedOut: It did not stop or restart within `timeout_s`, and the engine leaves it as it is.
        """

    def force(self, request: Request) -> None:
        """Do what follows a timed-out stop or restart: kill, force off or reset."""


@runtime_checkable
class ActsElsewhere(Protocol):
    """Acts on the workloads of another host, through the vmtop there: its rules, protection and action log apply."""

    def look(self, workload: Workload, workloads: Iterable[Workload]) -> Look:
        """Return what an action would meet there. Raises as `EngineActions.observe`.

        Args:
            workload: The workload.
            workloads: All current ones; those of its host are told to it.
        """

    def carry_out(self, request: Request, words: Sequence[str], changed: Callable[[str], None]) -> Outcome:
        """Do it, and return how it ended, as the host itself found out.

        Args:
            request: What to do.
            words: The arguments of vmtop there that do it.
            changed: Called with each phase that the host reports: `asked`, `forcing`, `outcome unknown`.

        Raises:
            AccessDenied: The host was not reached: nothing was done.
            SourceAbsent: Likewise.
            SourceDown: The connection broke after the host may have begun: the outcome is unknown.
            SourceError: The host answered and refused, or has no vmtop that can do it: nothing was done.
        """
