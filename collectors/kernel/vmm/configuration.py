"""What a machine's configuration file tells beyond its VMM's command line. The files are other users' and hostile.

A file is opened from the root of its process, one folder after the other, and no symbolic link is followed: a process
in a jail cannot lead out of it. It has to be a regular file of root or of the user that the process runs as.
Source: the qemu.conf of LXD and Incus; VMware's .vmx files; Firecracker's src/vmm/src/resources.rs.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from collectors.kernel.vmm.options import cpu_count, size_bytes
from collectors.kernel.vmm.process import VmmProcess
from collectors.safety.typed_json import decode

_LARGEST = 1 << 20
_MOST_FOLDERS = 32
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Configured(NamedTuple):
    """What a configuration file tells; `None` and empty where it does not. Texts are not sanitized."""

    name: str | None = None
    vcpus: int | None = None
    memory_bytes: int | None = None
    disks: tuple[str, ...] = ()


def read_configuration(process: VmmProcess, proc: str = "/proc") -> Configured | None:
    """Read the configuration file of a machine; `None` without one, or if it may not be read.

    Blocks for as long as its file system does: not for the thread of a source, unless the folder is root's.
    """
    path = process.config_path or ""
    parse = next((parse for ending, parse in _PARSERS.items() if path.endswith(ending)), None)
    text = read_within(process, path, proc) if parse is not None and path.startswith("/") else None
    return None if text is None or parse is None else parse(text, path)


def read_within(process: VmmProcess, path: str, proc: str = "/proc") -> bytes | None:
    """Read a file as a process sees it; `None` if it is missing, too large, of another user, or behind a link."""
    parts = [part for part in path.split("/") if part and part != "."]
    if not parts or ".." in parts or len(parts) > _MOST_FOLDERS:
        return None
    try:
        folder = os.open(f"{proc}/{process.pid}/root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        for part in parts[:-1]:
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        return _read_owned(os.open(parts[-1], _FILE, dir_fd=folder), (0, process.uid))
    except (OSError, ValueError):
        return None
    finally:
        os.close(folder)


def _read_owned(descriptor: int, owners: tuple[int, ...]) -> bytes | None:
    try:
        status = os.fstat(descriptor)
        is_fit = stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST and status.st_uid in owners
        return os.pread(descriptor, _LARGEST, 0) if is_fit else None
    finally:
        os.close(descriptor)


_SECTION = re.compile(r"\[([\w-]+)[^\]]*\]")
_SETTING = re.compile(r"\s*([\w:.-]+)\s*=\s*\"?([^\"\n]*)\"?\s*")


def parse_qemu_conf(text: bytes, path: str = "") -> Configured:
    """Parse a file of QEMU's `-readconfig`: the sections `memory` and `smp-opts`."""
    settings: dict[tuple[str, str], str] = {}
    section = ""
    for line in text.decode("utf-8", "replace").splitlines():
        if heading := _SECTION.fullmatch(line.strip()):
            section = heading[1]
        elif setting := _SETTING.fullmatch(line):
            settings.setdefault((section, setting[1]), setting[2])
    memory = size_bytes(settings.get(("memory", "size")), "m")
    return Configured(vcpus=cpu_count(settings.get(("smp-opts", "cpus"))), memory_bytes=memory)


_VMX_DISK = re.compile(r"(?:scsi|sata|nvme|ide)\d+:\d+\.filename", re.IGNORECASE)


def parse_vmx(text: bytes, path: str = "") -> Configured:
    """Parse a .vmx file, in which names are not case-sensitive; disks with relative names are next to it."""
    lines = text.decode("utf-8", "replace").splitlines()
    settings = {match[1].lower(): match[2] for line in lines if (match := _SETTING.fullmatch(line))}
    disks = [value for key, value in settings.items() if _VMX_DISK.fullmatch(key) and value.endswith(".vmdk")]
    return Configured(
        settings.get("displayname") or None,
        cpu_count(settings.get("numvcpus")) or 1,
        size_bytes(settings.get("memsize"), "m"),
        tuple(posixpath.join(posixpath.dirname(path), disk) for disk in disks),
    )


class _Machine(msgspec.Struct):
    vcpu_count: int = 0
    mem_size_mib: int = 0


class _Drive(msgspec.Struct):
    path_on_host: str = ""


class _Firecracker(msgspec.Struct, rename="kebab"):
    machine_config: _Machine = msgspec.field(default_factory=_Machine)
    drives: list[_Drive] = []


def parse_firecracker(text: bytes, path: str = "") -> Configured | None:
    """Parse Firecracker's `--config-file`; `None` if it is none."""
    try:
        found = decode(text, _Firecracker)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    machine = found.machine_config
    disks = tuple(drive.path_on_host for drive in found.drives if drive.path_on_host)
    return Configured(
        vcpus=cpu_count(str(machine.vcpu_count)), memory_bytes=size_bytes(str(machine.mem_size_mib), "m"), disks=disks
    )


_PARSERS: dict[str, Callable[[bytes, str], Configured | None]] = {
    "/qemu.conf": parse_qemu_conf,
    ".vmx": parse_vmx,
    ".json": parse_firecracker,
}
"""By the end of a file's path."""
