"""The guests in Proxmox VE's cluster file system (qm.conf(5), pct.conf(5)); readable for root and www-data."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from collectors.engines.vmm.registered import Registered
from collectors.kernel.lxc_monitors import PROXMOX
from collectors.model.errors import AccessDenied, SourceAbsent
from collectors.model.workloads import Kind
from collectors.safety.bounded_file import read_bounded
from collectors.safety.permissions import as_root

_LARGEST = 256 << 10
_NUMBER = re.compile(r"([1-9]\d{1,8})\.conf")
_KINDS = {"qemu-server": (Kind.VM, b"name"), "lxc": (Kind.CONTAINER, b"hostname")}
"""Folder -> what is in it, and the key of its name."""
_CGROUPS = ("lxc", "lxc.payload")


def guests(root: str = PROXMOX) -> Iterator[Registered]:
    """Yield the guests of this node.

    Raises:
        SourceAbsent: This is no node of Proxmox VE.
        AccessDenied: This user may not read the files.
    """
    if not os.path.isdir(root):
        raise SourceAbsent(f"this is no node of Proxmox VE: there is no {root}")
    for folder, (kind, key) in _KINDS.items():
        try:
            names = sorted(os.listdir(f"{root}/{folder}"))
        except PermissionError:
            raise AccessDenied(f"no permission to read {root}", as_root()) from None
        except OSError:
            continue  # a node without such guests, or one that has no quorum
        for name in names:
            if match := _NUMBER.fullmatch(name):
                text = read_bounded(f"{root}/{folder}/{name}", _LARGEST) or b""
                if _value(text, b"template") == "1":
                    continue  # it cannot run: guests are made from it
                yield Registered(match[1], _value(text, key) or match[1], 0, kind)


def _value(text: bytes, key: bytes) -> str | None:
    """Return a setting of a guest as it is now: the sections at the end of the file are snapshots."""
    found = re.search(rb"^%s:[ \t]*(\S+)" % key, text.partition(b"\n[")[0], re.MULTILINE)
    return found[1].decode("utf-8", "replace") if found else None


def is_container_running(number: str, cgroups: str = "/sys/fs/cgroup") -> bool:
    """Return whether a container has a control group, in version 2 or one of the trees of version 1."""
    trees = [Path(cgroups), Path(cgroups) / "pids", Path(cgroups) / "memory", Path(cgroups) / "systemd"]
    return any((tree / folder / number).is_dir() for tree in trees for folder in _CGROUPS) or any(
        (tree / f"lxc.payload.{number}").is_dir() for tree in trees
    )
