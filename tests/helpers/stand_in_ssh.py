"""A program in place of `ssh` that plays the vmtop of another host, or one of its faults."""

from __future__ import annotations

import sys
from pathlib import Path

from collectors.session.writer import Writer
from tests.helpers.demo_fleet import Fleet

_SESSION = """
import os, sys, threading, time
from collectors.session.sinks import stream_writer
from tests.helpers.demo_fleet import Fleet
def end():
    for line in sys.stdin:
        with open({log!r}, "a") as log:
            log.write(line)
    os._exit(0)
threading.Thread(target=end, daemon=True).start()
fleet, writer = Fleet(4), stream_writer(1)
for _ in range({frames}):
    writer.write(fleet.frame(0.05))
    time.sleep(0.05)
{after}
"""


def place(folder: Path, script: str) -> str:
    """Write a shell script as `ssh` into a folder; return a PATH that begins with it."""
    folder.mkdir(exist_ok=True)
    program = folder / "ssh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def session(folder: Path, frames: int = 10_000, after: str = "") -> str:
    """Place an `ssh` that sends frames quickly, and writes what it is told into `told`."""
    program = folder / "session.py"
    folder.mkdir(exist_ok=True)
    program.write_text(_SESSION.format(log=str(folder / "told"), frames=frames, after=after))
    return place(
        folder, f"echo Welcome; exec env PYTHONPATH={':'.join(filter(None, sys.path))} {sys.executable} {program}"
    )


class KeptStorage:
    """A storage that keeps what a pipe would carry."""

    has_end = False

    def __init__(self) -> None:
        self.data = b""
        self.size = 0

    def append(self, data: bytes, end: bytes) -> None:
        """Take data; an end is only written when it is permanent."""
        self.data += data
        self.size += len(data)

    def finish(self, end: bytes) -> None:
        """Make the end permanent."""
        self.append(end, b"")

    def patch(self, offset: int, data: bytes) -> None:
        """Nothing can be changed in a pipe."""

    def close(self) -> None:
        """Nothing to release."""


def recorded(frames: int) -> bytes:
    """Return what `vmtop record -` sends of some frames."""
    fleet, kept = Fleet(4), KeptStorage()
    writer = Writer(kept)
    for _ in range(frames):
        writer.write(fleet.frame())
    writer.close()
    return kept.data
