"""States of domains and their reasons, from the numbers of libvirt-domain.h (virDomainState and others). Pure."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.model.workloads import State

_STATES = {
    1: State.RUNNING,
    2: State.BLOCKED,
    3: State.PAUSED,
    4: State.STOPPING,
    5: State.STOPPED,
    6: State.CRASHED,
    7: State.SUSPENDED,
}
_STATES_BY_REASON = {(3, 11): State.STARTING, (5, 3): State.CRASHED}
"""Paused while it starts up; shut off because its hypervisor process ended."""
SAVED = "saved"
"""The reason of a domain whose managed saved state is restored when it is started."""
_REASONS: Mapping[tuple[int, int], str] = {
    (3, 1): "by a user",
    (3, 2): "migration",
    (3, 3): "being saved",
    (3, 4): "memory dump",
    (3, 5): "I/O error",
    (3, 6): "watchdog",
    (3, 7): "restored from a snapshot",
    (3, 8): "shutting down",
    (3, 9): "snapshot in progress",
    (3, 10): "guest crashed",
    (3, 11): "starting up",
    (3, 12): "post-copy migration",
    (3, 13): "post-copy migration failed",
    (3, 14): "API error",
    (4, 1): "by a user",
    (5, 1): "shut down",
    (5, 2): "forced off",
    (5, 3): "its hypervisor process ended",
    (5, 4): "migrated to another host",
    (5, 5): "saved to a file",
    (5, 6): "failed to start",
    (5, 7): "from a snapshot",
    (5, 8): "ended while libvirt was not running",
    (6, 1): "guest panicked",
}
"""By state and reason. `unknown` (0) has no text, nor has a running domain."""


def to_state(state: object, reason: object = None) -> State:
    """Return the state for libvirt's state and reason; `UNKNOWN` for anything else."""
    if not isinstance(state, int):
        return State.UNKNOWN
    by_reason = _STATES_BY_REASON.get((state, reason)) if isinstance(reason, int) else None
    return by_reason or _STATES.get(state, State.UNKNOWN)


def to_reason(state: object, reason: object, is_saved: bool = False) -> str | None:
    """Return the text for libvirt's reason of a state; `None` where it has none.

    Args:
        state: libvirt's state.
        reason: libvirt's reason, a number that depends on the state.
        is_saved: Whether the domain has a managed saved state. libvirt forgets the reason when it is restarted, and a
            domain that was saved to a file (`virsh save`) has the same reason but is not restored when it is started.
    """
    if is_saved and to_state(state, reason) in (State.STOPPED, State.CRASHED):
        return SAVED
    return _REASONS.get((state, reason)) if isinstance(state, int) and isinstance(reason, int) else None
