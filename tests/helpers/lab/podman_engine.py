"""Podman of the test run's own: its storage, its settings and its API service are below one folder."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.helpers.lab.docker_engine import busybox_archive
from tests.helpers.lab.leftovers import processes_of
from tests.helpers.lab.process import (
    Daemon,
    cgroup_parents,
    find_program,
    in_private_mounts,
    listens,
    made_anew,
    remove_cgroups,
    require_root,
    wait_until,
)
from tests.helpers.patience import EXTERNAL_S

IMAGE = "localhost/busybox:lab"
NAME, USER, FIRST_SUBORDINATE = "vmtop-lab", 4242, 3_000_000
"""The user of the rootless Podman, and the first of the ids that its containers' users have."""
_SETTINGS = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
infra_image = "{image}"
tmp_dir = "{folder}/tmp"
[network]
network_config_dir = "{folder}/networks"
"""
_STORAGE = """
[storage]
driver = "vfs"
runroot = "{folder}/run"
graphroot = "{folder}/data"
"""


class PodmanLab:
    """Podman with the image `busybox:lab`.

    Args:
        folder: Where everything is.
        socket: Where the service listens.
        wrap: Makes a command of root one of the user whose Podman it is.
    """

    def __init__(self, folder: Path, socket: Path, wrap: Callable[[list[str]], list[str]] = list) -> None:
        self.folder = folder
        self.socket = socket
        self._wrap = wrap
        self._containers: list[str] = []
        self._pods: list[str] = []
        self._service: Daemon | None = None
        self.environment = {
            "CONTAINERS_CONF": f"{folder}/containers.conf",
            "CONTAINERS_STORAGE_CONF": f"{folder}/storage.conf",
        }
        (folder / "containers.conf").write_text(_SETTINGS.format(image=IMAGE, folder=folder))
        (folder / "storage.conf").write_text(_STORAGE.format(folder=folder))
        (folder / "image.tar").write_bytes(busybox_archive())
        self.podman("import", f"{folder}/image.tar", "busybox:lab")

    @property
    def url(self) -> str:
        """Its address."""
        return f"unix://{self.socket}"

    @property
    def service(self) -> Daemon:
        """The process that answers."""
        assert self._service is not None, "it was not started"
        return self._service

    def podman(self, *words: str) -> str:
        """Run the podman command, and return what it prints."""
        done = subprocess.run(
            self._wrap([find_program("podman"), *words]),
            env={**os.environ, **self.environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=EXTERNAL_S,
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout.strip()

    def serve(self, is_on_demand: bool = False) -> None:
        """Start the service; one on demand is started by each call, and ends two seconds after the last one."""
        command = ["-t", "2" if is_on_demand else "0", *([] if is_on_demand else [self.url])]
        argv = self._wrap([find_program("podman"), "system", "service", *command])
        if is_on_demand:
            argv = [sys.executable, "-c", _ACTIVATOR, str(self.socket), *argv]
        self._service = Daemon(argv, self.folder / "service.log", self.environment)
        self._service.wait_until(lambda: self.socket.exists() and (is_on_demand or listens(self.socket)), 30, "Podman")

    def calls(self) -> int:
        """How often a service on demand was started."""
        return self.service.log.read_text().count("called")

    def ended_calls(self) -> int:
        """How often it has ended again."""
        return self.service.log.read_text().count("ended")

    def run(self, name: str, command: str, *options: str) -> str:
        """Start a container and return its full id; one of its name, which a failed try has left, is replaced."""
        words = ("run", "-d", "--replace", "--name", name, *options, IMAGE, "sh", "-c", command)
        identity = self.podman(*words).splitlines()[-1]
        self._containers.append(identity)
        return identity

    def make_pod(self, name: str, *options: str) -> str:
        """Make a pod with its infra container, not started yet, and return its full id."""
        identity = self.podman("pod", "create", "--name", name, "--infra-command", "/bin/sleep 100000", *options)
        self._pods.append(identity)
        return identity

    def inspect(self, container: str) -> dict[str, Any]:
        """Return Podman's description of a container."""
        description: dict[str, Any] = json.loads(self.podman("inspect", container))[0]
        return description

    def remove(self) -> None:
        """Remove all pods and containers."""
        for identity in self._pods:
            self.podman("pod", "rm", "-f", "-t", "0", "-i", identity)
            remove_cgroups(f"libpod_parent/{identity}")
        for identity in self._containers:
            self.podman("rm", "-f", "-t", "0", "-i", identity)
        self._containers.clear()
        self._pods.clear()

    def stop(self) -> None:
        """Remove everything and end the service."""
        try:
            self.remove()
        finally:
            if self._service is not None:
                self._service.stop()
            self._end_monitors()

    def _end_monitors(self) -> None:
        """End the monitors of commands, which stay for five minutes and then tidy up where nothing is any more."""
        for process in processes_of(self.folder):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        wait_until(lambda: not list(processes_of(self.folder)), 10, "the end of the monitors")


