"""What the kernel hides from this user, or inside this container, although cgroups can be read."""

from __future__ import annotations

import os

from collectors.kernel.cgroup.hierarchy import Hierarchy
from collectors.kernel.procfs import read_bytes
from collectors.safety.permissions import IN_CONTAINER, as_root, is_in_container, sees_all_processes

_KERNEL_THREAD = 2
"""Pid of kthreadd: root's, with all capabilities. Process 1 may be hidden even from users who see all others."""


def blind_spots(hierarchy: Hierarchy, is_blkio_dead: bool, proc: str = "/proc") -> tuple[str, str, str]:
    """Return a short text for the header, a sentence, and the command that fixes it; all empty if nothing is hidden.

    Args:
        hierarchy: The mounted trees.
        is_blkio_dead: Whether only the counters of processes show disk traffic (see `process_io`).
        proc: The path of procfs.
    """
    notes: list[str] = []
    sentences: list[str] = []
    if hierarchy.is_private:
        notes.append("own namespace only")
        sentences.append("only the cgroups below vmtop's own container are seen")
    if not sees_all_processes(proc):
        notes.append("own processes only")
        sentences.append("the host's processes are not seen, nor networks and start times, which only they show")
    if is_blkio_dead and read_bytes(f"{proc}/{_KERNEL_THREAD}/io") is None:
        notes.append("disk needs root")
        sentences.append(
            "disk traffic is not visible: this kernel shows it in /proc/PID/io, for your own processes only"
        )
    remedy = (IN_CONTAINER if notes[0].startswith("own") else as_root()) if notes else ""
    return ", ".join(notes), "; ".join(sentences), remedy


def with_guessed_networks(unseen: str, remedy: str) -> tuple[str, str]:
    """Add to a sentence and a command that names decide which interfaces of some workload count."""
    guessed = "which interfaces of some network namespaces lead out of them is judged by their names"
    return f"{unseen}; {guessed}" if unseen else guessed, remedy or ("" if is_in_container() else as_root())


def with_files_only(unseen: str, remedy: str, problem: str) -> tuple[str, str]:
    """Add to a sentence and a command why BPF, which was asked for, is not used; nothing where there is no problem."""
    if not problem:
        return unseen, remedy
    sentence = f"BPF is not used, as {problem}; all files are read instead"
    remedy = remedy or ("" if os.geteuid() == 0 or is_in_container() else as_root())
    return f"{unseen}; {sentence}" if unseen else sentence, remedy
