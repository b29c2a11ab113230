"""Machines in the files of their manager, where stopped ones are too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from collectors.engines.vmm.running import running_machines
from collectors.kernel.procfs import read_bytes
from collectors.model.workloads import Kind

OWNER_LABEL = "vmtop.owner"
"""Label of a machine with the user id of its owner."""


class Registered(NamedTuple):
    """A machine in its manager's list."""

    id: str
    """As in `WorkloadId.id`; not sanitized."""
    name: str
    """Not sanitized."""
    owner: int
    """The user whose file lists it."""
    kind: Kind = Kind.VM


class Home(NamedTuple):
    """A user's home folder."""

    uid: int
    path: str


def homes(engine: str, users: str = "/etc/passwd", runtime: str = "/run/user") -> Iterator[Home]:
    """Yield the homes that may be looked into: one's own; as root those of users who are logged in or run some.

    Others are left alone: a home may be on another host, and is mounted when somebody looks.

    Args:
        engine: Whose machines are looked for.
        users: The list of users, read as a file: the name service may be far away.
        runtime: The folder in which a logged-in user has a folder.
    """
    own = os.geteuid()
    uids = {own}
    if own == 0:
        with suppress(OSError):  # without systemd nobody is known to be logged in
            uids.update(int(name) for name in os.listdir(runtime) if name.isdecimal())
        uids.update(process.uid for process in running_machines() if process.engine == engine)
    if own != 0 and os.environ.get("HOME", "").startswith("/"):
        yield Home(own, os.environ["HOME"])  # its user may be in another list than that of this host
        uids.clear()
    for line in (read_bytes(users) or b"").decode("utf-8", "surrogateescape").splitlines():
        fields = line.split(":")
        if len(fields) == 7 and fields[2].isdecimal() and int(fields[2]) in uids and fields[5].startswith("/"):
            yield Home(int(fields[2]), fields[5])
