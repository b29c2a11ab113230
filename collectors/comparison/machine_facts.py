"""Facts about a virtual machine that its VMM process shows: for machines whose manager is not asked."""

from __future__ import annotations

import os

from collectors.comparison.isolation_summary import words_of
from collectors.kernel.isolation import Isolation
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.facts import Fact, unknown

_ACCELERATORS = {
    "anon_inode:kvm-vm": "hardware virtualisation (KVM)",
    "/dev/kvm": "hardware virtualisation (KVM)",
    "/dev/vboxdrv": "hardware virtualisation (VirtualBox)",
    "/dev/vboxdrvu": "hardware virtualisation (VirtualBox)",
    "/dev/vmmon": "hardware virtualisation (VMware)",
}
"""What a VMM has open by what that means."""
_MOST_FILES = 4096
_BLOCK = 512
"""Bytes in a unit of `st_blocks` (stat(3type))."""


def of_machine(process: VmmProcess, walls: Isolation | None, proc: str = "/proc") -> dict[str, Fact]:
    """Return `isolation`, `system` and `size_bytes` of a machine.

    Args:
        process: Its VMM.
        walls: The isolation of that process, a second barrier; `None` if it could not be read.
        proc: Where procfs is mounted.
    """
    return {
        "isolation": _isolation(process, walls, proc),
        "system": unknown("only the guest knows it: no manager with a guest agent is asked"),
        "size_bytes": _size(process, proc),
    }


def _isolation(process: VmmProcess, walls: Isolation | None, proc: str) -> Fact:
    accelerator = _accelerator(f"{proc}/{process.pid}/fd")
    if accelerator is None:
        return unknown("the open files of its VMM process cannot be read: this needs root")
    parts = [accelerator, process.family.product, *(words_of(walls) if walls is not None else ())]
    return Fact(", ".join(parts), "open files, namespaces and status of its VMM process in /proc")


def _accelerator(folder: str) -> str | None:
    """Return what runs the guest's instructions; `None` without the right to see it."""
    try:
        numbers = os.listdir(folder)[:_MOST_FILES]
    except OSError:
        return None
    for number in numbers:
        try:
            target = os.readlink(f"{folder}/{number}")
        except OSError:
            continue  # it was closed meanwhile
        if target in _ACCELERATORS:
            return _ACCELERATORS[target]
    return "emulation in software"


def _size(process: VmmProcess, proc: str) -> Fact:
    if not process.disks:
        return unknown("the command line of its VMM names no disk")
    total = 0
    for disk in process.disks:
        try:
            total += os.stat(process.root_path(disk, proc)).st_blocks * _BLOCK
        except OSError:
            return unknown("not all of its disks can be seen by this user")
    return Fact(float(total), "blocks of the files that its VMM's command line names as disks")
