"""An LXD daemon of the test run's own, with an image that is made here: it needs no network and no group."""

import json
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collectors.engines.lxd.client import LxdClient
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.lab.container_root import make_root
from tests.helpers.lab.process import (
    Daemon,
    find_program,
    listens,
    made_anew,
    remove_cgroups,
    require_root,
    unmount_below,
)
from tests.helpers.patience import EXTERNAL_S

IMAGE = "busybox lab"
_PRESEED = """
storage_pools: [{name: lab, driver: dir}]
projects: [{name: shop, config: {features.images: "false", features.profiles: "false"}}]
profiles:
- name: default
  config: {security.privileged: "true"}
  devices: {root: {type: disk, path: /, pool: lab}}
"""
_METADATA = f"""
architecture: x86_64
creation_date: 1700000000
properties: {{description: {IMAGE}, os: busybox, release: lab}}
"""


class LxdLab:
    """The daemon and its instances."""

    def __init__(self, folder: Path) -> None:
        require_root()
        find_program("lxc")
        made_anew(folder)
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.socket = self.home / "unix.socket"
        self.client = LxdClient(self.socket)
        self._names: list[str] = []
        argv = [find_program("lxd"), "--group", "root", "--logfile", str(folder / "lxd.log")]
        self.daemon = Daemon(argv, folder / "output", {"LXD_DIR": str(self.home)})

    def prepare(self) -> None:
        """Wait for the daemon, and give it a pool, a project and an image."""
        self.daemon.wait_until(lambda: listens(self.socket), 60, "LXD's socket")
        self.run("lxd", "waitready", f"--timeout={EXTERNAL_S}")
        self.run("lxd", "init", "--preseed", typed=_PRESEED)
        root = make_root(self.folder / "image" / "rootfs")
        (root.parent / "metadata.yaml").write_text(_METADATA)
        archive = self.folder / "image.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=1) as image:
            for name in ("metadata.yaml", "rootfs"):
                image.add(root.parent / name, name)
        self.run("lxc", "image", "import", str(archive), "--alias", "lab")

    def launch(self, name: str, *options: str, project: str = "default", starts: bool = True) -> Workload:
        """Make a container, and start it unless told not to."""
        self._names.append(name if project == "default" else f"{project}_{name}")
        self.run("lxc", "launch" if starts else "init", "lab", name, "--project", project, *options)
        state = State.RUNNING if starts else State.STOPPED
        return Workload(WorkloadId("lxd", f"{project}/{name}"), Kind.CONTAINER, name, state)

    def ask(self, path: str, **query: str) -> Any:
        """Return what the API says."""
        return self.client.get(path, **query)

    def run(self, *words: str, typed: str = "") -> str:
        """Run one of LXD's commands and return what it printed."""
        environment = {**os.environ, "LXD_DIR": str(self.home), "HOME": str(self.folder)}
        argv = [find_program(words[0]), *words[1:]]
        done = subprocess.run(argv, input=typed, capture_output=True, text=True, timeout=EXTERNAL_S, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def remove(self) -> None:
        """Delete all instances, running or not; one that LXD cannot delete at once, as it is ending, a bit later."""
        for is_last in (False, False, True):
            refusals = [said for one in self._listed() if (said := self._refusal_to_delete(one))]
            if not refusals:
                break
            assert not is_last, refusals
            time.sleep(2)
        self._names.clear()

    def _listed(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.run("lxc", "list", "--all-projects", "--format", "json"))
        return listed

    def _refusal_to_delete(self, instance: dict[str, Any]) -> str:
        try:
            self.run("lxc", "delete", "--force", instance["name"], "--project", instance["project"])
        except AssertionError as refusal:
            return str(refusal)
        return ""

    def end(self) -> None:
        """End the daemon and what it mounted."""
        try:
            if self.daemon.is_running:
                self.remove()
        finally:
            self.daemon.stop(10)
            for name in self._names:
                remove_cgroups(f"lxc.*.{name}")
            unmount_below(self.folder)


@contextmanager
def lxd_daemon(folder: Path) -> Iterator[LxdLab]:
    """Give the daemon, ready for instances."""
    lab = LxdLab(folder)
    try:
        lab.prepare()
        yield lab
    finally:
        lab.end()
