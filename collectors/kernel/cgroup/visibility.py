"""What the kernel does not show to this user, or inside this container, although cgroups can be read."""

from __future__ import annotations

from collectors.kernel.cgroup.hierarchy import Hierarchy
from collectors.kernel.procfs import read_bytes
from collectors.safety.permissions import IN_CONTAINER, as_root, sees_all_processes

_KERNEL_THREAD = 2
"""kthreadd: root's, and with all capabilities; the first process may be closed even to those who see all others."""


def blind_spots(hierarchy: Hierarchy, is_blkio_dead: bool, proc: str = "/proc") -> tuple[str, str, str]:
    """Return a few words for the header, a sentence, and the command that fixes it; all empty if nothing is hidden.

    Args:
        hierarchy: The mounted trees.
        is_blkio_dead: Whether only the counters of processes tell of disk traffic (see `process_io`).
        proc: Where procfs is.
    """
    words: list[str] = []
    told: list[str] = []
    if hierarchy.is_private:
        words.append("own namespace only")
        told.append("only the cgroups below vmtop's own container are seen")
    if not sees_all_processes(proc):
        words.append("own processes only")
        told.append("the host's processes are not seen, nor networks and start times, which only they tell")
    if is_blkio_dead and read_bytes(f"{proc}/{_KERNEL_THREAD}/io") is None:
        words.append("disk needs root")
        told.append("disk traffic is not visible: this kernel shows it in /proc/PID/io, for your own processes only")
    remedy = (IN_CONTAINER if words[0].startswith("own") else as_root()) if words else ""
    return ", ".join(words), "; ".join(told), remedy
