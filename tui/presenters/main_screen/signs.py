"""What stands before a workload's name: the sign of its state or of what is wrong with it, and how severe that is."""

from __future__ import annotations

from typing import NamedTuple

from collectors.analysis.rates import Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import Kind, State, Workload
from collectors.query.filter import share_of_limit

KIND_TONES = {
    Kind.VM: "kind-vm",
    Kind.CONTAINER: "kind-container",
    Kind.SERVICE: "kind-service",
    Kind.HOST: "muted",
}
SHORT_KINDS = {Kind.VM: "vm", Kind.CONTAINER: "ct", Kind.SERVICE: "svc", Kind.HOST: "host"}
LONG_KINDS = {Kind.VM: "machine", Kind.CONTAINER: "container", Kind.SERVICE: "service", Kind.HOST: "host"}

AT_LIMIT, NEARLY = 95.0, 85.0
"""Percent of a limit from which a workload has an alarm, and a warning about its memory."""


class Sign(NamedTuple):
    """One cell, and the tone that says how severe it is."""

    unicode: str
    ascii: str
    tone: str

    def text(self, ascii_only: bool) -> str:
        return self.ascii if ascii_only else self.unicode


RUNNING = Sign("●", "*", "")
"""Its tone is that of the workload's kind."""
PAUSED, BUSY, RESTING = Sign("‖", "=", "muted"), Sign("◐", "+", "text"), Sign("○", "o", "muted")
FAILED, UNKNOWN, OLD = Sign("✗", "x", "bad"), Sign("·", ".", "muted"), Sign("?", "?", "warn")
WARNING, ALARM, FAULT = Sign("!", "!", "warn"), Sign("▲", "!", "bad"), Sign("!", "!", "bad")
HOST, OPEN, FOLDED = Sign("■", "#", "muted"), Sign("▾", "v", "muted"), Sign("▸", ">", "muted")

_OF_STATES = {
    State.RUNNING: RUNNING,
    State.PAUSED: PAUSED,
    State.SUSPENDED: PAUSED,
    State.STARTING: BUSY,
    State.RESTARTING: BUSY,
    State.STOPPING: BUSY,
    State.STOPPED: RESTING,
    State.CREATED: RESTING,
    State.CRASHED: FAILED,
    State.BLOCKED: FAILED,
    State.UNKNOWN: UNKNOWN,
}


def memory_share(reading: Reading) -> float:
    """Return the memory that dropping caches would leave in percent of its limit; 0 where that is not known.

    Recordings of earlier versions do not have it: then it is what the table shows under /LIMIT.
    """
    share = share_of_limit(METRICS["memory_unreclaimable_bytes"], reading)
    return share if share is not None else reading.value("memory_of_limit_percent") or 0.0


def is_unhealthy(workload: Workload) -> bool:
    """Return whether a health check fails now; of a workload at rest, the last result no longer counts."""
    return workload.health == "unhealthy" and workload.state.is_active


_FAILURES = frozenset({"out of memory", "watchdog", "timed out"})
_ASKED_TO_END = frozenset({0, 130, 137, 143})
"""Exit codes of what was done, interrupted, killed or terminated (128 + the signal)."""


def has_failed(workload: Workload) -> bool:
    """Return whether it ended by itself, and not because it was done: a signal alone is taken for somebody's wish."""
    if workload.state is State.STOPPED:
        is_failure = workload.exit_code is not None and workload.exit_code not in _ASKED_TO_END
        return is_failure or workload.state_reason in _FAILURES
    return workload.state is State.CRASHED


_RUNNING = {kind: RUNNING._replace(tone=tone) for kind, tone in KIND_TONES.items()}


def state_sign(workload: Workload) -> Sign:
    """Return the sign of a workload's state and health, whatever its numbers are."""
    if workload.is_listed is False:
        return OLD
    if workload.is_faulted:
        return FAULT
    if is_unhealthy(workload):
        return WARNING
    if has_failed(workload):
        return FAILED
    sign = _OF_STATES[workload.state]
    return _RUNNING[workload.kind] if sign is RUNNING else sign
