"""What runs a machine of systemd-nspawn, and which images there are."""

from __future__ import annotations

import os
import re
import stat
from enum import Enum

from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.cgroup.processes import first_process
from collectors.kernel.nspawn_supervisors import machine_directories
from collectors.kernel.procfs import Process, read_bytes
from collectors.model.errors import SourceAbsent, WorkloadGone
from collectors.model.workloads import Kind, Workload, WorkloadId
from collectors.safety.bounded_file import read_bounded

IMAGES = "/var/lib/machines"
REGISTERED = "/run/systemd/machines"
"""machined's state: a file for each machine, which libsystemd reads too (sd_machine_get_class(3))."""
LOCKS = "/run/systemd/nspawn/locks"
"""nspawn holds a lock on a file here, named after the image's device and inode, while a machine runs from it."""
SETTINGS = ("/etc/systemd/nspawn", "/run/systemd/nspawn")
_TEMPLATE = "systemd-nspawn@"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LARGEST = 64 << 10
_RAW = ".raw"


class Way(Enum):
    """What started a machine."""

    UNIT = "unit"
    """`systemd-nspawn@NAME.service`, or nothing yet."""
    MACHINED = "machined"
    """A command line, which registered it with machined."""
    BARE = "bare"
    """A command line that did not."""


def way_of(workload: Workload) -> Way:
    """Return what started a machine, by its cgroup."""
    group = (workload.cgroup or "").rpartition("/")[2]
    if not group or group.startswith(_TEMPLATE):
        return Way.UNIT
    return Way.BARE if group == "payload" else Way.MACHINED


def unit_of(workload: Workload) -> str:
    """Return the unit that starts a machine. As machinectl(1) does, it takes the name as it is."""
    group = (workload.cgroup or "").rpartition("/")[2]
    return group if group.startswith(_TEMPLATE) else f"{_TEMPLATE}{workload.id.id}.service"


def as_service(workload: Workload) -> Workload:
    """Return the service that runs a machine, for systemd's own actions."""
    return Workload(WorkloadId("systemd", f"/machine.slice/{unit_of(workload)}"), Kind.SERVICE, unit_of(workload))


def leader_of(workload: Workload, proc: str = "/proc") -> Process:
    """Return the first process of a running machine.

    Raises:
        SourceAbsent: It has no cgroup on this host.
        WorkloadGone: It has ended.
    """
    if workload.cgroup is None:
        raise SourceAbsent(f"{workload.name} does not run on this host")
    process = first_process(machine_directories(find_directories(detect(), workload.cgroup).all), proc)
    if process is None:
        raise WorkloadGone("it has ended")
    return process


def list_images(folder: str = IMAGES) -> dict[str, str]:
    """Return the images by name: folders, and files that end in `.raw`.

    Raises:
        PermissionError: This user may not list them.
    """
    try:
        entries = sorted(os.listdir(folder))
    except PermissionError:
        raise
    except OSError:
        return {}
    images = {}
    for entry in entries:
        name = entry.removesuffix(_RAW)
        path = f"{folder}/{entry}"
        if _NAME.fullmatch(name) and _is_image(path, is_file=entry.endswith(_RAW)):
            images[name] = path
    return images


def is_in_use(image: str, locks: str = LOCKS, proc: str = "/proc") -> bool:
    """Return whether a machine runs from an image, by the lock that nspawn holds; nothing is locked to find out."""
    try:
        status = os.stat(image)
        lock = os.stat(f"{locks}/inode-{status.st_dev}:{status.st_ino}")
    except OSError:
        return False
    place = f"{os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}:{lock.st_ino}".encode()
    return any(place in line.split() for line in (read_bytes(f"{proc}/locks") or b"").splitlines())


def registered(folder: str = REGISTERED) -> set[str]:
    """Return the names of the machines that machined knows."""
    try:
        return {name for name in os.listdir(folder) if ":" not in name}
    except OSError:
        return set()


def read_registration(name: str, folder: str = REGISTERED) -> dict[str, str]:
    """Return what machined keeps of a machine, by key; empty for one that it does not know."""
    if not _NAME.fullmatch(name):
        return {}
    text = (read_bounded(f"{folder}/{name}", _LARGEST) or b"").decode("utf-8", "replace")
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {key: value.strip("\"'") for key, equals, value in pairs if equals}


def read_settings(name: str) -> tuple[str, str] | None:
    """Return the path and the text of a machine's settings (systemd.nspawn(5)); `None` if it has none."""
    if not _NAME.fullmatch(name):
        return None
    for folder in SETTINGS:
        text = read_bounded(path := f"{folder}/{name}.nspawn", _LARGEST)
        if text is not None:
            return path, text.decode("utf-8", "replace")
    return None


def _is_image(path: str, is_file: bool) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) if is_file else stat.S_ISDIR(mode)
