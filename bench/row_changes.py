"""Count how many visible rows of the real screen change place in a second: `python -m bench.row_changes`.

Starts the demo in tmux at 80x24 and reads its pane, with the order by a mean and with the exact one.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_SERVER = "vmtop-row-changes"
_SIZE = ("-x", "80", "-y", "24")
_FIRST_ROW, _ROWS = 4, 15
"""The line of the first workload, below header, heads and host, and how many rows are compared."""
_NAME = slice(3, 20)
_SETTLES_S = 15.0


def _tmux(*words: str) -> str:
    command = ["tmux", "-L", _SERVER, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _changes(seconds: int) -> Iterator[int]:
    """Yield for each second how many rows show another name than a second before."""
    before: list[str] = []
    for _ in range(seconds):
        lines = _tmux("capture-pane", "-p").splitlines()[_FIRST_ROW : _FIRST_ROW + _ROWS]
        names = [line[_NAME].split(" ")[0] for line in lines]
        if before:
            yield sum(first != second for first, second in zip(before, names, strict=True))
        before = names
        time.sleep(1.0)


def main() -> None:
    """Measure both orders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="measured for each order (default: %(default)s)")
    seconds = parser.parse_args().seconds
    program = f"{Path(sys.executable).with_name('vmtop')} demo --workloads 30"
    _tmux("-f", "/dev/null", "new-session", "-d", *_SIZE, program)
    try:
        time.sleep(_SETTLES_S)
        for title, keys in (("mean of 10 s", ()), ("exact", (".", "."))):
            for key in keys:
                _tmux("send-keys", key)
            time.sleep(3.0)
            counts = list(_changes(seconds))
            print(f"{title}: median {statistics.median(counts):g}, mean {statistics.mean(counts):.1f} of {_ROWS} rows")
    finally:
        _tmux("kill-server")


if __name__ == "__main__":
    main()
