"""Measures, and writes bench/RESULTS.md. Run it with `make bench`."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench import sessions
from bench.sessions import Result

_RESULTS = Path(__file__).parent / "RESULTS.md"
_HEAD = """# Results

Made by `make bench` in one run on one machine. Times are of shared virtual CPUs: judge by the marks and ratios, not by
the third digit.
"""


def main() -> int:
    """Measure all, and fail if a mark is missed."""
    with tempfile.TemporaryDirectory(prefix="vmtop-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:  # noqa: S108
        results = sessions.measure(Path(folder), _say)
    parts = [_HEAD, machine(), "## Session files\n", table(results), _ABOUT]
    _RESULTS.write_text("\n".join(parts))
    _say(f"written: {_RESULTS}")
    return 0 if all(result.is_reached or result.mark == "-" for result in results) else 1


_ABOUT = """
The frames are of a seeded fleet (`bench/believable.py`): 100 workloads with 20 counters each, 30 % of them busy; of the
others a tenth wakes up in a tick. CPU is of the thread that writes, which is the recorder's: neither the sampler's nor
the screen's. A place is reached when its frame is decoded and its rates derived from 30 frames before it. Yardstick:
`sum(i * i for i in range(100_000))`.
"""


def _say(words: str) -> None:
    sys.stderr.write(f"bench: {words}\n")


def machine() -> str:
    names = ("textual", "msgspec", "click")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f"{time.strftime('%Y-%m-%d')} · {os.cpu_count()} CPUs, {_model()} · Linux {platform.release()} · "
        f"Python {platform.python_version()} · {versions}\n"
    )


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(results: Sequence[Result]) -> str:
    rows = [f"| {one.what} | {one.measured} | {one.mark} | {_verdict(one)} |" for one in results]
    return "\n".join(("| what | measured | mark | reached |", "|---|---|---|---|", *rows))


def _verdict(result: Result) -> str:
    return "-" if result.mark == "-" else "yes" if result.is_reached else "NO"


if __name__ == "__main__":
    sys.exit(main())
