"""Finds the VMM processes of this host repeatedly. A process that has been looked at costs one entry of a listing."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from functools import cache

from collectors.kernel.oci.bundle import read_bundle
from collectors.kernel.vmm.configuration import read_configuration
from collectors.kernel.vmm.process import VmmProcess, find, find_by_kvm

SCAN_EVERY_S = 2.0
_FOLDERS_OF_ROOT = ("/run/incus/", "/run/lxd/", "/var/log/lxd/", "/var/log/incus/", "/var/snap/lxd/common/")
_OF_KVM = re.compile(r"(\d+)-\d+")
_LOOKS = 2
"""Scans in which a new process is looked at: a shell, or a service manager's child, may become a VMM (execve(2))."""
_AGAIN_IN = 30
"""Scans in which every process is looked at again, a part of them in each: a pid may be of another process by then."""


class VmmScan:
    """Keeps the VMM processes that run now. May be used from several threads.

    Args:
        proc: The path of procfs.
        clock: Returns seconds that only grow.
        sys: The path of sysfs.
    """

    def __init__(self, proc: str = "/proc", clock: Callable[[], float] = time.monotonic, sys: str = "/sys") -> None:
        self._proc = proc
        self._sys = sys
        self._clock = clock
        self._lock = threading.Lock()
        self._due = 0.0
        self.scans = 0
        """How often it was scanned."""
        self._seen: set[int] = set()
        self._found: dict[int, VmmProcess] = {}
        """By pid, the copies that a VMM makes of itself included."""
        self._new: list[set[int]] = [set() for _ in range(_LOOKS - 1)]
        """The pids that were new in the scans before, the newest first."""
        self.processes: dict[int, VmmProcess] = {}
        """By pid, one for each machine, as of the last scan."""

    def update(self, is_due: bool = False) -> dict[int, VmmProcess]:
        """Scan, if it is time or `is_due`, and return the processes."""
        with self._lock:
            now = self._clock()
            if now >= self._due or is_due:
                self._due = now + SCAN_EVERY_S
                self._scan()
            return self.processes

    def forget(self, pid: int) -> None:
        """Take a process for ended, until the next scan."""
        with self._lock:
            self._found.pop(pid, None)
            self._seen.discard(pid)
            self.processes = {other: process for other, process in self.processes.items() if other != pid}

    def _scan(self) -> None:
        pids = _pids(self._proc)
        new = pids - self._seen
        turn = self.scans % _AGAIN_IN
        again = {pid for pid in pids if pid % _AGAIN_IN == turn} if self.scans else set()
        for pid in self._found.keys() - pids:
            del self._found[pid]
        for pid in new.union(*self._new, again) & pids:
            self._look(pid, find(pid, self._proc))
        for pid in kvm_pids(self._sys) & pids - self._found.keys():
            self._look(pid, find_by_kvm(pid, self._proc))
        self.processes = {pid: process for pid, process in self._found.items() if not self._is_copy(process)}
        self._seen, self._new = pids, [new, *self._new][: _LOOKS - 1]
        self.scans += 1

    def _look(self, pid: int, found: VmmProcess | None) -> None:
        if found is None:
            self._found.pop(pid, None)
        else:
            self._found[pid] = self._named(self._configured(found))

    def _named(self, process: VmmProcess) -> VmmProcess:
        """Add the name of the pod to a machine that only has the id of a sandbox, from the bundle of its shim."""
        bundle = None if process.name_is_known else read_bundle(self._proc, process.pid, process.id)
        if bundle is None or bundle.pod is None:
            return process
        name = bundle.pod.rpartition("/")[2]
        return process._replace(facts=process.facts._replace(name=name, has_name=True, project=bundle.pod))

    def _is_copy(self, process: VmmProcess) -> bool:
        """Whether it is a child of a VMM, and says the same of itself: crosvm runs each device in such a process."""
        parent = self._found.get(process.parent_pid)
        return parent is not None and (parent.executable, parent.facts) == (process.executable, process.facts)

    def _configured(self, process: VmmProcess) -> VmmProcess:
        """Add what a configuration in a folder of root tells: one of a user's may be on a file system that hangs."""
        path = process.config_path or ""
        found = read_configuration(process, self._proc) if path.startswith(_FOLDERS_OF_ROOT) else None
        return process if found is None else process.with_configuration(found.vcpus, found.memory_bytes)


@cache
def shared_scan() -> VmmScan:
    """Return the scan of this host that all sources share: each process is looked at once."""
    return VmmScan()


def kvm_pids(sys: str) -> set[int]:
    """Return the pids of the processes that made a machine with KVM, whatever program they run.

    Only root sees them, and only while debugfs is mounted. Source: virt/kvm/kvm_main.c, kvm_create_vm_debugfs.
    """
    try:
        names = os.listdir(f"{sys}/kernel/debug/kvm")
    except OSError:
        return set()
    return {int(match[1]) for name in names if (match := _OF_KVM.fullmatch(name))}


def _pids(proc: str) -> set[int]:
    try:
        return {int(name) for name in os.listdir(proc) if name.isdecimal()}
    except OSError:
        return set()


def machine_of(engine: str, identity: str, proc: str = "/proc", sys: str = "/sys") -> VmmProcess | None:
    """Return the VMM process of a machine, by the engine and the id of its workload; the oldest of several.

    For what is read on demand: every process is looked at, unless the sources' scan knows the machine already.
    """
    known = shared_scan().processes.values() if proc == "/proc" else ()
    same = [process for process in known if (engine, identity) in process.identities]
    if len(same) == 1 and (again := find(same[0].pid, proc)) is not None and again.own_id == same[0].own_id:
        return same[0]
    pids = _pids(proc)
    found = [process for pid in pids if (process := find(pid, proc)) is not None]
    found += [process for pid in kvm_pids(sys) & pids if (process := find_by_kvm(pid, proc)) is not None]
    same = [process for process in found if (engine, identity) in process.identities]
    return min(same, key=lambda process: process.start_ticks, default=None)
