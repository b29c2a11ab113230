"""QEMU's command line, and which manager wrote it. Pure.

Source: qemu-options.hx of QEMU; the command lines of libvirt (src/qemu/qemu_command.c), Proxmox VE (PVE/QemuServer.pm),
LXD and Incus (drivers/driver_qemu.go), Lima (pkg/qemu), Multipass (qemu_vm_process_spec.cpp) and Kata
(virtcontainers/qemu.go).
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Sequence
from typing import NamedTuple

from collectors.kernel.vmm.machine_facts import MachineFacts
from collectors.kernel.vmm.options import FIRST, cpu_count, parts, size_bytes, value, values

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_IS_NO_MACHINE = frozenset({"help", "?", "none"})
_QUESTIONS = frozenset({"-h", "-help", "--help", "-version", "--version"})
_DISKS = ("-hda", "-hdb", "-hdc", "-hdd", "-mtdblock", "-sd")
_TOOLS_FILES = re.compile(
    r"(?:.*/)?(?:OVMF|AAVMF|QEMU_EFI|QEMU_VARS|edk2)[^/]*|.*/(?:OVMF|AAVMF|edk2)[^/]*/[^/]*", re.I
)
"""Firmware, which is attached as a disk is."""


def read_qemu(words: Sequence[str]) -> MachineFacts | None:
    """Read a QEMU command line; `None` if it runs no machine, but answers a question or is probed by libvirt."""
    machine = parts(value(words, "-machine", "--machine", "-M"))
    kind = machine.get("type") or machine.get(FIRST)
    if kind in _IS_NO_MACHINE or not _QUESTIONS.isdisjoint(words):
        return None
    disks = tuple(disk for disk in _disks(words) if not _TOOLS_FILES.fullmatch(disk))
    facts = MachineFacts(
        engine="vmm",
        id=_uuid(words),
        uuid=_uuid(words),
        name=_name(words),
        vcpus=_vcpus(words),
        memory_bytes=_memory(words),
        disks=disks,
        control_socket=_qmp(words),
        config_path=value(words, "-readconfig", "--readconfig"),
    )
    manager = next((found for read in _MANAGERS if (found := read(words, facts))), None)
    return facts if manager is None else _managed(facts, manager)


class _Manager(NamedTuple):
    engine: str
    id: str | None
    name: str | None = None
    config_path: str | None = None
    is_measured: bool = False
    has_name: bool = True


def _managed(facts: MachineFacts, manager: _Manager) -> MachineFacts:
    return facts._replace(
        engine=manager.engine,
        id=manager.id,
        name=manager.name or facts.name,
        config_path=manager.config_path or facts.config_path,
        is_measured_by_manager=manager.is_measured,
        has_name=manager.has_name,
    )


def _libvirt(words: Sequence[str], facts: MachineFacts) -> _Manager | None:
    """libvirt puts the key of its secrets, and before 2016 the socket of its monitor, into its folder of the domain."""
    is_own = any(
        "/libvirt/qemu/" in word
        for word in values(words, "-object", "-chardev")
        if "masterKey0" in word or "charmonitor" in word
    )
    return _Manager("qemu", facts.uuid, is_measured=True) if is_own and facts.uuid else None


def _kata(words: Sequence[str], facts: MachineFacts) -> _Manager | None:
    sandbox = sandbox_of(facts.control_socket) or sandbox_of(value(words, "-pidfile"))
    return _Manager("kata", sandbox, sandbox[:12], has_name=False) if sandbox else None


_SANDBOX = re.compile(r"/run/(?:vc|kata)/(?:vm|firecracker|sbs)/([0-9A-Za-z][\w.-]{0,127})/.*")


def sandbox_of(path: str | None) -> str | None:
    """Return the sandbox of Kata Containers that a file of a VMM belongs to; `None` if it is none of Kata's."""
    match = _SANDBOX.fullmatch(path or "")
    return match[1] if match else None


def _proxmox(words: Sequence[str], facts: MachineFacts) -> _Manager | None:
    number = value(words, "-id") or ""
    if not re.fullmatch(r"[1-9]\d{1,8}", number):
        return None
    return _Manager("proxmox", number, config_path=f"/etc/pve/qemu-server/{number}.conf")


_INCUS = re.compile(r"/.*?/(incus|lxd)/(?:.*/)?([^/]+)/qemu\.conf")


def _incus(words: Sequence[str], facts: MachineFacts) -> _Manager | None:
    """The folder is named `PROJECT_INSTANCE`, or `INSTANCE` in the default project; instances have no underscore."""
    match = _INCUS.fullmatch(facts.config_path or "")
    if match is None:
        return None
    project, _, instance = match[2].rpartition("_")
    return _Manager(match[1], f"{project or 'default'}/{instance}", instance, facts.config_path)


