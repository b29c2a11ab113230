"""Machines of systemd-nspawn that are started by hand: this machine has no systemd to register them with."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.helpers.lab.container_root import make_root
from tests.helpers.lab.process import CGROUPS, Daemon, find_program, made_anew, require_root


class NspawnLab:
    """A folder of images, and the machines that run from them."""

    def __init__(self, folder: Path) -> None:
        require_root()
        find_program("systemd-nspawn")
        self.images = folder
        self.running: list[Daemon] = []

    def make_image(self, name: str) -> Path:
        """Make an image and return its folder."""
        return make_root(self.images / name)

    def start(self, name: str, parent: str) -> Daemon:
        """Start a machine in a cgroup, which is made."""
        enter = "\n".join(f"echo $$ >{path}/cgroup.procs" for path in _cgroups(parent))
        nspawn = find_program("systemd-nspawn")
        command = f"exec {nspawn} -q -D {self.images / name} --register=no --keep-unit /sbin/init"
        self.running.append(Daemon(["/bin/sh", "-c", f"{enter}\n{command}"], self.images / f"{name}.output"))
        return self.running[-1]

    def remove(self, *parents: str) -> None:
        """End what runs, and remove the cgroups."""
        for machine in self.running:
            machine.stop(10)
        for parent in parents:
            for folder in _cgroups(parent):
                for path in (folder / "payload", folder / "supervisor", folder):
                    with suppress(OSError):
                        path.rmdir()


def _cgroups(name: str) -> list[Path]:
    """Return the cgroup of a name in the hierarchies that nspawn divides: version 2, and systemd's of version 1."""
    roots = [CGROUPS] if (CGROUPS / "cgroup.procs").exists() else [CGROUPS / "unified", CGROUPS / "systemd"]
    folders = [root / name for root in roots if root.is_dir()]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    return folders


@contextmanager
def nspawn_machines(folder: Path, *parents: str) -> Iterator[NspawnLab]:
    """Give the folder, and end its machines afterwards.

    Args:
        folder: A new folder for images.
        parents: The cgroups in which machines are started.
    """
    made_anew(folder)
    lab = NspawnLab(folder)
    try:
        yield lab
    finally:
        lab.remove(*parents)
