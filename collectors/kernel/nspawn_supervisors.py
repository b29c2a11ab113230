"""Machines of systemd-nspawn, and the process that supervises each.

nspawn divides the cgroup that it was started in: `payload` has the machine and `supervisor` nspawn itself, which is the
parent of the machine's first process (systemd src/nspawn/nspawn-cgroup.c, `create_subcgroup`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from collectors.kernel.procfs import read_bytes, read_process_stat

_PROGRAM, _PAYLOAD = "systemd-nspawn", "payload"
_VALUED = "DMiupSZLE"
"""Short options of systemd-nspawn(1) that take a value."""
_LONG_VALUED = frozenset(
    [
        "directory",
        "template",
        "image",
        "root-hash",
        "root-hash-sig",
        "verity-data",
        "pivot-root",
        "oci-bundle",
        "chdir",
        "setenv",
        "user",
        "kill-signal",
        "machine",
        "hostname",
        "uuid",
        "slice",
        "property",
        "private-users",
        "private-users-ownership",
        "network-interface",
        "network-macvlan",
        "network-ipvlan",
        "network-veth-extra",
        "network-bridge",
        "network-zone",
        "network-namespace-path",
        "port",
        "capability",
        "drop-capability",
        "ambient-capability",
        "system-call-filter",
        "selinux-context",
        "selinux-apifs-context",
        "rlimit",
        "oom-score-adjust",
        "cpu-affinity",
        "personality",
        "resolv-conf",
        "timezone",
        "link-journal",
        "bind",
        "bind-ro",
        "bind-user",
        "tmpfs",
        "overlay",
        "overlay-ro",
        "inaccessible",
        "console",
        "load-credential",
        "set-credential",
        "notify-ready",
        "register",
        "settings",
    ]
)
"""Its long options whose value may be a word of its own."""
_IMAGE_SUFFIX = ".raw"


def machine_directories(directories: Sequence[str]) -> list[str]:
    """Return where the processes of a machine are, by its cgroup's directories: apart from nspawn's own, if divided."""
    inner = [payload for directory in directories if os.path.isdir(payload := f"{directory}/{_PAYLOAD}")]
    return inner or list(directories)


def supervisor_of(proc: str, pid: int) -> int | None:
    """Return the process of systemd-nspawn that runs a machine, by the machine's first process; `None` if none does."""
    stat = read_process_stat(proc, pid)
    if stat is None or not stat.parent_pid:
        return None
    words = _words(proc, stat.parent_pid)
    return stat.parent_pid if words and words[0].rpartition("/")[2] == _PROGRAM else None


def machine_of(proc: str, supervisor: int) -> str:
    """Return the name of the machine that a process of systemd-nspawn runs; empty if it does not show."""
    try:
        folder = os.readlink(f"{proc}/{supervisor}/cwd")
    except OSError:
        folder = ""
    return machine_name(_words(proc, supervisor), folder)


def machine_name(words: Sequence[str], folder: str) -> str:
    """Return the name of a machine by nspawn's arguments, as nspawn chooses it; empty if they do not show it.

    Args:
        words: The command line, program first.
        folder: The folder that nspawn was started in.
    """
    options = _options(words[1:])
    if name := options.get("M") or options.get("machine"):
        return name
    if image := options.get("i") or options.get("image"):
        return image.rstrip("/").rpartition("/")[2].removesuffix(_IMAGE_SUFFIX)
    directory = (options.get("D") or options.get("directory") or folder).rstrip("/")
    while directory.endswith("/."):
        directory = directory[:-2].rstrip("/")
    return (folder if directory == "." else directory).rpartition("/")[2]


def _options(words: Sequence[str]) -> dict[str, str]:
    """Return the options that have a value, up to the machine's own command; a later one wins."""
    options: dict[str, str] = {}
    waiting = iter(words)
    for word in waiting:
        if word == "--" or not word.startswith("-") or word == "-":
            break
        if word.startswith("--"):
            key, equals, text = word[2:].partition("=")
            if equals or key in _LONG_VALUED:
                options[key] = text if equals else next(waiting, "")
            continue
        at = next((index for index, letter in enumerate(word[1:], 1) if letter in _VALUED), None)
        if at is not None:
            options[word[at]] = word[at + 1 :] or next(waiting, "")
    return options


def _words(proc: str, pid: int) -> list[str]:
    text = read_bytes(f"{proc}/{pid}/cmdline") or b""
    return [word.decode("utf-8", "replace") for word in text.split(b"\0")[:-1]]
