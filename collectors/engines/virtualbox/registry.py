"""The machines in `VirtualBox.xml`, which VirtualBox keeps for each user (its manual, section 10.1.3)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from html import unescape

from collectors.engines.vmm.registered import Home, Registered, homes
from collectors.model.errors import SourceAbsent
from collectors.safety.bounded_file import read_bounded

_FILES = (".config/VirtualBox/VirtualBox.xml", ".VirtualBox/VirtualBox.xml")
_LARGEST = 4 << 20
_ENTRY = re.compile(r'<MachineEntry\s+uuid="\{([0-9a-fA-F-]{36})\}"\s+src="([^"]{1,4096})"')


def machines(users: Iterable[Home] | None = None) -> Iterator[Registered]:
    """Yield the machines of all users whose homes may be looked into.

    Raises:
        SourceAbsent: None of them has used VirtualBox.
    """
    is_used = False
    for home in homes("virtualbox") if users is None else users:
        for name in _FILES:
            text = read_bounded(f"{home.path}/{name}", _LARGEST, home.uid)
            is_used = is_used or text is not None
            for uuid, file in _ENTRY.findall((text or b"").decode("utf-8", "replace")):
                yield Registered(uuid.lower(), posixpath.basename(unescape(file)).removesuffix(".vbox"), home.uid)
    if not is_used:
        raise SourceAbsent("nobody who is logged in or runs machines has any of VirtualBox")
