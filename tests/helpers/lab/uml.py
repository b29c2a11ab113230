"""A kernel with pure cgroup v2: user-mode Linux on this machine's own root file system, with a Docker engine inside.

The checkout and its virtual environment are there under their usual paths. What runs inside writes as root on the
host's disk, so everything that has a choice is pointed at `/run/lab`, a disk image of the run's own.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.helpers.checkout import ROOT
from tests.helpers.lab.docker_engine import ENGINE_MOUNTS
from tests.helpers.lab.process import (
    Daemon,
    LabUnavailable,
    find_program,
    in_private_mounts,
    made_anew,
    require_root,
)

MODULES = Path("/usr/lib/uml/modules")
_DISK_BYTES = 2 << 30
_SPARE_BYTES = 64 << 20

# /run/lab is a real block device, so that io.stat counts. Kernel threads stay in the root group: the realtime ones
# would keep the cpu controller from being enabled.
_INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/lab
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t ext4 /dev/ubda /run/lab
mkdir -p /run/modules/lib/modules
ln -s {modules}/$(uname -r) /run/modules/lib/modules/$(uname -r)
[ ! -d /lib/modules ] || mount --bind /run/modules/lib/modules /lib/modules
ip link set lo up
mkdir /sys/fs/cgroup/init.scope
echo $$ >/sys/fs/cgroup/init.scope/cgroup.procs
echo "+cpu +memory +io +pids" >/sys/fs/cgroup/cgroup.subtree_control
for module in overlay bridge veth; do modprobe -d /run/modules $module; done
mkdir /run/lab/tmp
{engine} >{folder}/dockerd.log 2>&1 &
for turn in $(seq 300); do [ -S /run/docker.sock ] && break; sleep 0.1; done
cd {root}
{command} >{folder}/output 2>&1 </dev/null
echo $? >{folder}/status
poweroff -f
"""


@dataclass
class UmlLab:
    """Boots a fresh kernel for each command. Every run has a folder of its own below `folder`."""

    folder: Path
    _numbers: "count[int]" = field(default_factory=count)

    def run(
        self, argv: Sequence[str], timeout_s: float = 240, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Boot, start a Docker engine, run a command in the checkout, and halt.

        Args:
            argv: The command; it finds the engine in `DOCKER_HOST`.
            timeout_s: For all of it; the boot takes about a second, the engine about two.
            environment: Added to the command's environment.

        Returns:
            Exit status and output (both outputs, in `stdout`) of the command.

        Raises:
            TimeoutError: It took too long; the message ends with what the kernel and the command said.
            ChildProcessError: The kernel halted without running the command to its end.
        """
        folder = self.folder / str(next(self._numbers))
        made_anew(folder)
        init = _write_init(folder, argv, environment or {})
        kernel = Daemon(kernel_command(folder, init), folder / "console")
        try:
            kernel_ended = kernel.wait(timeout_s)
        finally:
            kernel.stop(2)
        output = _text(folder / "output")
        if not kernel_ended:
            raise TimeoutError(f"{shlex.join(argv)}: no end within {timeout_s:g} s\n{kernel.log_tail()}\n{output}")
        if not (folder / "status").exists():
            raise ChildProcessError(f"the user-mode kernel halted early\n{kernel.log_tail()}\n{output}")
        return subprocess.CompletedProcess(argv, int(_text(folder / "status")), output, "")


def uml_kernel(folder: Path) -> UmlLab:
    """Return the lab, or raise `LabUnavailable` when this machine cannot boot the kernel."""
    require_root()
    for program in ("linux.uml", "mkfs.ext4", "dockerd"):
        find_program(program)
    if not MODULES.is_dir():
        raise LabUnavailable(f"there are no modules in {MODULES}")
    return UmlLab(folder)


def kernel_command(folder: Path, init: Path) -> list[str]:
    """Make two disk images in a folder, one of them empty, and return the words that boot a kernel with them."""
    disk = folder / "disk.img"
    spare = folder / "spare.img"
    for path, length in ((disk, _DISK_BYTES), (spare, _SPARE_BYTES)):
        with path.open("wb") as image:
            image.truncate(length)
    subprocess.run([find_program("mkfs.ext4"), "-q", "-E", "nodiscard", str(disk)], check=True)
    return [
        *(find_program("linux.uml"), "mem=2G", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", "quiet"),
        *(f"ubd0={disk}", f"ubd1={spare}", f"uml_dir={folder}/uml/", f"init={init}", "con=null", "con0=null,fd:1"),
    ]


def _write_init(folder: Path, argv: Sequence[str], environment: Mapping[str, str]) -> Path:
    exported = {
        "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/run/lab",
        "TMPDIR": "/run/lab/tmp",
        "LANG": "C.UTF-8",
        "DOCKER_HOST": "unix:///run/docker.sock",
        "VMTOP_INSIDE_UML": "1",
        "VMTOP_LAB_ROOT": "/run/lab",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
        "HYPOTHESIS_STORAGE_DIRECTORY": "/run/lab/hypothesis",
        **{name: value for name, value in os.environ.items() if name == "VMTOP_REQUIRE_LAB"},
        **environment,
    }
    engine = [
        *(find_program("dockerd"), "--config-file", f"{folder}/daemon.json", "--host", "unix:///run/docker.sock"),
        *("--pidfile", "/run/docker.pid", "--data-root", "/run/lab/docker", "--exec-root", "/run/docker"),
        *("--iptables=false", "--userland-proxy=false"),
    ]
    script = _INIT.format(
        modules=MODULES,
        folder=folder,
        root=shlex.quote(str(ROOT)),
        engine=shlex.join(in_private_mounts(ENGINE_MOUNTS, engine)),
        command=shlex.join(argv),
    )
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in exported.items())
    first, rest = script.split("\n", 1)
    (folder / "daemon.json").write_text("{}")
    init = folder / "init"
    init.write_text(f"{first}\n{exports}{rest}")
    init.chmod(0o755)
    return init


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
