"""A Docker engine of the test run's own, and containers whose cost is known beforehand."""

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from requests import RequestException

from tests.helpers.lab.network import bridge
from tests.helpers.lab.process import (
    Daemon,
    LabUnavailable,
    cgroup_parents,
    find_program,
    in_private_mounts,
    require_root,
)
from tests.helpers.patience import EXTERNAL_S

IMAGE = "busybox:lab"
MIB = 1 << 20
ENGINE_MOUNTS = ("mount -t tmpfs tmpfs /opt", "[ ! -d /etc/docker ] || mount -t tmpfs tmpfs /etc/docker")
"""Hide where an engine leaves things behind whatever folders it is told to use."""

_PORT = 5000


class DockerLab:
    """An engine with the image `busybox:lab`, and helpers that start containers on it."""

    def __init__(self, url: str, daemon: Daemon | None = None) -> None:
        """Connect to a running engine and import the image.

        Args:
            url: Socket of the engine, `unix:///...`.
            daemon: The engine's process, `None` when somebody else started it.
        """
        self.url = url
        self.daemon = daemon
        self.client = docker.APIClient(base_url=url, version="auto", timeout=EXTERNAL_S)
        self.client.import_image_from_data(busybox_archive(), repository="busybox", tag="lab")
        self._containers: dict[str, str] = {}

    def run(
        self,
        name: str,
        command: str | Sequence[str],
        labels: Mapping[str, str] | None = None,
        user: str | None = None,
        healthcheck: Mapping[str, Any] | None = None,
        **limits: Any,
    ) -> str:
        """Start a container and return its full id.

        Args:
            name: Name of the container. One of this name that a failed try of the same test has left is removed.
            command: Shell text, or the words of a program.
            labels: Labels of the container.
            user: Who runs the command; root unless given.
            healthcheck: How the engine finds out whether it is well, as in its API: `test`, `interval` in ns ...
            limits: Keywords of docker-py's `create_host_config`: `nano_cpus`, `mem_limit`, `network_mode`
                (`none` unless given), `binds`, `pids_limit`, ...
        """
        limits.setdefault("network_mode", "none")
        if name in self._containers:
            self.remove_named(name)
        container = self.client.create_container(
            IMAGE,
            ["sh", "-c", command] if isinstance(command, str) else list(command),
            name=name,
            labels=dict(labels or {}),
            user=user,
            healthcheck=healthcheck,
            host_config=self.client.create_host_config(**limits),
        )["Id"]
        self._containers[name] = container
        self.client.start(container)
        return str(container)

    def run_busy(self, name: str = "busy", cpus: float = 0.5) -> str:
        """Start a container that uses exactly `cpus` host cores (its quota throttles it)."""
        return self.run(name, "while :; do :; done", nano_cpus=int(cpus * 1e9))

    def run_memory_hog(self, name: str = "hog", held_mib: int = 48, limit_mib: int = 64) -> str:
        """Start a container that holds `held_mib` of anonymous memory below a limit."""
        command = f"dd if=/dev/zero bs={held_mib}M 2>/dev/null | sleep 100000"  # dd fills its buffer, then the pipe
        return self.run(name, command, mem_limit=limit_mib * MIB)

    def run_disk_writer(self, name: str = "writer", mib_per_turn: int = 4, pause_s: float = 0.2) -> str:
        """Start a container that writes to a volume and syncs it, then pauses, for ever.

        cgroup v1 counts it only where the disk has a throttle rule (kernel 6.10 and later).
        """
        turn = f"dd if=/dev/zero of=/data/file bs=1M count={mib_per_turn} conv=fsync 2>/dev/null; sleep {pause_s}"
        return self.run(name, f"while :; do {turn}; done", binds=[f"{name}-data:/data"])

    def run_traffic(self, prefix: str = "net", mib_per_turn: int = 4, pause_s: float = 0.2) -> tuple[str, str]:
        """Start `PREFIX-receiver` and `PREFIX-sender` on the lab's bridge; return their ids in that order."""
        serve = f"nc -ll -p {_PORT} -e sh -c 'cat >/dev/null'"
        receiver = self.run(f"{prefix}-receiver", serve, network_mode="bridge")
        address = self.client.inspect_container(receiver)["NetworkSettings"]["IPAddress"]
        send = f"dd if=/dev/zero bs=1M count={mib_per_turn} 2>/dev/null | nc {address} {_PORT}; sleep {pause_s}"
        return receiver, self.run(f"{prefix}-sender", f"while :; do {send}; done", network_mode="bridge")

    @property
    def started(self) -> set[str]:
        """The names of the containers that were started, and not removed by name."""
        return set(self._containers)

    def remove_named(self, name: str) -> None:
        """Remove a container that was started under a name; one that has been removed is fine."""
        self.remove(self._containers.pop(name))

    def commands(self, container: str) -> list[str]:
        """Return the command lines of all processes in a container."""
        return [row[-1] for row in self.client.top(container)["Processes"]]

    def remove(self, container: str) -> None:
        """Kill and remove one container with its volumes; one that is gone, or is being removed, is fine."""
        try:
            self.client.remove_container(container, force=True, v=True)
        except docker.errors.NotFound:
            return
        except docker.errors.APIError as error:
            if error.status_code != HTTPStatus.CONFLICT:
                raise

    def stop(self) -> None:
        """Remove the containers and stop the engine, when it is ours."""
        try:
            for container in self._containers.values():
                self.remove(container)
        except (DockerException, RequestException):
            if self.daemon is None or self.daemon.is_running:
                raise
        finally:
            self.client.close()
            if self.daemon is not None:
                self.daemon.stop()


