"""Daemons made to fail: a Docker engine and a libvirtd that may be frozen, killed and started again in no time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.docker_engine import DockerLab, start_dockerd
from tests.lab.libvirt_daemon import LibvirtLab, bare_libvirt, start_libvirtd
from tests.lab.process import cgroup_parents, require_root

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
