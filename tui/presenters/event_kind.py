"""What an event is to whoever looks for what went wrong. Pure."""

from __future__ import annotations

from collectors.alerts.told import BEGAN
from collectors.model.workloads import Event

_BAD = frozenset({"oom", "die", "kill", "crash", "unhealthy", BEGAN})


def kind_of(event: Event) -> str:
    """Return `note` for what a user wrote down, `bad` for what ends or harms a workload, else `event`."""
    if event.what == "note":
        return "note"
    return "bad" if event.what in _BAD or event.detail in _BAD else "event"
