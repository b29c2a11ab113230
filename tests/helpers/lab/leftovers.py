"""Cleans up after a test process that could not: one that was killed, or that had no time to stop its daemons.

`python -m tests.helpers.lab.leftovers PID FOLDER` waits until its standard input ends, as it does with the test
process. A line on it before says that all was stopped in order.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.helpers.checkout import ROOT
from tests.helpers.lab.process import end_cgroups, find_program, remove_cgroups, unmount_below

_BRIDGES = "dhv"
"""Purposes of bridges, as in the lab's network."""
PATTERNS = ("kubepods/*/pod{pid:08x}-*", "kubepods-*-pod{pid:08x}_*", "default/{pid:064x}", "vmtop-far-{pid}-*")
"""Cgroups of containerd's pods and containers, and of the hosts, in the lab."""
_GRACE_S = 2.0
"""For daemons that end with the test process by themselves."""


@contextmanager
def watched_over(folder: Path) -> Iterator[None]:
    """Have whatever is left in a folder of the lab cleaned up should this process end too early."""
    argv = [sys.executable, "-m", "tests.helpers.lab.leftovers", str(os.getpid()), str(folder)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, start_new_session=True, cwd=ROOT) as cleaner:
        assert cleaner.stdin is not None
        yield
        cleaner.stdin.write(b"stopped\n")
        cleaner.stdin.close()


def clean_up(pid: int, folder: Path) -> None:
    """End the processes of a folder, and remove the bridges, cgroups and files of the process that made it."""
    time.sleep(_GRACE_S)
    for process in processes_of(folder):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    for purpose in _BRIDGES:
        subprocess.run(
            [find_program("ip"), "link", "delete", f"vmtop{purpose}{pid}"], stderr=subprocess.DEVNULL, check=False
        )
    time.sleep(_GRACE_S)
    for pattern in PATTERNS:
        end_cgroups(pattern.format(pid=pid))
    remove_cgroups(f"machine/qemu-*-{pid}.libvirt-qemu")
    remove_cgroups(f"lxc.*vmtop-{pid}-*")
    remove_cgroups(f"vmtop-{pid}-nspawn.service")
    unmount_below(folder)
    shutil.rmtree(folder, ignore_errors=True)


def processes_of(folder: Path) -> Iterator[int]:
    """Yield the ids of the processes whose command line names a folder, this one excepted, and of their children.

    A container of Podman is the child of a monitor, and does not end with it.
    """
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if os.fsencode(folder) in (entry / "cmdline").read_bytes():
                    children = (entry / "task" / entry.name / "children").read_text().split()
                    yield from map(int, [entry.name, *children])


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the test process's
    if not sys.stdin.buffer.read():
        clean_up(int(sys.argv[1]), Path(sys.argv[2]))
