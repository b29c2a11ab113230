"""`vmtop list` and `doctor` on a host with twenty times as much to do as it has cores, and in a CPU quota of 5 %."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.measure import Result, spread
from tests.helpers.lab.docker_engine import DockerLab, docker_engine
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab, bare_libvirt

ABOUT = """
`vmtop list --json` next to a Docker engine and a libvirtd started for this run, with three containers and two domains,
while twenty endless loops run on each core, ten at a time (`doctor` too); and in cgroups whose quota is 5 % of a core.
A list is whole if the host, every container and every domain is there by its name, with its CPU and memory. One that is
not whole has to end with an exit code that is not 0 and a sentence on stderr.
"""
_LOOPS_PER_CORE = 20
_WARM_S = 10.0
"""Seconds of load before the first list, so that queues are as long as they get."""
_AT_ONCE, _QUOTAS = 10, 5
_DOCTORS = 2
_PERIOD_US, _QUOTA_US = 100_000, 5_000
_VMTOP = (str(Path(sys.executable).with_name("vmtop")),)

WHOLE, SAID, SILENT = "whole", "not whole, and said so", "not whole, without a word"


class Run(NamedTuple):
    """A command that has ended."""

    code: int
    output: str
    errors: str
    seconds: float = 0.0


def measure(folder: Path, lists: int, say: Callable[[str], None], vmtop: Sequence[str] = _VMTOP) -> list[Result]:
    """Run so many lists in each situation."""
    with docker_engine(folder / "docker") as docker, bare_libvirt(folder / "libvirt") as libvirt:
        names = _populate(docker, libvirt)
        engines = ("--docker", docker.url, "--libvirt", libvirt.uri)
        command = (*vmtop, "list", "--json", *engines)
        with _load():
            time.sleep(_WARM_S)
            say(f"{lists} lists and {_DOCTORS} checks, load {os.getloadavg()[0]:.0f}")
            doctor = (*vmtop, "doctor", "--json", *engines)
            runs = _run_all([command] * lists + [doctor] * _DOCTORS, _AT_ONCE)
            loaded, checks = runs[:lists], runs[lists:]
            load = os.getloadavg()[0]
        with ExitStack() as undo:
            quotas = [undo.enter_context(_quota(number)) for number in range(_QUOTAS)]
            say(f"{_QUOTAS} lists in quotas of 5 %")
            confined = _run_all([_confined(command, quota) for quota in quotas], _QUOTAS)
    return [
        Result("load at the end", f"{load:.0f} on {os.cpu_count()} cores", "-", True),
        *_rows("under load", loaded, names),
        *_doctor_rows(checks),
        *_rows("in a quota of 5 %", confined, names),
    ]


def judge(run: Run, names: Collection[str]) -> str:
    """Return whether a list is whole, or has said that it is not, or has not."""
    if run.code:
        return SAID if any(line.startswith("vmtop: ") for line in run.errors.splitlines()) else SILENT
    document = json.loads(run.output)
    measured = {workload["name"] for workload in document["workloads"] if _has_numbers(workload["metrics"])}
    return WHOLE if measured >= set(names) and _has_numbers(document["host"]["metrics"]) else SILENT


def _has_numbers(metrics: dict[str, float | None]) -> bool:
    return metrics["cpu_percent"] is not None and metrics["memory_host_bytes"] is not None


def _rows(where: str, runs: Sequence[Run], names: Collection[str]) -> list[Result]:
    counts = Counter(judge(run, names) for run in runs)
    verdicts = ", ".join(f"{counts[verdict]} {verdict}" for verdict in (WHOLE, SAID, SILENT) if counts[verdict])
    return [
        Result(f"lists {where}", f"{verdicts} of {len(runs)}", "none without a word", not counts[SILENT]),
        Result(f"seconds of a list {where}", spread([run.seconds for run in runs]).text("{:.1f}"), "-", True),
    ]


def _doctor_rows(checks: Sequence[Run]) -> list[Result]:
    sources = [source for check in checks for source in json.loads(check.output)["sources"]]
    down = [source["name"] for source in sources if source["availability"] == "down"]
    late = [source["name"] for source in sources if source["availability"] == "waiting"]
    return [
        Result("sources that doctor calls down", f"{len(down)} of {len(sources)}, {len(late)} late", "0", not down),
        Result("seconds of a check under load", spread([check.seconds for check in checks]).text("{:.1f}"), "-", True),
    ]


def _populate(docker: DockerLab, libvirt: LibvirtLab) -> list[str]:
    """Start containers and domains; return their names."""
    docker.run_busy("busy", 0.1)
    docker.run_memory_hog("hog")
    docker.run("calm", "while :; do sleep 1; done")
    domains = [libvirt.start_tiny("idle"), libvirt.start_tiny("disk", BootSector.DISK)]
    return ["busy", "hog", "calm", *domains]


@contextmanager
def _load() -> Iterator[None]:
    """Keep every core busy with many endless loops; end them by their ids."""
    count = _LOOPS_PER_CORE * (os.cpu_count() or 1)
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
        for loop in loops:
            loop.wait()


@contextmanager
def _quota(number: int) -> Iterator[Path]:
    """Make a cgroup whose processes may use 5 % of a core together."""
    v1 = Path("/sys/fs/cgroup/cpu")
    group = (v1 if v1.is_dir() else v1.parent) / f"vmtop-overload-{os.getpid()}-{number}"
    group.mkdir()
    try:
        if v1.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(_QUOTA_US))
        else:
            (group / "cpu.max").write_text(f"{_QUOTA_US} {_PERIOD_US}")
        yield group
    finally:
        group.rmdir()


def _confined(command: Sequence[str], group: Path) -> tuple[str, ...]:
    """Return the command that enters a cgroup and becomes another command."""
    return ("sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh", *command)


def _run_all(commands: Sequence[Sequence[str]], at_once: int) -> list[Run]:
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(_run, commands))


def _run(command: Sequence[str]) -> Run:
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - began)
