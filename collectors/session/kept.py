"""Bounds on what is kept of a whole file: a file may have any number of members."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from sys import getsizeof

from collectors.model.workloads import Event, Workload, WorkloadId
from collectors.session.format import MOST_KEPT, MOST_KEPT_TEXT


class Budget:
    """Counts what is kept, and the memory of its texts.

    Args:
        most: How many may be kept.
        most_bytes: Bytes of memory that their texts may take together.
    """

    def __init__(self, most: int = MOST_KEPT, most_bytes: int = MOST_KEPT_TEXT) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._count = self._bytes = 0
        self.is_spent = False
        """Whether something was not kept."""

    def takes(self, *texts: str) -> bool:
        """Count one more with its texts; return whether it may be kept."""
        size = sum(map(getsizeof, texts))
        if self._count >= self._most or self._bytes + size > self._most_bytes:
            self.is_spent = True
            return False
        self._count, self._bytes = self._count + 1, self._bytes + size
        return True

    def takes_event(self, event: Event) -> bool:
        """Count one more event; return whether it may be kept."""
        return self.takes(*_texts(event))


class KeptWorkloads(dict[WorkloadId, Workload]):
    """Workloads as they were last; `keep` adds to them."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes: dict[WorkloadId, int] = {}
        self._bytes = 0

    def keep(self, workload: Workload) -> bool:
        """Keep a workload, in place of an earlier description; return whether there is room for it."""
        if workload == self.get(workload.id):
            return True
        size = _workload_size(workload)
        total = self._bytes + size - self._sizes.get(workload.id, 0)
        if total > MOST_KEPT_TEXT or (workload.id not in self and len(self) >= MOST_KEPT):
            return False
        self._bytes, self._sizes[workload.id] = total, size
        self[workload.id] = workload
        return True


class NewestEvents:
    """Keeps the newest events."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._bytes = 0

    def extend(self, events: Iterable[Event]) -> None:
        """Add events, and drop the oldest beyond the bounds."""
        for event in events:
            self._events.append(event)
            self._bytes += _size(event)
            while len(self._events) > MOST_KEPT or self._bytes > MOST_KEPT_TEXT:
                self._bytes -= _size(self._events.popleft())

    def all(self) -> list[Event]:
        """Return them, oldest first."""
        return list(self._events)


def _texts(event: Event) -> tuple[str, ...]:
    return (*event.workload, event.what, event.detail, event.name)


def _size(event: Event) -> int:
    return sum(map(getsizeof, _texts(event)))


def _workload_size(workload: Workload) -> int:
    values = (getattr(workload, name) for name in Workload.__struct_fields__)
    texts = (value for value in values if isinstance(value, str))
    return sum(map(getsizeof, (*workload.id, *texts))) + sum(
        getsizeof(text) for label in workload.labels for text in label
    )
