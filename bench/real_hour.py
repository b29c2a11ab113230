"""vmtop in real time at one frame a second, on a terminal, beside real containers and guests that come and go."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.keys import KeyBoard, spread
from bench.measure import Result
from bench.process_watch import Held, folder_bytes, held, slope_kib_per_hour
from tests.helpers.lab.docker_engine import DockerLab, docker_engine
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab, libvirt_daemon
from tests.helpers.pty_terminal import Terminal

ABOUT = """
`vmtop` on a pty of 160x50, with its spool, next to a Docker engine and a libvirtd started for this run: two Linux
guests, three of one boot sector, and containers that compute, write, hold memory and use the network; every five
seconds one container comes and one goes. A key is pressed every ten seconds and its effect awaited on the screen;
every minute a page or a workload is opened and closed. The slope of memory is that of least squares over the second
half: in the first half the history and the caches fill.
"""
_KEPT = 5
"""Containers that come and go, at a time."""


def measure(folder: Path, minutes: float, say: Callable[[str], None]) -> list[Result]:
    """Run for so many minutes."""
    state = folder / "state"
    with docker_engine(folder / "docker") as docker, libvirt_daemon(folder / "libvirt") as libvirt:
        _populate(docker, libvirt)
        command = ["vmtop", "--docker", docker.url, "--libvirt", libvirt.uri]
        with _terminal(command, state) as terminal:
            terminal.wait_for(lambda: "hour-busy" in terminal.text(), 60, "the containers")
            say(f"{minutes:g} minutes in real time")
            watch = _Watch(terminal, docker, state)
            watch.run(minutes * 60, say)
            terminal.press("q")
            code = terminal.wait_exit(20)
        return watch.results(code, (state / "vmtop" / "vmtop.log").read_text())


def _populate(docker: DockerLab, libvirt: LibvirtLab) -> None:
    libvirt.wait_ready()
    libvirt.start_tiny("hour-idle")
    libvirt.start_tiny("hour-disk", BootSector.DISK)
    libvirt.start_tiny("hour-work", BootSector.BUSY, cpu_share=0.1)
    docker.run_busy("hour-busy", 0.1)
    docker.run_disk_writer("hour-writer", mib_per_turn=1, pause_s=1)
    docker.run_memory_hog("hour-hog")
    docker.run_traffic("hour-net", mib_per_turn=1, pause_s=1)


@contextmanager
def _terminal(command: list[str], state: Path) -> Iterator[Terminal]:
    terminal = Terminal(command, (160, 50), {"XDG_STATE_HOME": str(state)})
    try:
        yield terminal
    finally:
        terminal.close()


class _Watch:
    """Drives the terminal and the containers, and keeps what is seen."""

    def __init__(self, terminal: Terminal, docker: DockerLab, state: Path) -> None:
        self._terminal = terminal
        self._keys = KeyBoard(terminal)
        self._docker = docker
        self._spool = state / "vmtop" / "spool"
        self._coming = itertools.count()
        self._living: deque[str] = deque()
        self._latencies: list[float] = []
        self._taken: list[Held] = []
        self._largest_spool = 0
        self._bytes = 0
        self._seconds = 0.0

    def run(self, seconds: float, say: Callable[[str], None]) -> None:
        """Watch for so long."""
        began = time.monotonic()
        for turn in itertools.count():
            self._replace_container()
            if turn % 2 == 0:
                self._latencies.append(self._keys.press())
            if turn % 12 == 6:
                self._look_around(turn // 12)
            self._taken.append(held(self._terminal.pid))
            self._largest_spool = max(self._largest_spool, folder_bytes(self._spool))
            self._bytes += len(self._terminal.received)
            self._terminal.received.clear()
            self._seconds = time.monotonic() - began
            if turn % 60 == 0:
                say(f"{self._seconds / 60:.0f} min, {self._taken[-1]}")
            if self._seconds > seconds:
                return
            self._rest(began + (turn + 1) * 5 - time.monotonic())

    def _look_around(self, number: int) -> None:
        """Open something and come back."""
        for key in (("\r", "2", "3", "4", "5", "\x1b"), ("?", "\x1b"), ("!", "\x1b"), ("t", "t"), ("w", "\x1b"))[
            number % 5
        ]:
            self._terminal.press(key)
            self._rest(1)

    def _rest(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._terminal.take(left)

    def _replace_container(self) -> None:
        self._living.append(self._docker.run(f"hour-guest-{next(self._coming)}", "while :; do sleep 1; done"))
        if len(self._living) > _KEPT:
            self._docker.remove(self._living.popleft())

    def results(self, code: int, log: str) -> list[Result]:
        """Tell what was seen."""
        settled = self._taken[len(self._taken) // 2 :]
        slope = slope_kib_per_hour(settled) / 1024
        resident = [one.resident_kib >> 10 for one in settled]
        threads, descriptors = [one.threads for one in settled], [one.descriptors for one in settled]
        middle = median(self._latencies)
        spool = self._largest_spool / 2**20
        tracebacks = log.count("Traceback")
        return [
            Result("time", f"{self._seconds / 60:.0f} min, {next(self._coming)} containers came and went", "-", True),
            Result("resident memory", f"{min(resident)} to {max(resident)} MiB", "-", True),
            Result("slope of memory", f"{slope:+.2f} MiB an hour", "at most 5", slope <= 5),
            Result("threads", _span(threads), "no more at last", threads[-1] - threads[0] <= 1),
            Result(
                "descriptors other than those of each workload",
                _span(descriptors),
                "no more at last",
                descriptors[-1] - descriptors[0] <= 3,
            ),
            Result("spool, largest", f"{spool:.1f} MiB", "at most 64", spool <= 64),
            Result("bytes to the terminal", f"{self._bytes / self._seconds / 1024:.1f} KiB/s", "-", True),
            Result("key to screen", spread(self._latencies), "median under 100 ms", middle < 100),
            Result(
                "end", f"exit code {code}, {tracebacks} tracebacks in the log", "0 and 0", code == 0 and not tracebacks
            ),
        ]


def _span(values: list[int]) -> str:
    return f"{min(values)} to {max(values)}, {values[0]} at first, {values[-1]} at last"
