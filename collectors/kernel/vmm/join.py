"""Joins the machines found by their processes with the workloads found by their cgroups. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collectors.kernel.vmm.machines import Machine
from collectors.kernel.vmm.placement import Place
from collectors.kernel.vmm.rows import by_process, with_guest, with_machine
from collectors.model.workloads import Sample, Workload, WorkloadId

Samples = tuple[Sample, ...]


def join_machines(
    workloads: dict[WorkloadId, Workload],
    samples: dict[WorkloadId, Samples],
    readings: Iterable[tuple[Machine, Samples]],
    by_path: Mapping[str, WorkloadId],
) -> None:
    """Add machines to workloads and their samples: as rows of their own, or to the row of their cgroup.

    Args:
        workloads: Those of the cgroups.
        samples: The samples of the workloads.
        readings: The machines, each with the samples of its process.
        by_path: The ids of the workloads of cgroups, by path.
    """
    for machine, own in readings:
        where, path = machine.placement
        around = workloads.get(by_path[path]) if path is not None and path in by_path else None
        if where is Place.OF_CONTAINER and around is not None:
            workloads[around.id] = with_guest(around, machine)
        elif where is Place.OF_MACHINE and around is not None:
            if around.id == machine.identity:
                _add(workloads, samples, around, machine, own)
        elif where is Place.WHOLE_GROUP and around is not None and around.id == machine.identity:
            _add(workloads, samples, around, machine, own)
        elif where is not Place.OF_CONTAINER and own:
            row = by_process(machine, around)
            if row.id not in workloads:
                workloads[row.id], samples[row.id] = row, own


def _add(
    workloads: dict[WorkloadId, Workload],
    samples: dict[WorkloadId, Samples],
    workload: Workload,
    machine: Machine,
    own: Samples,
) -> None:
    """Add a machine's process to the workload of its cgroup, whose counters come first."""
    if own:
        workloads[workload.id] = with_machine(workload, machine)
        samples[workload.id] = samples[workload.id] + own
