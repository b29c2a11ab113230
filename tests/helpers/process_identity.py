"""Which process a number means: numbers are given again, and quickly where many programs start."""

from __future__ import annotations

import time
from pathlib import Path

from tests.helpers.patience import EXTERNAL_S


def start_of(pid: int | str) -> str:
    """Return when a process began, in the kernel's ticks; empty if there is none of this number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def wait_until_reaped(pid: int | str, started: str) -> None:
    """Wait until the process that began then has ended and has been waited for."""
    assert started, "it was not there"
    deadline = time.monotonic() + EXTERNAL_S
    while start_of(pid) == started:
        assert time.monotonic() < deadline, f"process {pid} goes on"
        time.sleep(0.02)
