"""What a VMM's command line tells about its virtual machine. Plain data."""

from __future__ import annotations

from typing import NamedTuple


class MachineFacts(NamedTuple):
    """A machine as far as its VMM's command line describes it. Texts are as they were written, not sanitized."""

    engine: str
    """The value of `WorkloadId.engine`: the manager that is known to run it, `vmm` if none is."""
    id: str | None = None
    """The engine's own id; `None` where the command line has none."""
    name: str | None = None
    uuid: str | None = None
    """The machine's UUID in lower case, whatever its id is."""
    vcpus: int | None = None
    """Its virtual CPUs when it was started."""
    memory_bytes: int | None = None
    """The memory that it was given when it was started."""
    disks: tuple[str, ...] = ()
    """Files and devices that are its disks, as its process names them."""
    control_socket: str | None = None
    """The path of the socket of its API or its QMP, as its process names it."""
    config_path: str | None = None
    """The file with its configuration, as its process names it."""
    is_measured_by_manager: bool = False
    """Whether its manager counts what its virtual CPUs and interfaces do, as libvirt does."""
    has_name: bool = True
    """Whether users know it by the name that it has; false for an id that stands for a name."""
    project: str | None = None
    """The pod that it is, as `namespace/pod`."""
