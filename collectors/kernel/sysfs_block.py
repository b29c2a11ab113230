"""The whole block devices of this host and what each is built on, from sysfs.

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
"""Never disks, even with nothing below them, such as dm-zero."""
_PARTITION = re.compile(r"(?:[shv]d[a-z]+|xvd[a-z]+)\d+|(?:nvme\d+n\d+|mmcblk\d+|nbd\d+|md\d+|loop\d+)p\d+")
_NVME_PATH = re.compile(r"(nvme\d+)c\d+(n\d+)")
_ESCAPE = re.compile(rb"\\([0-3][0-7]{2})")
_BCACHE_CACHE = re.compile(r"cache\d+")


@dataclass(slots=True)
class Device:
    """A whole block device of this host."""

    name: str
    below: set[bytes] = field(default_factory=set)
    """The devices that it is built on."""

    @property
    def is_disk(self) -> bool:
        """Whether it stores data itself, and not in memory."""
        return not (self.below or _MEMORY.fullmatch(self.name) or _STACKED.fullmatch(self.name))


def scan(sys: str = "/sys", proc: str = "/proc") -> dict[bytes, Device]:
    """Return the devices by number, `8:0`, or by name if they have none. Without sysfs, `below` is empty."""
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
        fields = line.split(maxsplit=3)
        name = fields[2].decode("utf-8", "surrogateescape") if len(fields) > 3 else ""
        if name and not _PARTITION.fullmatch(name):
            devices[b"%b:%b" % (fields[0], fields[1])] = Device(name)
    return devices


def _key(directory: str, name: str) -> bytes:
    number = (read_bytes(f"{directory}/dev") or b"").strip()
    return name.encode("utf-8", "surrogateescape") if number in (b"", b"0:0") else number


def _slaves(directory: str) -> list[str]:
    """List the whole devices that a device is built on; the kernel's `bd_link_disk_holder` creates these links."""
    try:
        names = os.listdir(f"{directory}/slaves")
    except OSError:
        return []
    return [_whole(os.path.realpath(f"{directory}/slaves/{name}")) for name in names]


def _caches(directory: str) -> list[str]:
    """List the cache devices of a bcache device, which its slaves do not include."""
    try:
        names = os.listdir(f"{directory}/bcache/cache")
    except OSError:
        return []
    links = [f"{directory}/bcache/cache/{name}" for name in names if _BCACHE_CACHE.fullmatch(name)]
    return [_whole(os.path.dirname(os.path.realpath(link))) for link in links]


def _whole(directory: str) -> str:
    """Return the name of the device in a directory; of a partition, that of the whole device."""
    is_partition = os.path.exists(f"{directory}/partition")
    return os.path.basename(os.path.dirname(directory) if is_partition else directory)


def _file_device(sys: str, proc: str, name: str) -> list[str]:
    """Return the device that stores the file of a loop device, if it bypasses the page cache."""
    loop = f"{sys}/block/{name}/loop"
    if (read_bytes(f"{loop}/dio") or b"").strip() != b"1":
        return []
    number = _device_of_file(proc, (read_bytes(f"{loop}/backing_file") or b"").rstrip(b"\n"))
    directory = os.path.realpath(f"{sys}/dev/block/{number}")
    return [_whole(directory)] if os.path.isdir(directory) else []


def _device_of_file(proc: str, path: bytes) -> str:
    """Return the number of the device under a file, from the mount table; the file is not touched, as it may hang."""
    point = number = source = b""
    for line in (read_bytes(f"{proc}/self/mountinfo") or b"").splitlines():
        before, _, after = line.partition(b" - ")
        fields, described = before.split(), after.split()
        if len(fields) < 5 or len(described) < 2:
            continue
        candidate = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 8)]), fields[4])
        if path.startswith(candidate.rstrip(b"/") + b"/") and len(candidate) >= len(point):
            point, number, source = candidate, fields[2], described[1]
    if number.startswith(b"0:") and source.startswith(b"/dev/"):  # btrfs and others have a number of their own
        try:
            device = os.stat(source).st_rdev
        except OSError:
            return ""
        return f"{os.major(device)}:{os.minor(device)}"
    return number.decode("ascii", "replace")