_LIMA = re.compile(r"(.*/(?:\.lima|_lima|lima))/([^/]+)/qmp\.sock")


def _lima(words: Sequence[str], facts: MachineFacts) -> _Manager | None:
    match = _LIMA.fullmatch(facts.control_socket or "")
    name = (facts.name or "").removeprefix("lima-")
    if match:
        return _Manager("lima", match[2], match[2], f"{match[1]}/{match[2]}/lima.yaml")
    return _Manager("lima", name, name) if name and name != facts.name else None


_MULTIPASS = re.compile(r".*/multipass(?:d)?/.*?/?vault/instances/([^/]+)/.*")


def _multipass(words: Sequence[str], facts: MachineFacts) -> _Manager | None:
    match = next((match for disk in facts.disks if (match := _MULTIPASS.fullmatch(disk))), None)
    return _Manager("multipass", match[1], match[1]) if match else None


_MANAGERS = (_libvirt, _kata, _proxmox, _incus, _lima, _multipass)
"""They are tried in this order."""


def _name(words: Sequence[str]) -> str | None:
    options = parts(value(words, "-name", "--name"))
    return options.get("guest") or options.get(FIRST) or None


def _uuid(words: Sequence[str]) -> str | None:
    smbios = [parts(text) for text in values(words, "-smbios", "--smbios")]
    candidates = [value(words, "-uuid", "--uuid"), *(one.get("uuid") for one in smbios if one.get("type") == "1")]
    return next((text.lower() for text in candidates if text and UUID.fullmatch(text)), None)


def _vcpus(words: Sequence[str]) -> int | None:
    """Return the CPUs; QEMU gives one if none are asked for, and works them out from a topology alone."""
    options = parts(value(words, "-smp", "--smp"))
    if not options:
        return 1
    if count := cpu_count(options.get("cpus") or options.get(FIRST)):
        return count
    total = 1
    for key in ("drawers", "books", "sockets", "dies", "clusters", "modules", "cores", "threads"):
        total *= cpu_count(options.get(key)) or 1
    return cpu_count(str(total))


_DEFAULT_MEMORY = 128 << 20


def _memory(words: Sequence[str]) -> int | None:
    text = value(words, "-m", "--m")
    options = parts(text)
    return size_bytes(options.get("size") or options.get(FIRST), "m") if text else _DEFAULT_MEMORY


def _disks(words: Sequence[str]) -> list[str]:
    """Return the files of disks, each once: of -drive, -blockdev (JSON too) and the short forms; without CD images."""
    found = [file for text in values(words, "-drive", "--drive") if (file := _drive(parts(text)))]
    found += [file for text in values(words, "-blockdev", "--blockdev") if (file := _blockdev(text))]
    found += [word for name in _DISKS for word in values(words, name, f"-{name}")]
    return list(dict.fromkeys(found))


def _drive(options: dict[str, str]) -> str | None:
    is_disk = options.get("media") != "cdrom" and options.get("if") != "pflash"
    return (options.get("file") or options.get("file.filename")) if is_disk else None


def _blockdev(text: str) -> str | None:
    """Return the file of a block device; a node on top of another one has none of its own."""
    if not text.startswith("{"):
        options = parts(text)
        return options.get("filename") or options.get("file.filename") or None
    try:
        node = json.loads(text)
    except (ValueError, RecursionError):
        return None
    inner = node.get("file") if isinstance(node, dict) else None
    for layer in (node, inner):
        if isinstance(layer, dict) and isinstance(layer.get("filename"), str) and layer["filename"]:
            return str(layer["filename"])
    return None


def _qmp(words: Sequence[str]) -> str | None:
    """Return the path of the QMP socket, which `-qmp` names, or a character device of `-mon` or `-qmp`."""
    sockets = {
        options["id"]: options["path"]
        for text in values(words, "-chardev", "--chardev")
        if "id" in (options := parts(text)) and "path" in options
    }
    for text in values(words, "-qmp", "--qmp", "-qmp-pretty"):
        first = parts(text).get(FIRST, "")
        kind, _, rest = first.partition(":")
        if kind == "unix" and rest:
            return rest
        if kind == "chardev" and rest in sockets:
            return sockets[rest]
    for text in values(words, "-mon", "--mon"):
        options = parts(text)
        if options.get("mode") == "control" and (
            socket := sockets.get(options.get("chardev") or options.get(FIRST, ""))
        ):
            return socket
    return None


def name_of_disk(disks: Sequence[str]) -> str | None:
    """Return a name for a machine without one: that of its first disk's file."""
    return next((stem for disk in disks if (stem := posixpath.splitext(posixpath.basename(disk))[0])), None)
