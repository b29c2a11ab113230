"""Daemons made to fail: a Docker engine and a libvirtd that may be frozen, killed and started again in no time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import libvirt

from collectors.model.workloads import Availability, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.frame_watch import Watch
from tests.helpers.lab.docker_engine import DockerLab, start_dockerd
from tests.helpers.lab.libvirt_daemon import LibvirtLab, bare_libvirt, socket_of, start_libvirtd
from tests.helpers.lab.process import cgroup_parents, require_root, wait_until

DAEMONS = ("docker", "libvirt")
_OPTIONS = ("--bridge=none", "--live-restore")


class FrailEngine(DockerLab):
    """An engine whose containers outlive it."""

    def __init__(self, folder: Path) -> None:
        """Start it in a folder."""
        self._folder = folder
        self.dockerd = start_dockerd(folder, _OPTIONS)
        super().__init__(f"unix://{folder}/docker.sock", self.dockerd)

    def start(self) -> None:
        """Start it again after it was killed."""
        self.daemon = self.dockerd = start_dockerd(self._folder, _OPTIONS)

    def stop(self) -> None:
        """Remove the containers and stop the engine, whatever state a test left it in."""
        self.dockerd.thaw()
        if not self.dockerd.is_running:
            self.start()
        super().stop()


@contextmanager
def frail_engine(folder: Path) -> Iterator[FrailEngine]:
    """Run an engine that may be killed."""
    require_root()
    with cgroup_parents("docker"):
        engine = FrailEngine(folder)
        try:
            yield engine
        finally:
            engine.stop()


@contextmanager
def frail_libvirt(folder: Path) -> Iterator[LibvirtLab]:
    """Run a libvirtd that may be killed, without any domain; `start_again` brings it back."""
    with bare_libvirt(folder) as lab:
        try:
            yield lab
        finally:
            lab.daemon.thaw()
            if not lab.daemon.is_running:
                start_again(lab)


def start_again(lab: LibvirtLab) -> None:
    """Start a libvirtd that was killed."""
    lab.daemon = start_libvirtd(lab.folder)


class Frail:
    """Both daemons, with a container and domains that outlive them."""

    def __init__(self, engine: FrailEngine, libvirt: LibvirtLab) -> None:
        """Start what runs on them."""
        self.engine, self.libvirt = engine, libvirt
        self.box = WorkloadId("docker", engine.run("frail-box", "while :; do sleep 1; done"))
        self.ended = WorkloadId("docker", engine.run("frail-ended", "exit 3"))
        engine.client.wait(self.ended.id)
        self.names = [libvirt.start_tiny(f"frail-{number}") for number in range(3)]
        connection = libvirt.connection
        self.guests = [WorkloadId("qemu", connection.lookupByName(name).UUIDString()) for name in self.names]

    @property
    def specs(self) -> list[SourceSpec]:
        """The sources that read them, and the kernel's."""
        return [
            SourceSpec("host"),
            SourceSpec("cgroup"),
            SourceSpec("docker", {"url": self.engine.url}),
            SourceSpec("libvirt", {"uri": self.libvirt.uri}),
        ]

    def freeze(self) -> None:
        """Let both stand still."""
        self.engine.dockerd.freeze()
        self.libvirt.daemon.freeze()

    def thaw(self) -> None:
        """Let both go on."""
        self.engine.dockerd.thaw()
        self.libvirt.daemon.thaw()

    def kill(self) -> None:
        """End both at once; their sockets' files stay."""
        self.engine.dockerd.kill()
        self.libvirt.daemon.kill()

    def remove(self) -> None:
        """Kill them, and their sockets go too."""
        self.kill()
        Path(self.engine.url.removeprefix("unix://")).unlink()
        socket_of(self.libvirt.folder).unlink()

    def start(self) -> None:
        """Start both again."""
        self.engine.start()
        start_again(self.libvirt)

    def wait_for_answers(self) -> None:
        """Wait until both answer others: what they take to come up is no one else's time."""
        self.engine.client.containers(all=True)
        wait_until(lambda: self._domains() >= len(self.guests), 60, "libvirt's domains")

    def _domains(self) -> int:
        try:
            with closing(libvirt.open(self.libvirt.uri)) as connection:
                return int(connection.numOfDomains())
        except libvirt.libvirtError:  # it is not there yet
            return 0

    @contextmanager
    def stuck_monitor(self, number: int) -> Iterator[None]:
        """Let the QEMU of one domain stand still."""
        pid = self.libvirt.pid_of(self.names[number])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def frail_lab(folder: Path) -> Iterator[Frail]:
    """Run both daemons with all of their state below a folder."""
    with frail_engine(folder / "engine") as engine, frail_libvirt(folder / "virt") as libvirt:
        yield Frail(engine, libvirt)


def fail_once(frail: Frail, watch: Watch, number: int) -> int:
    """Let both daemons fail in one of three ways; return how many frames it took from their return to their numbers."""
    if number % 3 == 0:
        frail.freeze()
        try:
            wait_until(lambda: all(_is_hanging(watch, name) for name in DAEMONS), 20, "calls that hang")
        finally:
            frail.thaw()
    else:
        (frail.kill if number % 3 == 1 else frail.remove)()
        try:
            watch.until_all(Availability.STALE, *DAEMONS)
        finally:
            frail.start()
    watch.newest()
    return watch.until_all(Availability.OK, *DAEMONS)


def _is_hanging(watch: Watch, name: str) -> bool:
    since = watch.worker(name)._call_since
    return since is not None and time.monotonic() - since > 0.3
