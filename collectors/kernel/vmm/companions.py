"""Which processes belong to a machine beside its VMM, so that a cgroup with only these is the machine's."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.kernel.procfs import read_bytes, read_process_stat

_HELPERS = frozenset(
    {
        *("swtpm", "virtiofsd", "jailer", "qemu-bridge-hel"),
        *("passt", "passt.avx2", "slirp4netns", "gvproxy", "vmnet-natd"),
        *("VBoxSVC", "VBoxXPCOMIPCD", "VBoxNetDHCP", "VBoxNetNAT"),
    }
)
"""Names of processes that only serve machines."""
_HELPER_BEGINNINGS = ("vhost", "kvm-", "containerd-shim")
"""Beginnings of such names: back ends of devices, threads that the kernel starts for KVM, and the shim of Kata."""
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "busybox", "su", "runuser", "setpriv", "timeout", "nice"})
"""Names of processes that a service starts its VMM through, and that wait for its end."""
_DEPTH = 16


def is_alone(pids: Iterable[int], vmm: int, is_service: bool, proc: str = "/proc") -> bool:
    """Return whether all of these processes are a machine's: its VMM, what that started, and its helpers.

    Args:
        pids: All processes of a cgroup.
        vmm: The pid of the VMM.
        is_service: Whether it is a service: a shell that started the VMM is then part of it, and elsewhere a user's.
        proc: The path of procfs.
    """
    others = [pid for pid in pids if pid != vmm]
    above = _ancestors(vmm, proc) if is_service and others else frozenset()
    return all(_belongs(pid, vmm, above, proc) for pid in others)


def _belongs(pid: int, vmm: int, above: frozenset[int], proc: str) -> bool:
    stat = read_process_stat(proc, pid)
    if stat is None or stat.is_zombie:
        return True  # it uses nothing any more
    name = (read_bytes(f"{proc}/{pid}/comm") or b"").decode("utf-8", "replace").rstrip("\n")
    if name in _HELPERS or name.startswith(_HELPER_BEGINNINGS) or (pid in above and name in _SHELLS):
        return True
    return vmm in _ancestors(pid, proc)


def _ancestors(pid: int, proc: str) -> frozenset[int]:
    found: set[int] = set()
    for _ in range(_DEPTH):
        stat = read_process_stat(proc, pid)
        if stat is None or stat.parent_pid <= 1 or stat.parent_pid in found:
            break
        pid = stat.parent_pid
        found.add(pid)
    return frozenset(found)
