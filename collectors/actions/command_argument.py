"""What a workload is called in a command that a person may run by hand, so that it can mean no one else. Pure."""

from __future__ import annotations

import re
import shlex

from collectors.engines.family import Family, family
from collectors.model.workloads import Workload

_DOMAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.@+-]*")
"""virsh takes a number for a domain's id; blanks, a sign and an option's dashes are left to the UUID too."""
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_UUID_DIGITS = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_CONTAINER_ID = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


def argument(workload: Workload, by_id: bool = False) -> str:
    """Return what stands for a workload in a command, quoted for a shell.

    Args:
        workload: Who is meant.
        by_id: Whether the command may reach another engine than vmtop, on which the name is somebody else's.
    """
    known = family(workload)
    if known is Family.SYSTEMD:
        unit = workload.id.id.rpartition("/")[2]
        return f"-- {shlex.quote(unit)}" if unit.startswith("-") else shlex.quote(unit)
    has_name = workload.name_is_known and not by_id
    if known is Family.LIBVIRT:
        has_name = has_name and bool(_DOMAIN.fullmatch(workload.name)) and not _is_like_uuid(workload.name)
    else:
        has_name = has_name and bool(_CONTAINER.fullmatch(workload.name)) and not _CONTAINER_ID.fullmatch(workload.name)
    return shlex.quote(workload.name if has_name else workload.id.id)


def _is_like_uuid(name: str) -> bool:
    """Whether virsh could read a name as a UUID: it ignores where the dashes are."""
    return bool(_UUID_DIGITS.fullmatch(name.replace("-", "")))
