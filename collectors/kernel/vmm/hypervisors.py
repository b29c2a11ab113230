"""The command lines of the VMMs other than QEMU. Pure.

Source: VirtualBox MachineLaunchVMCommonWorker.cpp and VBoxHeadless.cpp; the bug reports of VMware Workstation, whose
command line is not documented; Firecracker docs/jailer.md and src/firecracker/src/main.rs; Cloud Hypervisor
src/main.rs; crosvm src/crosvm/cmdline.rs; kvmtool builtin-run.c.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from collectors.kernel.vmm.machine_facts import MachineFacts
from collectors.kernel.vmm.options import FIRST, cpu_count, parts, size_bytes, value, values
from collectors.kernel.vmm.qemu import UUID, sandbox_of

_QUESTIONS = frozenset({"-h", "-V", "--help", "--version", "-help", "-?"})


def read_virtualbox(words: Sequence[str]) -> MachineFacts | None:
    """Read the command line of VirtualBoxVM, VBoxHeadless or VBoxSDL; `None` if it starts no machine."""
    machine = value(words, "--startvm", "-startvm", "-s")
    if machine is None:
        return None
    uuid = machine.strip("{}").lower() if UUID.fullmatch(machine.strip("{}")) else None
    return MachineFacts("virtualbox", uuid or machine, value(words, "--comment", "-comment") or machine, uuid)


def read_vmware(words: Sequence[str]) -> MachineFacts | None:
    """Read the command line of vmware-vmx, which ends with the machine's file."""
    path = next((word for word in reversed(words) if word.lower().endswith(".vmx")), None)
    if path is None:
        return None
    return MachineFacts("vmware", path, posixpath.basename(path)[:-4] or None, config_path=path)


_FIRECRACKER_SOCKET = "/run/firecracker.socket"


def read_firecracker(words: Sequence[str]) -> MachineFacts | None:
    """Read the command line of Firecracker. Within a jail the paths are those inside of it."""
    if not _QUESTIONS.isdisjoint(words):
        return None
    own_id = value(words, "--id")
    config = value(words, "--config-file")
    has_no_api = "--no-api" in words
    socket = None if has_no_api else value(words, "--api-sock") or _FIRECRACKER_SOCKET
    name = own_id or (_stem(socket) if socket != _FIRECRACKER_SOCKET else None) or _stem(config)
    facts = MachineFacts("firecracker", own_id or socket, name, control_socket=socket, config_path=config)
    return _in_sandbox(facts, socket or config)


def read_cloud_hypervisor(words: Sequence[str]) -> MachineFacts | None:
    """Read the command line of Cloud Hypervisor. What is configured over its API is not in it."""
    if not _QUESTIONS.isdisjoint(words):
        return None
    api = parts(value(words, "--api-socket"))
    socket = api.get("path") or api.get(FIRST)
    cpus = parts(value(words, "--cpus"))
    memory = parts(value(words, "--memory"))
    disks = tuple(path for text in _lists(words, "--disk") if (path := parts(text).get("path")))
    facts = MachineFacts(
        "cloud-hypervisor",
        socket,
        _stem(socket) or _stem(disks[0] if disks else None),
        vcpus=cpu_count(cpus.get("boot") or cpus.get(FIRST)),
        memory_bytes=size_bytes(memory.get("size") or memory.get(FIRST)),
        disks=disks,
        control_socket=socket,
    )
    return _in_sandbox(facts, socket)


def _lists(words: Sequence[str], name: str) -> list[str]:
    """Return the values of an option that takes several words: `--disk path=a path=b`."""
    found: list[str] = [word.partition("=")[2] for word in words if word.startswith(f"{name}=")]
    is_inside = False
    for word in words:
        is_option = word.startswith("-")
        if is_inside and not is_option:
            found.append(word)
        is_inside = word == name if is_option else is_inside
    return found


def read_crosvm(words: Sequence[str]) -> MachineFacts | None:
    """Read the command line of crosvm; other subcommands than `run` run no machine."""
    if "run" not in words[1:4]:
        return None
    cpus, memory = parts(value(words, "--cpus", "-c")), parts(value(words, "--mem", "-m"))
    socket = value(words, "--socket", "-s")
    options = ("--block", "-b", "--root", "--rwroot", "--disk", "--rwdisk", "-d")
    blocks = [parts(text) for text in values(words, *options)]
    disks = tuple(path for one in blocks if (path := one.get("path") or one.get(FIRST)))
    return MachineFacts(
        "vmm",
        name=value(words, "--name") or _stem(socket) or _stem(disks[0] if disks else None),
        vcpus=cpu_count(cpus.get("num-cores") or cpus.get(FIRST)),
        memory_bytes=size_bytes(memory.get("size") or memory.get(FIRST), "m"),
        disks=disks,
        control_socket=socket,
    )


def read_kvmtool(words: Sequence[str]) -> MachineFacts | None:
    """Read the command line of kvmtool's `lkvm run`."""
    if "run" not in words[1:3]:
        return None
    disks = tuple(parts(text).get(FIRST, "") for text in values(words, "-d", "--disk"))
    return MachineFacts(
        "vmm",
        name=value(words, "--name", "-n"),
        vcpus=cpu_count(value(words, "-c", "--cpus")),
        memory_bytes=size_bytes(value(words, "-m", "--mem"), "m"),
        disks=tuple(filter(None, disks)),
    )


def _in_sandbox(facts: MachineFacts, path: str | None) -> MachineFacts:
    sandbox = sandbox_of(path)
    return facts._replace(engine="kata", id=sandbox, name=sandbox[:12], has_name=False) if sandbox else facts


def _stem(path: str | None) -> str | None:
    return (posixpath.basename(path).rpartition(".")[0] or posixpath.basename(path) or None) if path else None
