"""One VMM process, found by its pid."""

from __future__ import annotations

import os
from typing import NamedTuple

from collectors.kernel.procfs import ProcessStat, read_bytes, read_process_stat
from collectors.kernel.vmm.families import KVM_USER, Family, family_of, family_of_names
from collectors.kernel.vmm.machine_facts import MachineFacts
from collectors.kernel.vmm.qemu import name_of_disk

NO_MANAGER = "vmm"
"""The engine of machines that no manager is known to run."""
_LONGEST_COMMAND = 1 << 17
_USERS = "/user.slice/"
_SYSTEM_MANAGERS = frozenset({"proxmox", "multipass", "kata", "lxd", "incus"})
"""Managers that are services of root: what a user starts in a session is not theirs, whatever it calls itself."""
_RUN_AS_ROOT = frozenset({"proxmox", "multipass"})
"""Those whose VMMs run as root as well, wherever: their commands act as root on what a command line names."""


class VmmProcess(NamedTuple):
    """A process that runs a virtual machine. Texts are from outside and not sanitized."""

    pid: int
    start_ticks: int
    """Clock ticks from the boot to its start: with the pid, what identifies the process."""
    uid: int
    """The user that it runs as."""
    cgroups: tuple[str, ...]
    """Its path in each cgroup hierarchy, the longest first; empty where it cannot be seen."""
    facts: MachineFacts
    family: Family
    """The VMM's program."""
    executable: str | None
    """The path of its program; `None` if this user may not see it: the process then only calls itself so."""
    parent_pid: int

    @property
    def cgroup(self) -> str:
        """Its cgroup's path, the longest of all hierarchies; `/` where it is in none, or it cannot be seen."""
        return self.cgroups[0] if self.cgroups else "/"

    @property
    def engine(self) -> str:
        """The value of `WorkloadId.engine`."""
        return self.facts.engine

    @property
    def id(self) -> str:
        """The value of `WorkloadId.id`: the manager's id, or the machine's UUID, or else `PID-STARTTICKS`."""
        return self.facts.id or self.own_id

    @property
    def own_id(self) -> str:
        """`PID-STARTTICKS`, which no other process has until the next boot."""
        return f"{self.pid}-{self.start_ticks}"

    @property
    def identities(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """The engine and id of its workload, and those that it has instead while another process claims the same."""
        return (self.engine, self.id), (NO_MANAGER, self.own_id)

    @property
    def name(self) -> str:
        """The name by which users know the machine; that of its disk, or of its program, where it was given none."""
        return self.facts.name or name_of_disk(self.facts.disks) or f"{self.family.product} {self.pid}"

    @property
    def name_is_known(self) -> bool:
        """Whether it is a name, and not an id that stands for one."""
        return self.facts.has_name

    @property
    def vcpus(self) -> int | None:
        """Its virtual CPUs as of its start; `None` where neither its command line nor its configuration tells."""
        return self.facts.vcpus

    @property
    def memory_bytes(self) -> int | None:
        """The memory that its guest was given at its start; `None` as of `vcpus`."""
        return self.facts.memory_bytes

    @property
    def disks(self) -> tuple[str, ...]:
        """The files of its disks, as the process names them; relative ones are below its working directory."""
        return self.facts.disks

    @property
    def control_socket(self) -> str | None:
        """The path of its API or QMP socket, as the process names it: within its own root, see `root_path`."""
        return self.facts.control_socket

    @property
    def config_path(self) -> str | None:
        """The path of its configuration, as the process names it."""
        return self.facts.config_path

    def with_configuration(self, vcpus: int | None, memory_bytes: int | None) -> VmmProcess:
        """Return it with what its configuration file says, which QEMU reads after the command line."""
        facts = self.facts._replace(vcpus=vcpus or self.vcpus, memory_bytes=memory_bytes or self.memory_bytes)
        return self._replace(facts=facts)

    def root_path(self, path: str, proc: str = "/proc") -> str:
        """Return a path that leads from outside to a file that the process names: it may be in a jail."""
        return f"{proc}/{self.pid}/root{path}" if path.startswith("/") else f"{proc}/{self.pid}/cwd/{path}"


def find(pid: int, proc: str = "/proc") -> VmmProcess | None:
    """Return the VMM process of a pid; `None` if there is no such process, or it runs no virtual machine.

    What it runs is judged by its executable. Where this user may not see that, its two names have to agree.
    """
    family, executable = _family(pid, proc)
    return None if family is None else _describe(pid, proc, family, executable)


def find_by_kvm(pid: int, proc: str = "/proc") -> VmmProcess | None:
    """Return a process that made a machine with KVM; `None` if it has ended, or is a VMM of a known family.

    A known one that `find` does not take for a machine is none: libvirt starts QEMU to ask what it can do.
    """
    family, executable = _family(pid, proc)
    return _describe(pid, proc, KVM_USER, executable) if family is None and executable is not None else None


def _family(pid: int, proc: str) -> tuple[Family | None, str | None]:
    try:
        executable = os.readlink(f"{proc}/{pid}/exe")
    except PermissionError:
        return _family_by_names(pid, proc), None
    except OSError:  # it has ended, or it is a thread of the kernel
        return None, None
    return family_of(executable), executable


def _family_by_names(pid: int, proc: str) -> Family | None:
    comm = (read_bytes(f"{proc}/{pid}/comm") or b"").decode("utf-8", "replace").rstrip("\n")
    if not comm.startswith(_BEGINNINGS):
        return None
    words = words_of(pid, proc)
    return family_of_names(comm, words[0]) if words else None


_BEGINNINGS = ("qemu", "kvm", "VBox", "Virt", "vmware", "firecracker", "cloud-hyp", "crosvm", "lkvm", ".qemu")
"""Beginnings of the names of VMMs: others need no second look."""


def words_of(pid: int, proc: str) -> list[str]:
    """Return the words of a process's command line, at most 128 KiB; empty if it has ended."""
    text = _read_at_most(f"{proc}/{pid}/cmdline", _LONGEST_COMMAND)
    return text.decode("utf-8", "surrogateescape").rstrip("\0").split("\0") if text else []


def _read_at_most(path: str, size: int) -> bytes:
    """Read the beginning of a file whose length its owner chooses; nothing if it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            text = b""
            while len(text) < size and (chunk := file.read(size - len(text))):
                text += chunk
            return text
    except OSError:
        return b""


def _describe(pid: int, proc: str, family: Family, executable: str | None) -> VmmProcess | None:
    before = read_process_stat(proc, pid)
    words = words_of(pid, proc)
    if before is None or before.is_zombie or not words:
        return None
    facts = family.read(words)
    cgroups, uid = _cgroups(pid, proc), _uid(pid, proc)
    is_same = _identity(read_process_stat(proc, pid)) == _identity(before) and _family(pid, proc)[1] == executable
    if facts is None or uid is None or not is_same:  # else its pid was reused while it was read
        return None
    in_session = any(path.startswith(_USERS) for path in cgroups)
    if uid != 0 and facts.engine in (_SYSTEM_MANAGERS if in_session else _RUN_AS_ROOT):
        facts = facts._replace(engine=NO_MANAGER, id=facts.uuid)
    return VmmProcess(pid, before.start_ticks, uid, cgroups, facts, family, executable, before.parent_pid)


def _identity(stat: ProcessStat | None) -> int | None:
    return None if stat is None else stat.start_ticks


def _cgroups(pid: int, proc: str) -> tuple[str, ...]:
    text = (read_bytes(f"{proc}/{pid}/cgroup") or b"").decode("utf-8", "surrogateescape")
    paths = {line.split(":", 2)[2].removesuffix(" (deleted)") for line in text.splitlines() if line.count(":") >= 2}
    return tuple(sorted(paths, key=len, reverse=True))


def _uid(pid: int, proc: str) -> int | None:
    """Return the effective user id: the second number of `Uid:` in proc_pid_status(5)."""
    status = read_bytes(f"{proc}/{pid}/status") or b""
    fields = status.partition(b"\nUid:")[2].partition(b"\n")[0].split()
    return int(fields[1]) if len(fields) == 4 else None
