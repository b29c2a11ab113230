"""The instances in the list that Multipass's daemon keeps (`instance_db_name` in its src/daemon/daemon.cpp)."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from collectors.engines.vmm.registered import Registered
from collectors.model.errors import AccessDenied, SourceAbsent
from collectors.safety.bounded_file import read_bounded
from collectors.safety.permissions import as_root
from collectors.safety.typed_json import decode

_FOLDER = "/var/snap/multipass/common/data/multipassd"
_FILE = "multipassd-vm-instances.json"
_LARGEST = 4 << 20


class _Instance(msgspec.Struct):
    deleted: bool = False


def instances(folder: str = _FOLDER) -> Iterator[Registered]:
    """Yield the instances that are not deleted.

    Raises:
        SourceAbsent: Multipass is not installed, or has never had an instance.
        AccessDenied: This user may not read the list.
    """
    text = read_bounded(f"{folder}/{_FILE}", _LARGEST, owner=0)
    if text is None:
        if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
            raise AccessDenied("no permission to read the list of Multipass", as_root())
        raise SourceAbsent(f"Multipass has no list of instances in {folder}")
    try:
        found = decode(text, dict[str, _Instance])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = {}
    for name, instance in found.items():
        if not instance.deleted:
            yield Registered(name, name, 0)