@contextmanager
def docker_engine(folder: Path) -> Iterator[DockerLab]:
    """Run an engine with all of its state below a folder; inside the user-mode kernel, use the one that runs there."""
    with ExitStack() as undo:
        if "VMTOP_INSIDE_UML" in os.environ:
            lab = DockerLab(os.environ["DOCKER_HOST"])
        else:
            require_root()
            undo.enter_context(cgroup_parents("docker"))
            name = undo.enter_context(bridge("d")).name
            lab = start_engine(folder, ["--bridge", name])
        undo.callback(lab.stop)
        yield lab


def start_engine(folder: Path, options: Sequence[str] = ("--bridge=none",)) -> DockerLab:
    """Start an engine in a folder. Also good for a second one."""
    daemon = start_dockerd(folder, options)
    try:
        return DockerLab(_url(folder), daemon)
    except BaseException:
        daemon.stop()
        raise


def start_dockerd(folder: Path, options: Sequence[str]) -> Daemon:
    """Start dockerd, and the containerd that it brings up itself, and wait until it answers.

    One that was killed can be started again in its folder; with `--live-restore` it finds its containers running.
    """
    (folder / "run").mkdir(parents=True, exist_ok=True)
    for left in ("docker.pid", "exec/containerd/containerd.pid"):  # of processes that may be zombies, which look alive
        (folder / left).unlink(missing_ok=True)
    (folder / "daemon.json").write_text("{}")
    url = _url(folder)
    argv = [
        *(find_program("dockerd"), "--config-file", f"{folder}/daemon.json", "--host", url),
        *("--pidfile", f"{folder}/docker.pid", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
        *("--iptables=false", "--userland-proxy=false", *options),
    ]
    mounts = [f"mount --bind {folder}/run /run", *ENGINE_MOUNTS]  # an empty /run also hides the machine's containerd
    daemon = Daemon(in_private_mounts(mounts, argv), folder / "dockerd.log")
    try:
        daemon.wait_until(lambda: _answers(url), 60, "the Docker engine's first answer")
    except BaseException:
        daemon.stop()
        raise
    return daemon


def _url(folder: Path) -> str:
    return f"unix://{folder}/docker.sock"


def _answers(url: str) -> bool:
    client = docker.APIClient(base_url=url, version="1.41", timeout=2)
    try:
        return bool(client.ping())
    except (DockerException, RequestException):
        return False
    finally:
        client.close()


def busybox_archive() -> bytes:
    """Return a tar archive of a root file system with a static busybox and a link for each of its commands."""
    busybox = shutil.which("busybox", path="/bin:/usr/bin")
    if busybox is None:
        raise LabUnavailable("busybox (static) is not installed")
    commands = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for command in commands:
            if command != "busybox":
                link = tarfile.TarInfo(f"bin/{command}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                archive.addfile(link)
    return stream.getvalue()
