"""vmtop with a look at itself: writes how much CPU time each thread took, and each step. Run as a program on a pty.

python -m bench.threads_app FILE WARM_UP_S WINDOW_S ARGUMENT...
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from bench.measure import thread_cpu_s
from bench.tick_steps import Steps
from tui.cli.main import main


def watch(told: Path, warm_up_s: float, window_s: float, steps: Steps) -> None:
    """Write the percent of a core that each thread used, by its name, and each step of the main thread, by its own."""
    time.sleep(warm_up_s)
    steps.begin()
    before = {thread.native_id: thread_cpu_s(thread.native_id) for thread in threading.enumerate() if thread.native_id}
    time.sleep(window_s)
    shares: dict[str, float] = {}
    for thread in threading.enumerate():
        if thread.native_id in before:
            used = thread_cpu_s(thread.native_id) - before[thread.native_id]
            shares[thread.name] = shares.get(thread.name, 0.0) + used / window_s * 100
    by_step = {step: seconds / window_s * 100 for step, seconds in steps.since_begin().items()}
    told.write_text(json.dumps({"threads": shares, "steps": by_step}))


if __name__ == "__main__":
    file, warm_up, window, *arguments = sys.argv[1:]
    steps = Steps()
    places = Path(file), float(warm_up), float(window), steps
    threading.Thread(target=watch, args=places, daemon=True, name="watch").start()
    with steps.timed():
        main(arguments)
