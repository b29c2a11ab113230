"""The rows of machines that were found by their process: what such a process adds to a workload, or is as one."""

from __future__ import annotations

import msgspec

from collectors.kernel.vmm.machines import Machine
from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Kind, State, Unmeasured, Workload
from collectors.safety.sanitize import sanitize_name

_OF_CGROUPS = (Topic.PRESSURE, Topic.QUOTA, Topic.MEMORY, Topic.DISK_OPERATIONS)
"""Topics of which the kernel counts something, or all, for cgroups only."""


def by_process(machine: Machine, around: Workload | None) -> Workload:
    """Describe a machine that is measured by its process.

    Args:
        machine: The machine.
        around: The workload whose cgroup the process is in; `None` if it is in none.
    """
    process, usage = machine.process, machine.usage
    return Workload(
        id=machine.identity,
        kind=Kind.VM,
        name=sanitize_name(process.name),
        state=State.RUNNING if usage is None else usage.state,
        name_is_known=process.name_is_known,
        description=_description(machine),
        project=_project(machine) or (None if around is None else around.project),
        parent=None if around is None else around.id,
        started_at=None if usage is None else usage.started_at,
        unmeasured=(
            Unmeasured(Topic.GUEST_MEMORY, Cause.ONLY_GUEST),
            *(Unmeasured(topic, Cause.NO_OWN_CGROUP) for topic in _OF_CGROUPS),
            *_no_disks(machine),
            *_notes(machine),
        ),
    )


def with_machine(workload: Workload, machine: Machine) -> Workload:
    """Return a workload whose cgroup is a machine's, with what its process adds."""
    is_stopped = machine.usage is not None and machine.usage.state is State.PAUSED
    return msgspec.structs.replace(
        workload,
        state=State.PAUSED if is_stopped and workload.state is State.RUNNING else workload.state,
        description=workload.description or _description(machine),
        unmeasured=(*workload.unmeasured, Unmeasured(Topic.GUEST_MEMORY, Cause.ONLY_GUEST), *_notes(machine)),
    )


def with_guest(container: Workload, machine: Machine) -> Workload:
    """Return a container, noting the machine that runs inside it."""
    process = machine.process
    note = f"runs the VM {sanitize_name(process.name)} ({process.family.product})"
    return msgspec.structs.replace(
        container, description=f"{container.description}; {note}" if container.description else note
    )


def _project(machine: Machine) -> str | None:
    project = machine.process.facts.project
    return sanitize_name(project) if project else None


def _description(machine: Machine) -> str:
    product = machine.process.family.product
    return product if machine.process.executable is not None else f"{product}, by its name only"


def _no_disks(machine: Machine) -> tuple[Unmeasured, ...]:
    if machine.usage is None or machine.usage.has_disk_counters:
        return ()
    return (Unmeasured(Topic.DISK, Cause.NO_RIGHT, f"/proc/{machine.process.pid}/io"),)


def _notes(machine: Machine) -> tuple[Unmeasured, ...]:
    """Note what cannot be measured of a machine wherever its process is counted."""
    usage = machine.usage
    if usage is None:
        return ()
    notes = [] if usage.has_named_threads else [Unmeasured(Topic.VCPUS, Cause.UNNAMED_THREADS)]
    if usage.taps is None:
        notes.append(Unmeasured(Topic.NETWORK, Cause.NO_RIGHT, "the open files of its process"))
    elif not usage.taps:
        notes.append(Unmeasured(Topic.NETWORK, Cause.NO_TAP))
    return tuple(notes)
