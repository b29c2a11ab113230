"""Reads small kernel files in full, by descriptor or path."""

from __future__ import annotations

import os
from typing import NamedTuple

_WHOLE = 2048
"""Bytes; a shorter read is the end: seq_file returns pages of whole records, and no record is longer than this."""


def read_bytes(path: str, directory: int | None = None) -> bytes | None:
    """Read a small file in full, by its path, absolute or in an open directory; `None` when it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return None
    try:
        text = chunk = os.read(descriptor, 65536)
        while len(chunk) > _WHOLE:
            chunk = os.read(descriptor, 65536)
            text += chunk
        return text
    except OSError:
        return None
    finally:
        os.close(descriptor)


class Process(NamedTuple):
    """A process, which its pid alone does not identify: pids are reused."""

    pid: int
    start_ticks: int | None
    """Clock ticks from the boot to its start; `None` if this user may not see it."""


class ProcessStat(NamedTuple):
    """The fields of `/proc/<pid>/stat` that every tick needs; see proc_pid_stat(5)."""

    parent_pid: int
    start_ticks: int
    """Clock ticks from the boot to the start."""
    is_zombie: bool = False
    """Whether it has ended, and only its parent, or another of its threads, keeps its entry."""


def stat_fields(text: bytes | None) -> list[bytes]:
    """Return the fields of `/proc/<pid>/stat` from the third, the state, on; none when there is no text.

    The name before them is chosen by the process: it may contain spaces and parentheses.
    """
    return (text or b"").rpartition(b")")[2].split()


def parse_process_stat(text: bytes | None) -> ProcessStat | None:
    """Parse `/proc/<pid>/stat`; `None` when there is no text, or it is malformed."""
    fields = stat_fields(text)
    if len(fields) < 20:
        return None
    try:
        return ProcessStat(int(fields[1]), int(fields[19]), fields[0] in (b"Z", b"X"))
    except ValueError:
        return None


def read_process_stat(proc: str, pid: int) -> ProcessStat | None:
    """Read a process's stat below a procfs; `None` when it has ended or may not be read."""
    return parse_process_stat(read_bytes(f"{proc}/{pid}/stat"))
