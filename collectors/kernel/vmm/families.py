"""The families of VMMs: how each is recognized, and how its command line is read. A table only."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from collectors.kernel.vmm.hypervisors import (
    read_cloud_hypervisor,
    read_crosvm,
    read_firecracker,
    read_kvmtool,
    read_virtualbox,
    read_vmware,
)
from collectors.kernel.vmm.machine_facts import MachineFacts
from collectors.kernel.vmm.qemu import read_qemu


class Family(NamedTuple):
    """One VMM program, under all names that it has."""

    product: str
    program: str
    """Regular expression for the name of its executable."""
    read: Callable[[Sequence[str]], MachineFacts | None]
    """Reads its command line; returns `None` if that runs no machine."""
    vcpu_thread: str
    """Regular expression for the names of the threads of its virtual CPUs."""


FAMILIES: tuple[Family, ...] = (
    Family("QEMU", r"\.?qemu-system-[\w.-]+|qemu-kvm|kvm", read_qemu, r"CPU \d+/\w+"),
    Family("VirtualBox", r"VBoxHeadless|VirtualBoxVM|VBoxSDL", read_virtualbox, r"EMT(?:-\d+)?"),
    Family("VMware", r"vmware-vmx(?:-debug|-stats)?", read_vmware, r"vmx-vcpu-\d+"),
    Family("Firecracker", r"firecracker(?:-v\d[\w.-]*)?", read_firecracker, r"fc_vcpu ?\d+"),
    Family(
        "Cloud Hypervisor", r"cloud-hypervisor(?:-(?:static|v\d|x86|aarch)[\w.-]*)?", read_cloud_hypervisor, r"vcpu\d+"
    ),
    Family("crosvm", r"crosvm", read_crosvm, r"crosvm_vcpu\d+"),
    Family("kvmtool", r"lkvm(?:-static)?|kvmtool", read_kvmtool, r"kvm-vcpu-\d+"),
)
"""A new VMM is one row, and a function that reads its command line."""


def _read_unknown(words: Sequence[str]) -> MachineFacts:
    return MachineFacts("vmm", name=words[0].rpartition("/")[2] if words else None)


KVM_USER = Family("unknown VMM", "", _read_unknown, r".*vcpu.*|CPU \d+/\w+")
"""A program of no known family that runs a machine with KVM."""
_PROGRAMS = re.compile("|".join(f"(?P<f{number}>{family.program})" for number, family in enumerate(FAMILIES)))
_DELETED = " (deleted)"


def family_of(executable: str) -> Family | None:
    """Return the family of an executable by its path, as `/proc/PID/exe` has it; `None` if it is no VMM."""
    name = executable.removesuffix(_DELETED).rpartition("/")[2]
    match = _PROGRAMS.fullmatch(name)
    return FAMILIES[int((match.lastgroup or "f0")[1:])] if match else None


def family_of_names(command_name: str, first_word: str) -> Family | None:
    """Return the family of a process whose executable may not be read: both of its names have to tell the same.

    The process chooses both.

    Args:
        command_name: `/proc/PID/comm`, at most 15 characters of a name.
        first_word: The first word of its command line.
    """
    family = family_of(first_word)
    name = first_word.rpartition("/")[2]
    return family if family is not None and command_name and name[:15] == command_name else None
