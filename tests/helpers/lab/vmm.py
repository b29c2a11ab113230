"""Virtual machines that no manager runs: real QEMUs in cgroups of the test's own, and stand-ins for other VMMs."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path

from collectors.kernel.cgroup.hierarchy import detect
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.process import Daemon, find_program, made_anew, require_root, wait_until

_KVM_CREATE_VM = 0xAE01
_KVM_MODEL = "qemu64,-arch-capabilities"
"""A CPU that nested kernels can run, too."""
_STAND_IN = r"""
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static void *run(void *number) {
    char name[16];
    snprintf(name, sizeof name, getenv("THREADS"), (int)(long)number);
    pthread_setname_np(pthread_self(), name);
    struct timespec start, now;
    for (;; usleep(50000)) {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
        do clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        while ((now.tv_sec - start.tv_sec) * 1000000000L + now.tv_nsec - start.tv_nsec < 1000000);
    }
}
int main(void) {
    pthread_t thread;
    char *held = malloc(8 << 20);
    memset(held, 1, 8 << 20);
    for (long number = 0; getenv("THREADS") && number < 2; number++) pthread_create(&thread, 0, run, (void *)number);
    for (;;) pause();
}
"""
"""Holds 8 MiB; with `THREADS`, two threads of such names use about 2 % of a core each."""


def has_kvm() -> bool:
    """Return whether this machine runs virtual machines by KVM."""
    try:
        device = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.close(fcntl.ioctl(device, _KVM_CREATE_VM, 0))
    except OSError:
        return False
    finally:
        os.close(device)
    return True


class VmmLab:
    """Starts VMMs, and ends them all.

    Args:
        folder: For the files of the machines.
    """

    def __init__(self, folder: Path) -> None:
        made_anew(folder)
        self.folder = folder
        mounts = detect().mounts
        keys = ("unified", "memory", "cpuacct", "cpu", "pids", "freezer", "blkio")
        self._roots = [Path(root) for root in sorted({mounts[key] for key in keys if key in mounts})]
        self._slice = f"vmtop-vmm-{os.getpid()}.slice"
        self._daemons: list[Daemon] = []
        self._children: list[int] = []
        self._taps: list[str] = []

    def group(self, name: str) -> str:
        """Make a cgroup, such as `session-4.scope`, in a slice of this lab's own, and return its path."""
        for root in self._roots:
            (root / self._slice / name).mkdir(parents=True, exist_ok=True)
        return f"/{self._slice}/{name}"

    def start(self, words: Sequence[str], group: str = "", threads: str = "") -> Daemon:
        """Start a program in a cgroup, as the only one that its own shell becomes."""
        enter = "".join(f"echo $$ >{root}{group}/cgroup.procs; " for root in self._roots if group)
        argv = [find_program("sh"), "-c", f'{enter}exec "$@"', "sh", *words]
        log = self.folder / f"{len(self._daemons)}.log"
        daemon = Daemon(argv, log, {"THREADS": threads} if threads else None)
        self._daemons.append(daemon)
        program = words[0].rpartition("/")[2]
        daemon.wait_until(lambda: _runs(daemon.pid, program), 10, f"the start of {program}")
        return daemon

    def qemu(
        self, name: str, *words: str, group: str = "", sector: BootSector = BootSector.IDLE, is_kvm: bool = False
    ) -> Daemon:
        """Start a QEMU with 64 MiB whose QMP socket is `NAME.qmp`, and wait until it answers: then it is set up."""
        disk = self.folder / f"{name}.img"
        disk.write_bytes(sector.value.ljust(510, b"\0") + b"\x55\xaa" + bytes((1 << 20) - 512))
        monitor = self.folder / f"{name}.qmp"
        program = find_program("qemu-system-x86_64")
        daemon = self.start(
            [program, "-accel", "kvm" if is_kvm else "tcg", *(("-cpu", _KVM_MODEL) if is_kvm else ()), "-m", "64",
             "-display", "none", "-nodefaults", "-drive", f"file={disk},format=raw,if=ide",
             *words, "-qmp", f"unix:{monitor},server=on,wait=off"],
            group,
        )  # fmt: skip
        daemon.wait_until(lambda: answers(monitor), 20, f"the monitor of {name}")
        if any("debug-threads=on" in word for word in words):
            daemon.wait_until(lambda: _has_named_threads(daemon.pid), 20, f"the virtual CPUs of {name}")
        return daemon

    def stand_in(self, program: str, arguments: Sequence[str], group: str = "", threads: str = "") -> Daemon:
        """Start a harmless process of a VMM's name and command line."""
        return self.start([str(self.program(program)), *arguments], group, threads)

    def program(self, name: str) -> Path:
        """Return the path of such a stand-in."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            shutil.copy(self._stand_in_program, path)
        return path

    def many(self, count: int, group: str, program: str = "qemu-system-x86_64") -> list[int]:
        """Start many small processes of a program's name in a cgroup, and return their pids."""
        path = self.folder / "many" / program
        path.parent.mkdir(exist_ok=True)
        shutil.copy(find_program("busybox"), path)
        pids = [os.posix_spawn(path, ["sleep", "600"], os.environ) for _ in range(count)]
        self._children += pids
        for root in self._roots:
            for pid in pids:
                (Path(f"{root}{group}") / "cgroup.procs").write_text(str(pid))
        return pids

    def start_as(self, pid: int, group: str) -> bool:
        """Start such a process with a pid that was used before; return whether it got it (proc_sys_kernel(5))."""
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
        (got,) = self.many(1, group)
        if got != pid:
            self.end()
        return got == pid

    def end(self) -> None:
        """End everything that runs."""
        for daemon in self._daemons:
            daemon.kill()
        for pid in self._children:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def tap(self, name: str) -> None:
        """Make a tap device that is up, and goes with the lab."""
        ip = find_program("ip")
        subprocess.run([ip, "tuntap", "add", name, "mode", "tap"], check=True)
        self._taps.append(name)
        subprocess.run([ip, "link", "set", name, "up"], check=True)

    @cached_property
    def _stand_in_program(self) -> Path:
        source, program = self.folder / "stand-in.c", self.folder / "stand-in"
        source.write_text(_STAND_IN)
        subprocess.run([find_program("gcc"), "-O1", "-pthread", "-o", str(program), str(source)], check=True)
        return program

    def close(self) -> None:
        """End everything and remove the cgroups."""
        self.end()
        for name in self._taps:
            subprocess.run([find_program("ip"), "link", "delete", name], check=False)
        for root in self._roots:
            top = root / self._slice
            for folder in sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True):
                wait_until(partial(_is_removed, folder), 10, f"the end of {folder}")
            if top.is_dir():
                top.rmdir()


def _runs(pid: int, program: str) -> bool:
    """Return whether a process runs a program; not in the moment in which it becomes that program."""
    try:
        return program in os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return False


def answers(monitor: Path) -> bool:
    """Tell whether a command is carried out: QEMU greets, from another thread, while other devices have no socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(monitor))
            with client.makefile("rwb") as lines:
                greeting = lines.readline()
                lines.write(b'{"execute": "qmp_capabilities"}\n')
                lines.flush()
                return greeting.startswith(b'{"QMP"') and b'"return"' in lines.readline()
        except OSError:
            return False


def _has_named_threads(pid: int) -> bool:
    return any(path.read_text().startswith("CPU 0/") for path in Path(f"/proc/{pid}/task").glob("*/comm"))


def _is_removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


@contextmanager
def vmm_lab(folder: Path) -> Iterator[VmmLab]:
    """Give a lab, and clean up whatever happens."""
    require_root()
    lab = VmmLab(folder)
    try:
        yield lab
    finally:
        lab.close()
