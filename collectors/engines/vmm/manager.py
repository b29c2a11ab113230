"""A manager of virtual machines that is asked by its own command, such as `qm` or `VBoxManage`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import NamedTuple


class Manager(NamedTuple):
    """The command of a manager."""

    program: str
    arguments: Mapping[str, tuple[str, ...]]
    """By verb: its arguments, in which `{id}` stands for the machine and `{timeout}` for whole seconds."""
    is_roots: bool = False
    """Whether it is for root alone. Otherwise each user has machines, and only their owner reaches them."""
    status: tuple[str, ...] = ()
    """Arguments with which it describes a machine; empty where that adds nothing."""
    paused: str = ""
    """A line of that description which says that the machine is paused."""


FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/snap/bin")
"""Where programs are looked for: never in a folder of the machine's owner."""


def filled(arguments: tuple[str, ...], identity: str, timeout_s: float = 0) -> list[str]:
    """Return arguments for one machine. Each stays one word, whatever the machine is called."""
    values = {"{id}": identity, "{timeout}": f"{max(1, round(timeout_s))}"}
    return [values.get(word, word) for word in arguments]


def equivalent(manager: Manager, verb: str, identity: str, timeout_s: float, user: str) -> str:
    """Return the command line for a shell; empty if the manager has none for a verb.

    Args:
        manager: The manager.
        verb: The verb.
        identity: The machine.
        timeout_s: Seconds that it may take.
        user: Who has to run it; empty for the present user.
    """
    arguments = manager.arguments.get(verb)
    if arguments is None:
        return ""
    words = ["sudo", "-u", user] if user and user != "root" else ["sudo"] if user else []
    return shlex.join([*words, manager.program, *filled(arguments, identity, timeout_s)])
