"""VERBS, the one table of what can be done to a workload: words, states, key, confirmation. Pure.

What differs by engine (which verbs it has, which command does the same) is not here.
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
    """The key in the action menu, one character. Start and stop are two keys: a toggle would do the opposite of what
    is meant on a stale screen."""
    gerund: str
    """While it is under way."""
    done: str
    """Follows the workload's name."""
    hint: str = ""
    """A few words for the menu."""
    vm_label: str = ""
    """What it is called for a VM; empty: as the verb."""
    vm_done: str = ""
    """Follows a VM's name; empty: as `done`."""
    forced: str = "killed"
    """What was done after the time-out, where it can wait."""
    vm_forced: str = "forced off"
    """The same for a VM."""
    vm_consequence: str
    """What will happen to a VM, as a sentence."""
    consequence: str
    """What will happen to a container or service, as a sentence."""
    starts_from: frozenset[State]
    """The states in which it makes sense."""
    leads_to: frozenset[State] = frozenset()
    """The states that it wants to bring about; empty: none can be observed."""
    refusals: Mapping[State, str] = field(default_factory=dict)
    """Why it is not possible, by state, such as that it is so already."""
    refusal: str = "it is {state}"
    """The same for all other states."""
    can_wait: bool = False
    """Whether it asks, and therefore has a time-out and a choice of what follows it."""
    starts_it: bool = False
    """Whether the workload should run afterwards, and may have ended again."""
    ends_it: bool = False
    """Whether the workload does not run afterwards."""
    may_be_gone: bool = False
    """Whether the workload may not exist afterwards."""
    is_typed: bool = False
    """Whether a confirmation wants the name typed."""


RUNS = frozenset({State.RUNNING, State.BLOCKED})
_UNDER_WAY = RUNS | {State.STARTING, State.RESTARTING}
_RESTS = frozenset({State.STOPPED, State.CREATED, State.CRASHED})
_PAUSED_FIRST = "it is paused: resume it first, or kill it"

VERBS: dict[Verb, VerbSpec] = {
    Verb.START: VerbSpec(
        key="s",
        gerund="starting",
        done="was started",
        vm_consequence="The domain boots.",
        consequence="Its processes start anew with the settings it has.",
        starts_from=_RESTS,
        leads_to=RUNS,
        refusals={State.RUNNING: "it runs already"},
        starts_it=True,
    ),
    Verb.STOP: VerbSpec(
        key="t",
        gerund="stopping",
        done="was stopped",
        hint="ask it to end",
        vm_label="shut down",
        vm_consequence="The guest is asked to shut down, as by its power button.",
        consequence="Its processes are asked to end.",
        starts_from=_UNDER_WAY,
        leads_to=_RESTS,
        refusals={State.PAUSED: _PAUSED_FIRST, State.STOPPED: "it is stopped already"},
        can_wait=True,
        ends_it=True,
        may_be_gone=True,
    ),
    Verb.RESTART: VerbSpec(
        key="r",
        gerund="restarting",
        done="was restarted",
        hint="ask it to end, and start it anew",
        vm_label="reboot",
        vm_done="was rebooted",
        forced="killed and started anew",
        vm_forced="reset",
        vm_consequence="The guest is asked to reboot; its services are away meanwhile.",
        consequence="Its processes are asked to end and then started anew; its service is away meanwhile.",
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
        hint="freeze it; its memory stays",
        vm_consequence="Its virtual CPUs stand still; its memory stays, and its connections may time out.",
        consequence="Its processes are frozen; its memory stays, and its connections may time out.",
        starts_from=RUNS,
        leads_to=frozenset({State.PAUSED}),
        refusals={State.PAUSED: "it is paused already"},
    ),
    Verb.RESUME: VerbSpec(
        key="u",
        gerund="resuming",
        done="was resumed",
        hint="let it run on",
        vm_consequence="Its virtual CPUs run on; its clock may be behind.",
        consequence="Its processes run on.",
        starts_from=frozenset({State.PAUSED}),
        leads_to=RUNS,
        refusals={State.RUNNING: "it runs already"},
    ),
    Verb.KILL: VerbSpec(
        key="K",
        gerund="killing",
        done="was killed",
        hint="end it at once, without asking it",
        vm_label="force off",
        vm_done="was forced off",
        vm_consequence="The power is cut: what the guest has not written to its disks is lost.",
        consequence="Its processes are killed: what they have not written is lost.",
        starts_from=frozenset(State) - _RESTS - {State.UNKNOWN},
        leads_to=_RESTS,
        refusals={State.STOPPED: "it is stopped already"},
        ends_it=True,
        may_be_gone=True,
        is_typed=True,
    ),
    Verb.REMOVE: VerbSpec(
        key="d",
        gerund="removing",
        done="was removed",
        hint="delete it for good",
        vm_consequence="vmtop does not undefine domains.",
        consequence="The container is deleted with all it has written outside its volumes; image and volumes stay.",
        starts_from=_RESTS,
        refusal="it is {state}: stop it first",
        may_be_gone=True,
        is_typed=True,
    ),
}
"""Every verb, in the order of the menu."""
