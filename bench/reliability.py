"""Injects faults, counts what vmtop survives, and writes bench/RELIABILITY.md. Run it with `make reliability`.

Each part can be run alone (`--only hour --minutes 60`); a part that is not run keeps its figures with their date.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import churn, compressed_day, daemons, hostile, kills, overload, real_hour
from bench.measure import Result
from bench.run import machine, table

_FIGURES = Path(__file__).parent / "RELIABILITY.md"
_HEAD = """# Reliability

Written by `make reliability`. Every part names the day and the machine of its own run. Latencies are those of two
shared virtual CPUs on which other builds and tests may run at the same time.
"""


class Effort(NamedTuple):
    """How much of everything."""

    cycles: int
    containers: int
    inputs: int
    kills: int
    lists: int
    hours: float
    minutes: float


class Part(NamedTuple):
    """A part of the measurement: a section of the figures."""

    title: str
    about: str
    measure: Callable[[Path, Effort, Callable[[str], None]], list[Result]]
    """Takes an empty folder, the effort, and whom to tell of progress."""


PARTS = {
    "daemons": Part(
        "Daemons that fail", daemons.ABOUT, lambda place, much, say: daemons.measure(place, much.cycles, say)
    ),
    "churn": Part("Churn", churn.ABOUT, lambda place, much, say: churn.measure(place, much.containers, say)),
    "hostile": Part("Hostile text", hostile.ABOUT, lambda place, much, say: hostile.measure(place, much.inputs, say)),
    "kills": Part("Recordings killed", kills.ABOUT, lambda place, much, say: kills.measure(place, much.kills, say)),
    "overload": Part(
        "Overloaded host", overload.ABOUT, lambda place, much, say: overload.measure(place, much.lists, say)
    ),
    "day": Part(
        "A day with time compressed",
        compressed_day.ABOUT,
        lambda place, much, say: compressed_day.measure(place, much.hours, say),
    ),
    "hour": Part("In real time", real_hour.ABOUT, lambda place, much, say: real_hour.measure(place, much.minutes, say)),
}


def main(arguments: list[str] | None = None) -> int:
    """Run the parts that are asked for, and fail if a bound is missed."""
    asked = _arguments().parse_args(arguments)
    effort = Effort(**{name: getattr(asked, name) for name in Effort._fields})
    is_held = True
    for name in asked.only or PARTS:
        part = PARTS[name]
        with tempfile.TemporaryDirectory(prefix="vmtop-", dir="/var/tmp") as folder:  # a short path: sockets
            results = part.measure(Path(folder), effort, _say)
        is_held = is_held and all(result.is_reached for result in results)
        _write({**_earlier(), part.title: f"{machine()}\n{table(results)}\n{part.about}"})
    return 0 if is_held else 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.reliability", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="run this part; may be repeated")
    parser.add_argument("--cycles", type=int, default=150, help="failures of both daemons")
    parser.add_argument("--containers", type=int, default=200, help="containers that come and go")
    parser.add_argument("--inputs", type=int, default=2000, help="hostile texts")
    parser.add_argument("--kills", type=int, default=100, help="recordings that are killed")
    parser.add_argument("--lists", type=int, default=20, help="lists on an overloaded host")
    parser.add_argument("--minutes", type=float, default=60, help="length of the run in real time")
    parser.add_argument("--hours", type=float, default=24, help="length of the run with time compressed")
    return parser


def _earlier() -> dict[str, str]:
    """Return the sections of the last runs by title."""
    text = _FIGURES.read_text() if _FIGURES.exists() else ""
    found = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)[1:]
    return {title: body.strip() for title, body in zip(found[::2], found[1::2], strict=True)}


def _write(sections: dict[str, str]) -> None:
    titles = [part.title for part in PARTS.values() if part.title in sections]
    _FIGURES.write_text("\n".join([_HEAD, *(f"## {title}\n\n{sections[title].strip()}\n" for title in titles)]))
    _say(f"written: {_FIGURES}")


def _say(words: str) -> None:
    sys.stderr.write(f"reliability: {time.strftime('%H:%M:%S')} {words}\n")


if __name__ == "__main__":
    sys.exit(main())
