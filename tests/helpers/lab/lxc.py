"""Containers of plain LXC in a folder of the test run's own."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.lab.container_root import make_root
from tests.helpers.lab.docker_engine import MIB
from tests.helpers.lab.process import find_program, made_anew, remove_cgroups, require_root
from tests.helpers.patience import EXTERNAL_S

LIMIT = 64 * MIB
_CONFIG = """
lxc.rootfs.path = dir:{root}
lxc.uts.name = {name}
lxc.net.0.type = empty
lxc.init.cmd = /bin/sh /sbin/init
lxc.mount.auto = proc:mixed sys:ro
lxc.apparmor.profile = unconfined
lxc.cgroup.memory.limit_in_bytes = {limit}
lxc.cgroup2.memory.max = {limit}
lxc.prlimit.nofile = 1024
lxc.console.logfile = {folder}/{name}/console.log
lxc.environment = LAB_PASSWORD=do-not-show
"""


class LxcLab:
    """A folder of containers."""

    def __init__(self, folder: Path) -> None:
        require_root()
        find_program("lxc-start")
        made_anew(folder)
        self.folder = folder
        self._root = make_root(folder / ".root")
        self._names: list[str] = []

    def create(self, name: str) -> Workload:
        """Make a container that does not run; all share one file system."""
        self._names.append(name)
        (self.folder / name).mkdir()
        config = _CONFIG.format(root=self._root, name=name, folder=self.folder, limit=LIMIT)
        (self.folder / name / "config").write_text(config)
        return Workload(WorkloadId("lxc", f"{self.folder}/{name}"), Kind.CONTAINER, name, State.STOPPED)

    def start(self, name: str) -> Workload:
        """Make a container and start it."""
        made = self.create(name)
        self.run("lxc-start", name)
        return made

    def run(self, program: str, name: str, *options: str) -> str:
        """Run one of LXC's commands and return what it printed."""
        words: Sequence[str] = (find_program(program), "-P", str(self.folder), "-n", name, *options)
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=EXTERNAL_S).stdout

    def state(self, name: str) -> str:
        """Return the state in LXC's words."""
        return self.run("lxc-info", name, "-s", "-H").strip()

    def remove(self) -> None:
        """End what runs."""
        for name in self._names:
            if self.state(name) != "STOPPED":
                self.run("lxc-stop", name, "-k")
            remove_cgroups(f"lxc.*.{name}")


@contextmanager
def lxc_containers(folder: Path) -> Iterator[LxcLab]:
    """Give the folder, and end its containers afterwards."""
    lab = LxcLab(folder)
    try:
        yield lab
    finally:
        lab.remove()
