"""The instances in a user's `~/.lima`, a folder for each with its `lima.yaml` (Lima's "Internal data structure")."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

from collectors.engines.vmm.registered import Home, Registered, homes
from collectors.model.errors import SourceAbsent
from collectors.safety.bounded_file import read_bounded

_FOLDER = ".lima"
_LARGEST = 256 << 10
_MOST = 1_000


def machines(users: Iterable[Home] | None = None) -> Iterator[Registered]:
    """Yield the instances of all users whose homes may be looked into.

    Raises:
        SourceAbsent: None of them has used Lima.
    """
    is_used = False
    for home in homes("lima") if users is None else users:
        names = _names(f"{home.path}/{_FOLDER}", home.uid)
        is_used = is_used or names is not None
        for name in names or ():
            if read_bounded(f"{home.path}/{_FOLDER}/{name}/lima.yaml", _LARGEST, home.uid) is not None:
                yield Registered(name, name, home.uid)
    if not is_used:
        raise SourceAbsent("nobody who is logged in or runs instances has any of Lima")


def _names(folder: str, owner: int) -> list[str] | None:
    """Return the names in a folder, but not those of Lima's own; `None` if it is not one of its owner's."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if os.fstat(descriptor).st_uid == owner:
                return sorted(name for name in os.listdir(descriptor)[:_MOST] if not name.startswith(("_", ".")))
        finally:
            os.close(descriptor)
    return None
