"""Where in the columns of a history each workload has its values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import nan

from collectors.model.workloads import WorkloadId


class Places:
    """A place for each workload, the same from tick to tick. One that is long gone gives up its own.

    Args:
        patience: Ticks after which an absent workload is forgotten.
        most: Workloads that have a place, besides one for the host; then the longest absent make room first.
    """

    def __init__(self, patience: int, most: int) -> None:
        self._patience, self._most = patience, most
        self._places: dict[WorkloadId, int] = {}
        self._free: list[int] = []
        self._absent_since: dict[WorkloadId, int] = {}
        self._present: list[WorkloadId] = []
        self._sources: list[int] | None = None
        """For each place the index of its workload among those present, beyond the last one if it is absent; `None`
        where the places are in the order of the workloads."""

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[WorkloadId]:
        return iter(self._places)

    def of(self, identity: WorkloadId) -> int | None:
        """Return the place of a workload; `None` if it has none."""
        return self._places.get(identity)

    def of_all(self, identities: Iterable[WorkloadId]) -> list[int | None]:
        """Return the place of each workload; `None` for those without one."""
        return [*map(self._places.get, identities)]

    def take(self, present: Sequence[WorkloadId], tick: int) -> list[int]:
        """Take in which workloads are present at a tick; return the places that changed hands too early to be empty."""
        has_forgotten = self._forget(tick)
        if not has_forgotten and present == self._present:
            return []
        self._present = [*present]
        known = dict.fromkeys(present)
        for identity in self._places:
            if identity not in known:
                self._absent_since.setdefault(identity, tick)
        for identity in self._absent_since.keys() & known:
            del self._absent_since[identity]
        taken_early = [
            place for identity in known if identity not in self._places and (place := self._give(identity)) is not None
        ]
        self._arrange()
        return taken_early

    def _forget(self, tick: int) -> bool:
        """Forget those that have been absent for long enough; return whether there were any."""
        has_forgotten = False
        while self._absent_since and tick - next(iter(self._absent_since.values())) >= self._patience:
            self._free.append(self._drop_longest_absent())
            has_forgotten = True
        return has_forgotten

    def _drop_longest_absent(self) -> int:
        identity = next(iter(self._absent_since))
        del self._absent_since[identity]
        return self._places.pop(identity)

    def _give(self, identity: WorkloadId) -> int | None:
        """Give a workload a place, if there is one; return it if it has been taken from another one."""
        if len(self._places) <= self._most:
            self._places[identity] = self._free.pop() if self._free else len(self._places)
        elif self._absent_since:
            place = self._places[identity] = self._drop_longest_absent()
            return place
        return None

    def _arrange(self) -> None:
        index_of = {identity: index for index, identity in enumerate(self._present)}
        sources = [len(self._present)] * (len(self._places) + len(self._free))
        for identity, place in self._places.items():
            sources[place] = index_of.get(identity, len(self._present))
        self._sources = None if sources == list(range(len(self._present))) else sources

    def arranged(self, values: list[float]) -> list[float]:
        """Return the values of the workloads present, in their order, each at its place; NaN for those without."""
        if self._sources is None:
            return values
        padded = [*values, nan]
        return [padded[index] for index in self._sources]
