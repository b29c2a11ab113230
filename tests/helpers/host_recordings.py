"""Session files as several hosts record them, each by its own clocks."""

from __future__ import annotations

import zlib
from pathlib import Path

from msgspec.structs import replace

from collectors.model.workloads import Frame
from collectors.session.storage import FileStorage, new_file
from collectors.session.writer import Writer
from tests.helpers.demo_fleet import Fleet

WALL = 1_750_000_000.0


def host_frames(
    hostname: str,
    count: int,
    start_s: float = 0.0,
    boot_s: float = 1.0,
    seed: int = 7,
    workloads: int = 4,
    wall: float = WALL,
) -> list[Frame]:
    """Return a host's frames, a second apart.

    Args:
        hostname: Its name.
        count: How many frames.
        start_s: Seconds after `wall` at which the first one is taken, and one second more.
        boot_s: Seconds for which the host has run at that time.
        seed: Decides what its workloads do, and the ids of virtual machines and containers.
        workloads: How many it has.
        wall: Seconds since 1970.
    """
    fleet = Fleet(workloads, seed, wall + start_s)
    fleet.now_ns = int(boot_s * 1e9)
    frames = [fleet.frame() for _ in range(count)]
    run = f"{zlib.crc32(f'{hostname} {start_s} {boot_s}'.encode()):016x}"
    return [replace(frame, facts={**frame.facts, "hostname": hostname}, run=run) for frame in frames]


def record(path: Path, frames: list[Frame], is_closed: bool = True) -> Path:
    """Write frames into a new file."""
    writer = Writer(FileStorage(new_file(path)))
    for frame in frames:
        writer.write(frame)
    if is_closed:
        writer.close()
    return path
