"""A host with a kernel of its own: user-mode Linux on the lab's network, with a clock that is not this machine's."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.helpers.lab.far_boot import V2, common, serving
from tests.helpers.lab.far_hosts import FarHost, FarHosts, ip
from tests.helpers.lab.process import Daemon, LabUnavailable, find_program
from tests.helpers.lab.uml import MODULES, kernel_command
from tests.helpers.patience import EXTERNAL_S

_DISK = "/dev/ubda"  # engines cannot keep their layers on the machine's own file system as this kernel sees it
_INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mkdir -p /run/modules/lib/modules
ln -s {modules}/$(uname -r) /run/modules/lib/modules/$(uname -r)
for module in overlay bridge veth; do modprobe -d /run/modules $module; done
mount -t cgroup2 cgroup2 /sys/fs/cgroup
date -s "+{ahead_s} seconds" >/dev/null
ip link set vec0 name eth0
ip address add {address}/24 dev eth0
ip link set eth0 up
mount -t ext4 {disk} {folder}/docker
"""


@dataclass
class FarKernel(FarHost):
    """A host whose clock is ahead of this machine's, with a processor, memory and processes that are its own."""

    ahead_s: int = 0

    def start(self) -> None:
        """Boot it."""
        if not Path("/sys/class/net", self.port).exists():
            ip("tuntap", "add", self.port, "mode", "tap")
        ip("link", "set", self.port, "master", self.net.name, "up")
        init = self.folder / "init"
        (self.folder / "docker").mkdir(exist_ok=True)
        words = {"folder": self.folder, "modules": MODULES, "ahead_s": self.ahead_s, "address": self.address}
        init.write_text(
            _INIT.format(disk=_DISK, **words) + common(self.folder, self.name) + V2 + serving(self.folder, True, False)
        )
        init.chmod(0o755)
        network = f"vec0:transport=tap,ifname={self.port},depth=128,gro=1"
        self.daemon = Daemon([*kernel_command(self.folder, init), network], self.folder / "log")

    def inside(self, *words: str) -> str:
        """Run a command there through SSH: its namespaces are its kernel's own."""
        ssh = [f"{self.folder.parent}/bin/ssh", "-o", "BatchMode=yes", self.name, shlex.join(words)]
        return subprocess.run(ssh, check=True, capture_output=True, text=True, timeout=EXTERNAL_S).stdout

    def kill(self) -> None:
        """Cut its power."""
        super().kill()
        subprocess.run([find_program("ip"), "link", "delete", self.port], check=False, capture_output=True)


def add_kernel(lab: FarHosts, name: str, ahead_s: int) -> FarHost:
    """Start a host with a kernel and a clock of its own beside the others."""
    for program in ("linux.uml", "mkfs.ext4", "dockerd"):
        find_program(program)
    if not MODULES.is_dir():
        raise LabUnavailable(f"there are no modules in {MODULES}")
    return lab.start(FarKernel(name, lab.next_number(), lab.folder / name, lab.net, ahead_s=ahead_s))
