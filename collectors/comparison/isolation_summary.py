"""Isolation in a few words, of containers and services: by the kernel, and by what their engine tells."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.kernel.isolation import Isolation, capability_names
from collectors.model.facts import Fact, unknown

_SYS_ADMIN = 1 << 21
_KERNEL = "namespaces and status of its first process in /proc"


def of_container(walls: Isolation | None, told: Mapping[str, Fact]) -> Fact:
    """Return how a container is kept apart.

    Args:
        walls: Of its first process.
        told: `is_privileged` and `runtime`, as its engine told them; empty where it did not.
    """
    privileged, runtime = told.get("is_privileged"), told.get("runtime")
    words = ["privileged"] if privileged is not None and privileged.value else []
    if walls is not None:
        words += _words(walls)
    words += [str(runtime.value)] if runtime is not None and runtime.value else []
    how = _KERNEL + ("; engine: Privileged, Runtime" if privileged is not None else "")
    return Fact(", ".join(words), how) if words else unknown("neither its processes nor its engine could be read")


def walls_of(walls: Isolation | None, told: Mapping[str, Fact]) -> dict[str, Fact]:
    """Return the facts behind the words, for findings: `is_privileged` and `namespaces_shared`."""
    behind = {"is_privileged": told["is_privileged"]} if "is_privileged" in told else {}
    if walls is not None and walls.shared is not None:
        behind["namespaces_shared"] = Fact(" ".join(walls.shared), _KERNEL)
    return behind


def of_service(walls: Isolation | None, unit: Mapping[str, Fact]) -> Fact:
    """Return how a service is kept apart.

    Args:
        walls: Of its first process.
        unit: `user` and `sandbox`, as systemd told them; empty where there is no systemd.
    """
    user, sandbox = unit.get("user"), unit.get("sandbox")
    words = [] if walls is None else _words(walls)
    if user is not None:
        words.append(f"user {user.value}")
    elif walls is not None and walls.uid is not None:
        words.append(f"uid {walls.uid}")
    how = _KERNEL
    if sandbox is not None:
        count = len(str(sandbox.value).split()) if sandbox.value else 0
        words.append(f"{count} sandbox settings" if count else "no sandbox settings")
        how += f"; {sandbox.how}" + (f": {sandbox.value}" if count else "")
    return Fact(", ".join(words), how) if words else unknown("none of its processes can be read")


def _words(found: Isolation) -> list[str]:
    words = []
    if found.own is not None:
        words.append(f"own {' '.join(found.own)}" if found.own else "no namespace of its own")
    if found.seccomp is not None:
        words.append(f"seccomp {found.seccomp}")
    if found.capabilities is not None:
        count = len(capability_names(found.capabilities))
        words.append(f"{count} capabilities" + (" with sys_admin" if found.capabilities & _SYS_ADMIN else ""))
    return words + ([found.label] if found.label else [])
