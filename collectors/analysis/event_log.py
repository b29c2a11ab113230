"""The events of this session, for a later look at one workload. Bounded."""

from __future__ import annotations

from collections import deque

from collectors.analysis.rates import Moment
from collectors.model.workloads import Event, WorkloadId

CAPACITY = 2000


class EventLog:
    """Keeps the newest events in the order of arrival."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._events: deque[Event] = deque(maxlen=capacity)

    def push(self, moment: Moment) -> None:
        """Take in a moment's events."""
        self._events.extend(moment.events)

    def all(self) -> tuple[Event, ...]:
        """Return all events in the order of arrival."""
        return tuple(self._events)

    def of(self, identity: WorkloadId) -> tuple[Event, ...]:
        """Return the events of one workload, oldest first by their own clocks: sources report at different times."""
        return tuple(
            sorted((event for event in self._events if event.workload == identity), key=lambda event: event.wall)
        )
