"""Whether the screen keeps its interval: read, derived, painted and recorded each second."""

from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path

from bench.measure import Result, Terminal, spread
from bench.starting import VMTOP
from collectors.session.reader import Session

_OPENING_S = 30.0
"""More than the first reading of so many groups takes, and the ticks after it, in which each looks for its process."""
_SECONDS = 30.0


def kept(session: Path) -> Result:
    """Run the screen on this host, and see how far apart the last frames are that it recorded into a new file."""
    argv = (VMTOP, "--interval", "1", "--no-spool", "--record", str(session))
    terminal = Terminal(argv, (160, 50), {**os.environ, "XDG_STATE_HOME": str(session.parent)})
    time.sleep(_OPENING_S + _SECONDS)
    terminal.close()
    frames = [frame for _, frame in Session([session]).frames()]
    last = [frame for frame in frames if frame.at_ns > frames[-1].at_ns - _SECONDS * 1e9]
    seconds = spread([(after.at_ns - before.at_ns) / 1e9 for before, after in pairwise(last)])
    return Result(
        f"interval that the screen keeps, {len(frames[-1].workloads):,} workloads",
        f"{seconds.text()} s",
        "1 s",
        seconds.middle <= 1.05 and seconds.most < 1.5,
    )
