"""The whole block devices of this host, and which of them are built on which, as sysfs tells.

Source: Documentation/ABI/{stable,testing}/sysfs-block*, sysfs-block-bcache, sysfs-block-loop of the kernel.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from collectors.kernel.procfs import read_bytes

HIDDEN = b"(unknown)"
"""What io.stat calls a device without a number: a path of an NVMe multipath device, or one that was removed."""
_MEMORY = re.compile(r"(?:loop|ram|zram|nullb)\d+")
_STACKED = re.compile(r"dm-\d+|md(?:_.+|\d+)|bcache\d+")
"""These are no disks even if nothing is below them, such as dm-zero."""
_PARTITION = re.compile(r"(?:[shv]d[a-z]+|xvd[a-z]+)\d+|(?:nvme\d+n\d+|mmcblk\d+|nbd\d+|md\d+|loop\d+)p\d+")
_NVME_PATH = re.compile(r"(nvme\d+)c\d+(n\d+)")
_BCACHE_CACHE = re.compile(r"cache\d+")


@dataclass(slots=True)
class Device:
    """A whole block device of this host."""

    name: str
    below: set[bytes] = field(default_factory=set)
    """The devices that it is built on."""

    @property
    def is_disk(self) -> bool:
        """Whether it holds data by itself, and outside of memory."""
        return not (self.below or _MEMORY.fullmatch(self.name) or _STACKED.fullmatch(self.name))


def scan(sys: str = "/sys", proc: str = "/proc") -> dict[bytes, Device]:
    """Return the devices by number, `8:0`, or by name if they have none; without sysfs, not what they are built on."""
    try:
        names = sorted(os.listdir(f"{sys}/block"))
    except OSError:
        return _in_diskstats(proc)
    keys = {name: _key(f"{sys}/block/{name}", name) for name in names}
    devices = {keys[name]: Device(name) for name in names}
    for name in names:
        below = {*_slaves(f"{sys}/block/{name}"), *_caches(f"{sys}/block/{name}"), *_file_device(sys, proc, name)}
        devices[keys[name]].below |= {keys[lower] for lower in below if lower in keys and lower != name}
        if (path := _NVME_PATH.fullmatch(name)) and (head := keys.get("".join(path.groups()))):
            devices.setdefault(HIDDEN, Device("hidden paths"))
            devices[head].below |= {keys[name], HIDDEN}
    return devices


def _in_diskstats(proc: str) -> dict[bytes, Device]:
    devices: dict[bytes, Device] = {}
    for line in (read_bytes(f"{proc}/diskstats") or b"").splitlines():
        words = line.split(maxsplit=3)
        name = words[2].decode("utf-8", "surrogateescape") if len(words) > 3 else ""
        if name and not _PARTITION.fullmatch(name):
            devices[b"%b:%b" % (words[0], words[1])] = Device(name)
    return devices


def _key(directory: str, name: str) -> bytes:
    number = (read_bytes(f"{directory}/dev") or b"").strip()
    return name.encode("utf-8", "surrogateescape") if number in (b"", b"0:0") else number


def _slaves(directory: str) -> list[str]:
    """List the whole devices that one says to be built on; `bd_link_disk_holder` of the kernel makes these links."""
    try:
        names = os.listdir(f"{directory}/slaves")
    except OSError:
        return []
    return [_whole(os.path.realpath(f"{directory}/slaves/{name}")) for name in names]


def _caches(directory: str) -> list[str]:
    """List the devices that a bcache device caches on, which are none of its slaves."""
    try:
        names = os.listdir(f"{directory}/bcache/cache")
    except OSError:
        return []
    links = [f"{directory}/bcache/cache/{name}" for name in names if _BCACHE_CACHE.fullmatch(name)]
    return [_whole(os.path.dirname(os.path.realpath(link))) for link in links]


def _whole(directory: str) -> str:
    """Return the name of a device, or of the one that it is a partition of, by its directory."""
    is_partition = os.path.exists(f"{directory}/partition")
    return os.path.basename(os.path.dirname(directory) if is_partition else directory)


def _file_device(sys: str, proc: str, name: str) -> list[str]:
    """Return the device that holds the file of a loop device, if its bytes go there past the page cache."""
    loop = f"{sys}/block/{name}/loop"
    if (read_bytes(f"{loop}/dio") or b"").strip() != b"1":
        return []
    try:
        holder = os.stat((read_bytes(f"{loop}/backing_file") or b"").rstrip(b"\n")).st_dev
        if not os.major(holder):  # btrfs and others have a number of their own
            holder = os.stat(_mounted_device(proc, holder)).st_rdev
        return [_whole(os.path.realpath(f"{sys}/dev/block/{os.major(holder)}:{os.minor(holder)}"))]
    except OSError:
        return []


def _mounted_device(proc: str, number: int) -> bytes:
    """Return the path of the device behind a file system; empty if there is none: tmpfs, NFS."""
    wanted = b"%d:%d" % (os.major(number), os.minor(number))
    for line in (read_bytes(f"{proc}/self/mountinfo") or b"").splitlines():
        mount, _, source = line.partition(b" - ")
        words, described = mount.split(), source.split()
        if len(words) > 2 and words[2] == wanted and len(described) > 1 and described[1].startswith(b"/"):
            return described[1]
    return b""