@contextmanager
def podman_engine(folder: Path, is_on_demand: bool = False) -> Iterator[PodmanLab]:
    """Run root's Podman with all of its state below a folder."""
    require_root()
    for program in ("podman", "runc", "conmon"):
        find_program(program)
    made_anew(folder)
    with ExitStack() as undo:
        undo.enter_context(cgroup_parents("libpod_parent"))
        undo.callback(remove_cgroups, "libpod_parent/conmon")
        lab = PodmanLab(folder, folder / "podman.sock")
        undo.callback(lab.stop)
        lab.serve(is_on_demand)
        yield lab


@contextmanager
def rootless_podman(folder: Path) -> Iterator[PodmanLab]:
    """Run the Podman of a user that exists only for it: no other process sees the changed lists of users.

    Its socket is where a user's is, below the folder in place of the root.
    """
    require_root()
    for program in ("podman", "runc", "conmon", "newuidmap"):
        find_program(program)
    made_anew(folder)
    home, runtime = folder / "home", folder / "run" / "user" / str(USER)
    for made in (home, runtime / "podman"):
        made.mkdir(parents=True)
    lists = {"passwd": f"{NAME}:x:{USER}:{USER}::{home}:/bin/sh", "group": f"{NAME}:x:{USER}:"}
    lists |= dict.fromkeys(("subuid", "subgid"), f"{NAME}:{FIRST_SUBORDINATE}:65536")
    for name, line in lists.items():
        before = Path(f"/etc/{name}").read_text() if Path(f"/etc/{name}").exists() else ""
        (folder / name).write_text(f"{before}{line}\n")
    mounts = [f"touch /etc/{name}; mount --bind {folder}/{name} /etc/{name}" for name in lists]
    words = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "env", f"HOME={home}"]
    words.append(f"XDG_RUNTIME_DIR={runtime}")
    for made in (home, runtime, runtime / "podman"):
        os.chown(made, USER, USER)
    runtime.chmod(0o700)
    lab = PodmanLab(home, runtime / "podman" / "podman.sock", lambda argv: in_private_mounts(mounts, [*words, *argv]))
    try:
        lab.serve()
        yield lab
    finally:
        lab.stop()
        lab.podman("system", "migrate")  # ends the process that holds the user namespace


_ACTIVATOR = """
import os, select, signal, socket, subprocess, sys
path, *command = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(16)
service = None
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    while True:
        select.select([listener], [], [])
        def pass_on():
            os.dup2(listener.fileno(), 3)
            os.set_inheritable(3, True)
            os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        service = subprocess.Popen(command, preexec_fn=pass_on, close_fds=False)
        print("called", flush=True)
        service.wait()
        print("ended", flush=True)
finally:
    if service is not None:
        service.terminate()
"""
"""Starts a service for each first call, as a socket of systemd does."""
