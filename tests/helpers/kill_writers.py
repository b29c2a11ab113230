"""Writers of session files that are killed at random moments.

`python -m tests.helpers.kill_writers KILLS FOLDER` prints the tally.

A writer acknowledges each frame once it is written. After SIGKILL the file has every acknowledged frame, and at most
the one more that was being written.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from collectors.session.reader import Session
from collectors.session.sinks import file_writer
from tests.helpers.checkout import ROOT
from tests.helpers.demo_fleet import Fleet

KILLS = int(os.environ.get("VMTOP_KILLS", "100"))
_LONGEST_S = 0.06


@dataclass
class Tally:
    """What became of the files of killed writers."""

    kills: int = 0
    acknowledged: int = 0
    """Frames that a writer said were written."""
    kept: int = 0
    """Frames in the files."""
    lost: int = 0
    """Acknowledged frames that are not in a file."""
    torn: int = 0
    """Files that end in the middle of the frame in flight: the kernel had written a part of it."""
    damaged: int = 0
    """Files in which gzip or vmtop find another fault."""


def kill_writers(kills: int, folder: Path) -> Tally:
    """Kill so many writers, in a process of its own that has one thread and may fork."""
    command = [sys.executable, "-m", "tests.helpers.kill_writers", str(kills), str(folder)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return Tally(**json.loads(told.stdout))


def _kill_many(kills: int, folder: Path) -> Tally:
    tally, chance, fleet = Tally(), random.Random(11), Fleet(20)  # noqa: S311  # repeatable, not secret
    frames = [fleet.frame() for _ in range(200)]
    for number in range(kills):
        path = folder / f"{number}.vmtop.gz"
        incoming, outgoing = os.pipe()
        child = os.fork()
        if child == 0:
            writer = file_writer(path)
            for frame in frames * 10:
                writer.write(frame)
                os.write(outgoing, b".")
            os._exit(0)
        os.close(outgoing)
        os.read(incoming, 1)
        time.sleep(chance.random() * _LONGEST_S)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        acknowledged = 1
        while data := os.read(incoming, 65536):
            acknowledged += len(data)
        os.close(incoming)
        _count(tally, path, acknowledged)
        path.unlink()
    return tally


def _count(tally: Tally, path: Path, acknowledged: int) -> None:
    session = Session([path])
    kept = sum(1 for _ in session.frames())
    problems = [session.part(index).problem for index in range(len(session.members))]
    session.close()
    unpacked, is_torn = unpack(path)
    tally.kills += 1
    tally.acknowledged += acknowledged
    tally.kept += kept
    tally.lost += max(0, acknowledged - kept)
    tally.torn += is_torn
    is_sound = abs(unpacked - kept) <= is_torn and kept <= acknowledged + 1 and (is_torn or not any(problems))
    tally.damaged += not is_sound


def unpack(path: Path) -> tuple[int, bool]:
    """Return how many frames gzip finds in a file, and whether it ends in the middle of something.

    A page that was not written any more leaves the end of the file, or what it held before: the last bytes of an end.
    """
    left, text = path.read_bytes(), b""
    while left:
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            text += member.decompress(left)
        except zlib.error:
            text += _before_error(left)
            break
        if not member.eof:
            break
        left = member.unused_data
    lines = text.splitlines(keepends=True)
    return sum(line.startswith(b'{"k":"frame"') and line.endswith(b"\n") for line in lines), bool(left)


def _before_error(data: bytes) -> bytes:
    """Return what a member holds before what is no gzip."""
    member, text = zlib.decompressobj(zlib.MAX_WBITS | 16), b""
    with suppress(zlib.error):
        for place in range(len(data)):
            text += member.decompress(data[place : place + 1])
    return text


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(_kill_many(int(sys.argv[1]), Path(sys.argv[2])))))
