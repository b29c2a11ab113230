"""VERBS, the one table of actions on workloads: words, states, key, confirmation. Pure.

What differs by engine (its verbs and its equivalent commands) is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from collectors.model.actions import Verb
from collectors.model.workloads import State


@dataclass(frozen=True, slots=True, kw_only=True)
class VerbSpec:
    """One row of the table."""

    key: str
    """The key in the action menu, one character. Start and stop have two keys: on a stale screen a toggle would do the
    opposite of what is meant."""
    gerund: str
    """Shown while the action is in progress."""
    done: str
    """Shown after the workload's name when it succeeded."""
    hint: str = ""
    """A few words for the menu."""
    command_help: str
    """The line of help of its command, as in `tui.cli.main`."""
    vm_label: str = ""
    """The label for VMs; empty for the verb itself."""
    vm_done: str = ""
    """`done` for VMs; empty for the same text."""
    forced: str = "killed"
    """Participle of the forced end after the time-out, in the warning and in the outcome; only used with `can_wait`."""
    vm_forced: str = "forced off"
    """`forced` for VMs."""
    vm_consequence: str
    """What will happen to a VM, as a sentence."""
    consequence: str
    """What will happen to a container or service, as a sentence."""
    starts_from: frozenset[State]
    """The states in which the action is possible."""
    leads_to: frozenset[State] = frozenset()
    """The states that show that it took effect; empty if none does."""
    refusals: Mapping[State, str] = field(default_factory=dict)
    """Why it is not possible, by state."""
    refusal: str = "it is {state}"
    """Why it is not possible in all other states."""
    can_wait: bool = False
    """Whether it is graceful: it has a time-out, and a choice of what follows it."""
    starts_it: bool = False
    """Whether the workload should run afterwards, so that ending again is a failure."""
    ends_it: bool = False
    """Whether the workload does not run afterwards."""
    may_be_gone: bool = False
    """Whether the workload may not exist afterwards."""
    is_typed: bool = False
    """Whether the name must be typed to confirm."""


RUNS = frozenset({State.RUNNING, State.BLOCKED})
_UNDER_WAY = RUNS | {State.STARTING, State.RESTARTING}
_RESTS = frozenset({State.STOPPED, State.CREATED, State.CRASHED})
_PAUSED_FIRST = "it is paused: resume it first, or kill it"

VERBS: dict[Verb, VerbSpec] = {
    Verb.START: VerbSpec(
        key="s",
        gerund="starting",
        done="was started",
        command_help="Start workloads.",
        vm_consequence="The domain boots.",
        consequence="Its processes start with its current settings.",
        starts_from=_RESTS,
        leads_to=RUNS,
        refusals={State.RUNNING: "it is already running"},
        starts_it=True,
    ),
    Verb.STOP: VerbSpec(
        key="t",
        gerund="stopping",
        done="was stopped",
        command_help="Stop workloads gracefully.",
        hint="stop gracefully",
        vm_label="shut down",
        vm_consequence="The guest is asked to shut down, as by its power button.",
        consequence="Its processes are asked to end.",
        starts_from=_UNDER_WAY,
        leads_to=_RESTS,
        refusals={State.PAUSED: _PAUSED_FIRST, State.STOPPED: "it is already stopped"},
        can_wait=True,
        ends_it=True,
        may_be_gone=True,
    ),
    Verb.RESTART: VerbSpec(
        key="r",
        gerund="restarting",
        done="was restarted",
        command_help="Restart containers and services, reboot virtual machines.",
        hint="stop, then start",
        vm_label="reboot",
        vm_done="was rebooted",
        forced="killed and started again",
        vm_forced="reset",
        vm_consequence="The guest is asked to reboot; its services are down meanwhile.",
        consequence="Its processes are asked to end, then started again; its service is down meanwhile.",
        starts_from=_UNDER_WAY,
        leads_to=RUNS,
        refusals={State.PAUSED: _PAUSED_FIRST},
        can_wait=True,
        starts_it=True,
    ),
    Verb.PAUSE: VerbSpec(
        key="p",
        gerund="pausing",
        done="was paused",
        command_help="Freeze workloads.",
        hint="freeze it; it keeps its memory",
        vm_consequence="Its virtual CPUs stop; it keeps its memory, and its connections may time out.",
        consequence="Its processes are frozen; it keeps its memory, and its connections may time out.",
        starts_from=RUNS,
        leads_to=frozenset({State.PAUSED}),
        refusals={State.PAUSED: "it is already paused"},
    ),
    Verb.RESUME: VerbSpec(
        key="u",
        gerund="resuming",
        done="was resumed",
        command_help="Let paused workloads continue.",
        hint="let it continue",
        vm_consequence="Its virtual CPUs continue; its clock may be behind.",
        consequence="Its processes continue.",
        starts_from=frozenset({State.PAUSED}),
        leads_to=RUNS,
        refusals={State.RUNNING: "it is already running"},
    ),
    Verb.KILL: VerbSpec(
        key="K",
        gerund="killing",
        done="was killed",
        command_help="End workloads at once, without asking them.",
        hint="end it at once (SIGKILL)",
        vm_label="force off",
        vm_done="was forced off",
        vm_consequence="The power is cut: data the guest has not written to its disks is lost.",
        consequence="Its processes are killed: data they have not written is lost.",
        starts_from=frozenset(State) - _RESTS - {State.UNKNOWN},
        leads_to=_RESTS,
        refusals={State.STOPPED: "it is already stopped"},
        ends_it=True,
        may_be_gone=True,
        is_typed=True,
    ),
    Verb.REMOVE: VerbSpec(
        command_help="Remove stopped containers.",
        key="d",
        gerund="removing",
        done="was removed",
        hint="delete it permanently",
        vm_consequence="vmtop does not undefine domains.",
        consequence="The container is deleted with everything it wrote outside its volumes; image and volumes stay.",
        starts_from=_RESTS,
        refusal="it is {state}: stop it first",
        may_be_gone=True,
        is_typed=True,
    ),
}
"""Every verb, in the order of the menu."""
