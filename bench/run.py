"""Measures, and writes bench/RESULTS.md: `make bench`. One chapter anew: `python -m bench.run --renew sampling`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from bench import (
    at_rest,
    memory_growth,
    metrics_view,
    painting,
    peers,
    remote_hosts,
    sampling,
    sessions,
    starting,
    systemd_host,
    tick_steps,
)
from bench.ending import working_folder
from bench.measure import Result, yardstick

_RESULTS = Path(__file__).parent / "RESULTS.md"
_HEAD = """# Results

Written by `make bench` in one run on one machine; a chapter that was measured anew since has a line of its own that
says so. The virtual CPUs are shared: judge by the marks and ratios, not by the third digit. With several rounds, the
median comes first and the smallest and largest follow in brackets.
"""
_LIBRARIES = ("textual", "msgspec", "click", "psutil", "docker", "libvirt-python")


class Part(NamedTuple):
    """A chapter of the table."""

    name: str
    title: str
    about: str
    measure: Callable[[Path], Sequence[Result]]


def parts() -> list[Part]:
    """Return the parts, in the order in which they are measured."""
    hour = memory_growth.Hour()

    def measure_sessions(folder: Path) -> Sequence[Result]:
        hour.begin(folder)
        return sessions.measure(folder, _say)

    return [
        Part("sessions", sessions.TITLE, sessions.ABOUT, measure_sessions),
        Part("memory", memory_growth.TITLE, memory_growth.ABOUT, lambda folder: hour.results(folder, _say)),
        Part("peers", peers.TITLE, peers.ABOUT, lambda folder: peers.measure(folder, _say)),
        Part("rest", at_rest.TITLE, at_rest.ABOUT, lambda folder: at_rest.measure(folder, _say)),
        Part("painting", painting.TITLE, painting.ABOUT, lambda folder: painting.measure(folder, _say)),
        Part("steps", tick_steps.TITLE, tick_steps.ABOUT, lambda folder: tick_steps.measure(folder, _say)),
        Part("starting", starting.TITLE, starting.ABOUT, lambda folder: starting.measure(folder, _say)),
        Part(
            "systemd",
            systemd_host.TITLE,
            systemd_host.ABOUT,
            lambda folder: systemd_host.measure(folder, _say),
        ),
        Part("metrics", metrics_view.TITLE, metrics_view.ABOUT, lambda folder: metrics_view.measure(folder, _say)),
        Part("hosts", remote_hosts.TITLE, remote_hosts.ABOUT, lambda folder: remote_hosts.measure(folder, _say)),
        Part("sampling", sampling.TITLE, sampling.ABOUT, lambda folder: sampling.measure(folder, _say)),
    ]


def main(argv: Sequence[str]) -> int:
    """Measure all, or one part; fail if a part could not be measured."""
    known = parts()
    names = [part.name for part in known]
    asking = argparse.ArgumentParser(prog="bench", description=__doc__)
    asking.add_argument("--only", choices=names, help="measure this alone, and only print it")
    asking.add_argument("--renew", choices=names, help="measure this alone, and put it into what an earlier run wrote")
    asked = asking.parse_args(argv)
    only = asked.only or asked.renew
    chapters: list[str] = []
    began = time.monotonic()
    with working_folder(os.environ.get("TMPDIR", "/var/tmp")) as folder:  # noqa: S108
        for part in known:
            if only in (None, part.name):
                (place := folder / part.name).mkdir()
                chapters.append("\n".join((f"## {part.title}\n", table(part.measure(place)), part.about)))
            if only is None:
                _write(chapters, time.monotonic() - began)
    if asked.renew is not None:
        _RESULTS.write_text(renewed(_RESULTS.read_text(), chapters[0], machine()))
        _say(f"written: {_RESULTS}")
    elif only is not None:
        sys.stdout.write("\n".join(chapters))
    return 0


def renewed(results: str, chapter: str, when: str) -> str:
    """Return results with one chapter replaced, which says when and where it was measured.

    Raises:
        ValueError: There is no chapter of its title.
    """
    title, _, rest = chapter.partition("\n")
    before, found, after = results.partition(f"\n{title}\n")
    if not found:
        raise ValueError(f"the results have no chapter {title.removeprefix('## ')!r}: run all of the bench")
    _, following, others = after.partition("\n## ")
    return f"{before}\n{title}\n\nMeasured anew: {when}{rest}{following}{others}"


def _write(chapters: Sequence[str], seconds: float) -> None:
    """Write what there is: a run that is broken off has told what it measured until then."""
    _RESULTS.write_text("\n".join([_HEAD, machine(f" · the run took {seconds / 60:.0f} minutes"), *chapters]))
    _say(f"written: {_RESULTS}")


def _say(words: str) -> None:
    sys.stderr.write(f"bench: {words}\n")
    sys.stderr.flush()


def machine(more: str = "") -> str:
    """Return a line of the day, the machine and the versions."""
    names = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{time.strftime('%Y-%m-%d')} · {os.cpu_count()} CPUs, {_model()} · Linux {platform.release()} · "
        f"Python {platform.python_version()} · vmtop {version('vmtop')}, {names} · yardstick "
        f"(`sum(i * i for i in range(100_000))`) {yardstick() * 1e3:.1f} ms{more}\n"
    )


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def table(results: Sequence[Result]) -> str:
    """Return results as a table of Markdown."""
    rows = [f"| {one.what} | {one.measured} | {one.mark} | {_verdict(one)} |" for one in results]
    return "\n".join(("| what | measured | mark | reached |", "|---|---|---|---|", *rows))


def _verdict(result: Result) -> str:
    return "-" if result.mark == "-" else "yes" if result.is_reached else "NO"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
