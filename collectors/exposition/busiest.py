"""Chooses the workloads that are exposed where there are too many. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.model.workloads import Sample, Workload, WorkloadId

_STAYS = 2.0
"""Who was exposed before counts this many times, so that series do not come and go with every scrape."""


class Busiest:
    """Ranks workloads by the CPU time that they used since the text before, those that use none by all of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used: dict[WorkloadId, int] = {}
        self._exposed: set[WorkloadId] = set()

    def of(self, workloads: Sequence[Workload], samples: Mapping[WorkloadId, Sequence[Sample]]) -> Sequence[Workload]:
        """Return those to expose, in the order in which they come."""
        if len(workloads) <= self._most:
            self._used, self._exposed = {}, set()
            return workloads
        used = {workload.id: _cpu_ns(samples.get(workload.id, ())) for workload in workloads}

        def rank(identity: WorkloadId) -> tuple[float, int]:
            grown = used[identity] - self._used.get(identity, used[identity])
            weight = _STAYS if identity in self._exposed else 1.0
            return max(0, grown) * weight + (identity in self._exposed), used[identity]

        chosen = set(sorted(used, key=rank, reverse=True)[: self._most])
        self._used, self._exposed = used, chosen
        return [workload for workload in workloads if workload.id in chosen]


def _cpu_ns(samples: Sequence[Sample]) -> int:
    return next((sample.cpu_total_ns for sample in samples if sample.cpu_total_ns is not None), 0)
