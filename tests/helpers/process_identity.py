"""Which process a number means: numbers are given again, and quickly where many programs start."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.lab.process import wait_until


def start_of(pid: int | str) -> str:
    """Return when a process began, in the kernel's ticks; empty if there is none of this number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def wait_until_reaped(pid: int | str, started: str) -> None:
    """Wait until the process that began then has ended and has been waited for."""
    assert started, "it was not there"
    wait_until(lambda: start_of(pid) != started, 60, f"the end of process {pid}")
