"""A stand-in for `vmtop record -` on a host that costs next to nothing: it plays prepared frames, one a second.

`python -S -E far_player.py FILE` writes the pieces of FILE, whose ends are numbers in FILE.ends, then goes on silently.
Options that vmtop would take are passed over.
"""

import os
import sys
import time
from pathlib import Path


def play(path: str) -> None:
    """Write the pieces in time."""
    data = Path(path).read_bytes()
    ends = [int(word) for word in Path(f"{path}.ends").read_text().split()]
    at, start = time.monotonic(), 0
    for end in ends:
        os.write(1, data[start:end])
        start, at = end, at + 1.0
        time.sleep(max(0.0, at - time.monotonic()))
    time.sleep(100_000)


if __name__ == "__main__":
    play(sys.argv[1])
