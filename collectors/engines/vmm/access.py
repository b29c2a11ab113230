"""Access to single machines that no manager is known to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collectors.engines.access import EngineAccess, plain_details
from collectors.model.actions import EngineActions
from collectors.model.console import Console
from collectors.model.details import RawDescription, Table
from collectors.model.workloads import Workload


class VmmAccess(EngineAccess):
    """What can be done with a machine through its process."""

    def details(self) -> Callable[[Workload], list[Table]]:
        return machine_details

    def raw_description(self, workload: Workload) -> RawDescription:
        from collectors.engines.vmm.machines import command_line, process_of
        from collectors.safety.redact import redact_text

        return RawDescription("command line of its process", redact_text("\n".join(command_line(process_of(workload)))))


class QemuAccess(VmmAccess):
    """What can be done with plain QEMU."""

    def actions(self, workload: Workload) -> EngineActions:
        from collectors.engines.vmm.actions import QmpActions

        return QmpActions()

    def details(self) -> Callable[[Workload], list[Table]]:
        return qemu_details

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        from collectors.engines.vmm.machines import command_line, process_of
        from collectors.engines.vmm.serial_console import SerialConsole
        from collectors.model.errors import SourceAbsent

        if command:
            raise SourceAbsent("its console runs no commands: open it without one, and type there")
        process = process_of(workload)
        return SerialConsole(process, command_line(process))


def machine_details(workload: Workload) -> list[Table]:
    """Return what the sources know of a machine without a process; the kernel's details describe the process."""
    from collectors.kernel.vmm.scan import machine_of

    return plain_details(workload) if machine_of(*workload.id[:2]) is None else []


def qemu_details(workload: Workload) -> list[Table]:
    """Return what QEMU says. A socket that is taken leaves a note."""
    from collectors.engines.vmm.actions import socket_of
    from collectors.engines.vmm.details import qemu_tables
    from collectors.engines.vmm.machines import process_of
    from collectors.model.details import Fact, Page
    from collectors.model.errors import SourceError
    from collectors.safety.sanitize import sanitize

    process = process_of(workload)
    try:
        return qemu_tables(process, socket_of(process))
    except SourceError as error:
        note = f"{error.reason} (fix: {error.remedy})" if error.remedy else error.reason
        return [
            Table(
                Page.FACTS, "QEMU", facts=(Fact("QMP socket", sanitize(process.control_socket or "none")),), note=note
            )
        ]
