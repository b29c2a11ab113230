"""The machines in a user's `~/.vmware/inventory.vmls`, lines of `KEY = "VALUE"`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from collectors.engines.vmm.registered import Home, Registered, homes
from collectors.model.errors import SourceAbsent
from collectors.safety.bounded_file import read_bounded

_FILE = ".vmware/inventory.vmls"
_LARGEST = 1 << 20
_LINE = re.compile(r'^\s*(vmlist\d{1,6})\.(config|DisplayName)\s*=\s*"([^"\n]{0,4096})"', re.MULTILINE)


def machines(users: Iterable[Home] | None = None) -> Iterator[Registered]:
    """Yield the machines of all users whose homes may be looked into.

    Raises:
        SourceAbsent: None of them has used VMware Workstation.
    """
    is_used = False
    for home in homes("vmware") if users is None else users:
        text = read_bounded(f"{home.path}/{_FILE}", _LARGEST, home.uid)
        is_used = is_used or text is not None
        entries: dict[str, dict[str, str]] = {}
        for entry, key, value in _LINE.findall((text or b"").decode("utf-8", "replace")):
            entries.setdefault(entry, {})[key] = value
        for entry in entries.values():
            path = entry.get("config", "")
            if path.startswith("/") and path.lower().endswith(".vmx"):
                name = entry.get("DisplayName") or posixpath.basename(path)[: -len(".vmx")]
                yield Registered(path, name, home.uid)
    if not is_used:
        raise SourceAbsent("nobody who is logged in or runs machines has any of VMware Workstation")
