"""What the API says about an instance, as a workload. Pure.

Fields: https://documentation.ubuntu.com/lxd/en/latest/api/#/instances/instances_get_recursion2; Incus has the same.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from collectors.model.workloads import Kind, Sample, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.safety.untrusted import at, objects, part, text

DEFAULT_PROJECT = "default"
STATES = {
    "running": State.RUNNING,
    "ready": State.RUNNING,
    "stopped": State.STOPPED,
    "frozen": State.PAUSED,
    "freezing": State.RUNNING,
    "thawed": State.RUNNING,
    "starting": State.STARTING,
    "started": State.RUNNING,
    "stopping": State.STOPPING,
    "aborting": State.STOPPING,
}
"""By `status` in lower case; all others, such as `error`, are unknown."""
_VIRTUAL_MACHINE = "virtual-machine"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")
_PROJECT = re.compile(r"[^/\s]{1,250}")
_LABEL = "user."
_NOT_LABELS = ("user.user-data", "user.vendor-data", "user.network-config", "user.meta-data")
"""Keys of cloud-init: whole documents, which may have secrets."""
_SIZE = re.compile(r"(\d+)\s*([kMGTPE]i?)?B?")
_POWERS = {letter: power for power, letter in enumerate("kMGTPE", 1)}
_DEFAULT_VM_MEMORY = 1 << 30
_DEFAULT_VM_CPUS = 1


def identity_of(instance: Mapping[str, Any], engine: str) -> WorkloadId | None:
    """Return the id of an instance; `None` for an entry without a valid name."""
    name, project = text(instance.get("name")), text(instance.get("project")) or DEFAULT_PROJECT
    if not _NAME.fullmatch(name) or not _PROJECT.fullmatch(project):
        return None
    return WorkloadId(engine, sanitize(f"{project}/{name}"))


def to_workload(instance: Mapping[str, Any], engine: str) -> Workload | None:
    """Describe an instance; `None` for an entry without a valid name."""
    identity = identity_of(instance, engine)
    if identity is None:
        return None
    config = part(instance, "expanded_config")
    status = text(instance.get("status"))
    state = STATES.get(status.lower(), State.UNKNOWN)
    project = identity.id.rpartition("/")[0]
    return Workload(
        identity,
        Kind.VM if instance.get("type") == _VIRTUAL_MACHINE else Kind.CONTAINER,
        sanitize_name(text(instance.get("name"))),
        state,
        image=sanitize(image_of(config)) or None,
        description=sanitize(text(instance.get("description"))) or None,
        project=project if project != DEFAULT_PROJECT else None,
        addresses=tuple(addresses_of(part(instance, "state", "network"))),
        labels=tuple(_labels(config)),
        is_listed=True,
        state_reason=sanitize(status) if state is State.UNKNOWN and status else None,
    )


def image_of(config: Mapping[str, Any]) -> str:
    """Return the description of the image that an instance was made of, or the beginning of its fingerprint."""
    return text(config.get("image.description")) or text(config.get("volatile.base_image"))[:12]


def addresses_of(network: Mapping[str, Any]) -> list[str]:
    """Return the addresses of an instance that others can reach, those of IPv4 first."""
    found = []
    for entry in (entry for interface in network.values() for entry in objects(at(interface, "addresses"))):
        if entry.get("scope") != "global":
            continue
        try:
            found.append(ipaddress.ip_address(text(entry.get("address"))))
        except ValueError:
            continue
    return [str(address) for address in sorted(found, key=lambda address: (address.version, int(address)))]


def limits_sample(instance: Mapping[str, Any], at_ns: int) -> Sample | None:
    """Return what a virtual machine was given; `None` for a container, whose limits the kernel shows."""
    if instance.get("type") != _VIRTUAL_MACHINE:
        return None
    config = part(instance, "expanded_config")
    cpus = cpu_count(text(config.get("limits.cpu"))) or _DEFAULT_VM_CPUS
    memory = parse_size(text(config.get("limits.memory"))) or _DEFAULT_VM_MEMORY
    return Sample(source="lxd", at_ns=at_ns, vcpus=cpus, memory_maximum_bytes=memory)


def parse_size(written: str) -> int | None:
    """Return the bytes of a size such as `2GiB` or `500MB`; `None` for a share such as `50%`, and anything else."""
    match = _SIZE.fullmatch(written.strip())
    if match is None:
        return None
    unit = match[2] or ""
    base: int = 1024 if unit.endswith("i") else 1000
    power = _POWERS.get(unit[:1], 0)
    return int(match[1]) * int(base**power)


def cpu_count(written: str) -> int | None:
    """Return how many CPUs `limits.cpu` gives: `4`, or pinned ones such as `0-2,5`; `None` for anything else."""
    if not re.fullmatch(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*", written):
        return None
    if written.isdecimal():
        return int(written) or None
    ranges = [(low, high or low) for low, _, high in (piece.partition("-") for piece in written.split(","))]
    return sum(max(0, int(high) - int(low) + 1) for low, high in ranges) or None


def _labels(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in sorted(config):
        if key.startswith(_LABEL) and not key.startswith(_NOT_LABELS):
            yield sanitize(key.removeprefix(_LABEL)), sanitize(text(config[key]))
