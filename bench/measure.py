"""What every part of the bench measures with: results, paired runs, CPU of processes, a terminal that is drained."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_QUESTION, _ANSWER = b"\x1b[6n", b"\x1b[1;1R"
Say = Callable[[str], None]


class Result(NamedTuple):
    """A row of the table."""

    what: str
    measured: str
    mark: str = "-"
    """`-`: none was set."""
    is_reached: bool = True


class Spread(NamedTuple):
    """Several measurements of one thing."""

    middle: float
    least: float
    most: float

    def text(self, form: str = "{:.2f}") -> str:
        """Return the median, and the smallest and the largest."""
        return f"{form.format(self.middle)} ({form.format(self.least)} to {form.format(self.most)})"


def spread(values: Sequence[float]) -> Spread:
    """Return the median, the smallest and the largest of some values."""
    return Spread(median(values), min(values), max(values))


def paired(first: Callable[[], float], second: Callable[[], float], rounds: int) -> tuple[Spread, Spread, Spread]:
    """Measure two things in turn, so that both meet the same weather; return both, and the ratios first / second."""
    pairs = [(first(), second()) for _ in range(rounds)]
    return (
        spread([one for one, _ in pairs]),
        spread([other for _, other in pairs]),
        spread([one / other for one, other in pairs]),
    )


def yardstick() -> float:
    """Return the CPU seconds of `sum(i * i for i in range(100_000))`: what this machine is worth now."""
    costs = []
    for _ in range(5):
        began = time.thread_time()
        sum(i * i for i in range(100_000))
        costs.append(time.thread_time() - began)
    return median(costs)


def cpu_s(pids: Iterable[int]) -> float:
    """Return the CPU seconds of processes so far, with those of children that they have waited for."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
            total += sum(int(field) for field in fields[11:15]) * _TICK_S
    return total


def precise_cpu_s(pids: Iterable[int]) -> float:
    """Return the CPU seconds of processes so far to the nanosecond: hundreds that use next to nothing add up.

    Of threads that have ended nothing is known.
    """
    total = 0.0
    for pid in pids:
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{pid}/task"):
                with contextlib.suppress(OSError):
                    total += thread_cpu_s(number, pid)
    return total


def thread_cpu_s(number: int | str, pid: int | str = "self") -> float:
    """Return the CPU seconds of a thread so far."""
    with open(f"/proc/{pid}/task/{number}/schedstat", "rb") as file:
        return int(file.read().split()[0]) / 1e9


def profile_of(told: Path, whose: str) -> list[Result]:
    """Return where vmtop's time goes, as `bench.threads_app` told it."""
    profile = json.loads(told.read_text())
    return [
        Result(f"{whose}, by thread", _largest(profile["threads"])),
        Result("of the main thread, by step", _largest(profile["steps"])),
    ]


def _largest(shares: Mapping[str, float]) -> str:
    """Return the largest of some shares, in percent of a core."""
    largest = sorted(shares.items(), key=lambda share: -share[1])[:7]
    return ", ".join(f"{name} {share:.2f} %" for name, share in largest)


def tree(root: int) -> set[int]:
    """Return a process and all below it."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
    found = {root}
    while grown := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= grown
    return found


class Terminal:
    """Runs a command on a pty of its own and takes in all that it writes; says where the cursor is, as terminals do."""

    def __init__(self, argv: Sequence[str], size: tuple[int, int], environment: Mapping[str, str]) -> None:
        columns, lines = size
        self.began = time.monotonic()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
            os.execvpe(argv[0], list(argv), {**environment, "TERM": "xterm-256color"})  # noqa: S606
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.count = 0
        """Bytes so far."""
        self._kept = bytearray()
        self._news = threading.Condition()
        self._is_over = False
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def _drain(self) -> None:
        begun = b""  # of a question that may be in two chunks
        while True:
            select.select([self._fd], [], [], 1.0)
            try:
                chunk = os.read(self._fd, 1 << 16)
                if asked := (begun + chunk).count(_QUESTION):
                    os.write(self._fd, _ANSWER * asked)
                begun = (begun + chunk)[-(len(_QUESTION) - 1) :]
            except OSError:
                chunk = b""
            with self._news:
                self._is_over = not chunk
                self.count += len(chunk)
                self._kept = (self._kept + chunk)[-(1 << 20) :]
                self._news.notify_all()
            if not chunk:
                return

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def forget(self) -> None:
        """Let only what comes from now on count."""
        with self._news:
            self._kept.clear()

    def wait_for(self, words: bytes, seconds: float = 30.0) -> float:
        """Wait until some bytes came, and return the seconds since the start.

        Raises:
            TimeoutError: They did not come.
        """
        deadline = time.monotonic() + seconds
        with self._news:
            while words not in self._kept:
                left = deadline - time.monotonic()
                if left <= 0 or self._is_over:
                    raise TimeoutError(f"{words!r} did not come: {bytes(self._kept[-300:])!r}")
                self._news.wait(left)
        return time.monotonic() - self.began

    def close(self) -> None:
        """End the program, and all that it started."""
        below = tree(self.pid)
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            time.sleep(0.05)
        for pid in below:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self._fd)
