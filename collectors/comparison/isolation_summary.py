"""Summarises the isolation of containers and services in a few words, from the kernel and their engine."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.kernel.isolation import Isolation, capability_names
from collectors.model.facts import Fact, unknown

_SYS_ADMIN = 1 << 21
_KERNEL = "namespaces and status of its first process in /proc"


def of_container(walls: Isolation | None, engine_facts: Mapping[str, Fact]) -> Fact:
    """Return how a container is isolated.

    Args:
        walls: The isolation of its first process; `None` if it could not be read.
        engine_facts: `is_privileged` and `runtime` from its engine; empty when it did not answer.
    """
    privileged, runtime = engine_facts.get("is_privileged"), engine_facts.get("runtime")
    parts = ["privileged"] if privileged is not None and privileged.value else []
    if walls is not None:
        parts += words_of(walls)
    parts += [str(runtime.value)] if runtime is not None and runtime.value else []
    how = _KERNEL + ("; engine: Privileged, Runtime" if privileged is not None else "")
    return Fact(", ".join(parts), how) if parts else unknown("neither its processes nor its engine could be read")


def walls_of(walls: Isolation | None, engine_facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Return the facts that findings need: `is_privileged` and `namespaces_shared`; unknown ones are absent."""
    facts = {"is_privileged": engine_facts["is_privileged"]} if "is_privileged" in engine_facts else {}
    if walls is not None and walls.shared is not None:
        facts["namespaces_shared"] = Fact(" ".join(walls.shared), _KERNEL)
    return facts


def of_service(walls: Isolation | None, unit: Mapping[str, Fact]) -> Fact:
    """Return how a service is isolated.

    Args:
        walls: The isolation of its first process; `None` if it could not be read.
        unit: `user` and `sandbox` from systemd; empty without systemd.
    """
    user, sandbox = unit.get("user"), unit.get("sandbox")
    parts = [] if walls is None else words_of(walls)
    if user is not None:
        parts.append(f"user {user.value}")
    elif walls is not None and walls.uid is not None:
        parts.append(f"uid {walls.uid}")
    how = _KERNEL
    if sandbox is not None:
        count = len(str(sandbox.value).split()) if sandbox.value else 0
        parts.append(f"{count} sandbox settings" if count else "no sandbox settings")
        how += f"; {sandbox.how}" + (f": {sandbox.value}" if count else "")
    return Fact(", ".join(parts), how) if parts else unknown("none of its processes can be read")


def words_of(isolation: Isolation) -> list[str]:
    """Return how a process is isolated, in a few words each."""
    parts = []
    if isolation.own is not None:
        parts.append(f"own {' '.join(isolation.own)}" if isolation.own else "no namespace of its own")
    if isolation.seccomp is not None:
        parts.append(f"seccomp {isolation.seccomp}")
    if isolation.capabilities is not None:
        count = len(capability_names(isolation.capabilities))
        parts.append(f"{count} capabilities" + (" with sys_admin" if isolation.capabilities & _SYS_ADMIN else ""))
    if isolation.user_ids is not None and isolation.user_ids.startswith("its own"):
        parts.append("its root is not the host's")
    return parts + ([isolation.label] if isolation.label else [])
