"""vmtop beside its peers on the same real fleet: CPU of the tool and of the daemons that it makes work."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.measure import Result, Say, Spread, Terminal, cpu_s, precise_cpu_s, profile_of, spread, tree, yardstick
from bench.peer_tools import Tool, install
from tests.helpers.lab.docker_engine import DockerLab, docker_engine
from tests.helpers.lab.libvirt_daemon import libvirt_daemon

TITLE = "Compared with other tools"
ABOUT = """
A Docker engine and a libvirt daemon started for this run: containers that mostly sleep (one in ten uses 2 % of a
core), two Linux guests and one of a boot sector. Each tool runs on a pty of 120x40 that is drained, updates every
second, and is measured for 10 s after 12 s of warm-up, in which it may ask once for each container. The CPU time of
the tool's processes and of dockerd, containerd, the shims and libvirtd is counted, less what these daemons use by
themselves, which is measured before each tool. Of the shims, the one at the first quartile counts once for each shim,
in the lesser of two halves: each does something by itself every half minute, watched or not, and all at once if they
were started together; a tool that asks them asks all of them, every second. ctop and systemd-cgtop read cgroups; htop,
btop and atop do not know containers by name. None of these asks a daemon: what their rows show for daemons is the error
of this measurement. dtop and ctop are what PyPI has under these names: a Docker screen in Python that asks at an
interval of its own, and a reader of cgroups v1 of 2016. The programs of the same names in Rust and Go are neither on
PyPI nor on npm nor in Debian 12, and so are oxker, podman-tui and below: they are missing here.
Values are percent of one core; the same in yardsticks can be compared with that of a machine of another speed. Of
vmtop's threads, MainThread derives and paints, source-cgroup reads the kernel's files, recorder keeps the session.
"""
SIZES = (10, 50, 200)
_ALONE_S, _WARM_UP_S, _WINDOW_S = 6.0, 12.0, 10.0
_SHIM = b"containerd-shim"
_DAEMONS = (b"dockerd", b"containerd", b"libvirtd", b"rpc-libvirtd")
_ROUNDS = {10: 1, 50: 1, 200: 2}
_TOOLS = {
    10: ("vmtop", "docker stats"),
    50: (
        *("vmtop", "docker stats", "lazydocker", "dtop", "Glances"),
        *("ctop", "systemd-cgtop", "htop", "btop", "atop"),
    ),
    200: ("vmtop", "docker stats", "lazydocker", "Glances", "systemd-cgtop"),
}


class Cost:
    """Percent of a core, in each round."""

    def __init__(self) -> None:
        self.tool: list[float] = []
        self.daemons: list[float] = []
        self.kib: list[float] = []

    @property
    def whole(self) -> Spread:
        """Tool and daemons."""
        return spread([tool + daemons for tool, daemons in zip(self.tool, self.daemons, strict=True)])


class Daemons:
    """Our own engines' processes, found by name and by the folder in their command lines."""

    def __init__(self, folder: Path) -> None:
        self._engines: list[int] = []
        self._shims: list[int] = []
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            with contextlib.suppress(OSError):
                comm = Path(f"/proc/{pid}/comm").read_bytes().strip()
                if str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    if comm.startswith(_SHIM):
                        self._shims.append(pid)
                    elif comm.startswith(_DAEMONS):
                        self._engines.append(pid)

    def watch(self, seconds: float) -> float:
        """Wait, and return the percent of a core that they used meanwhile, without what shims do by themselves."""
        began, engines = time.monotonic(), precise_cpu_s(self._engines)
        shims = []
        for _ in range(2):
            before, since = [precise_cpu_s([pid]) for pid in self._shims], time.monotonic()
            time.sleep(seconds / 2)
            used = sorted(precise_cpu_s([pid]) - cpu for pid, cpu in zip(self._shims, before, strict=True))
            shims.append(used[len(used) // 4] * len(used) / (time.monotonic() - since) if used else 0.0)
        return ((precise_cpu_s(self._engines) - engines) / (time.monotonic() - began) + min(shims)) * 100


def measure(folder: Path, say: Say) -> list[Result]:
    """Measure all fleets."""
    results = []
    with docker_engine(folder / "docker") as docker, libvirt_daemon(folder / "libvirt") as libvirt:
        say("installing the peers")
        tools = install(folder, docker.url, libvirt.uri, say)
        libvirt.wait_ready()
        libvirt.start_tiny("tiny")
        fleet = 0
        for size in SIZES:
            say(f"{size} containers")
            _grow(docker, fleet, size)
            fleet = size
            costs = _fleet(folder, [tools[name] for name in _TOOLS[size] if name in tools], _ROUNDS[size], say)
            results += _rows(size, costs)
        results += _threads(folder, tools["vmtop"])
    versions = ", ".join(f"{tool.name}: {tool.version}" for tool in tools.values())
    return [*results, Result("versions", versions)]


def _grow(docker: DockerLab, have: int, want: int) -> None:
    def start(number: int) -> None:
        if number % 10:
            docker.run(f"fleet-{number:03}", "exec sleep 100000")
        else:
            docker.run(f"fleet-{number:03}", "while :; do :; done", nano_cpus=20_000_000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(have, want)))
    time.sleep(3)


def _fleet(folder: Path, tools: list[Tool], rounds: int, say: Say) -> dict[str, Cost]:
    costs = {tool.name: Cost() for tool in tools}
    for _ in range(rounds):
        for tool in tools:
            say(f"  {tool.name}")
            alone = Daemons(folder).watch(_ALONE_S)
            with _running(tool) as terminal:
                _watch(terminal, Daemons(folder), alone, costs[tool.name])
    return costs


@contextlib.contextmanager
def _running(tool: Tool) -> Iterator[Terminal]:
    terminal = Terminal(tool.argv, (120, 40), tool.environment)
    try:
        time.sleep(_WARM_UP_S)
        yield terminal
    finally:
        terminal.close()


def _watch(terminal: Terminal, daemons: Daemons, alone: float, cost: Cost) -> None:
    own = tree(terminal.pid)
    before, written, began = cpu_s(own), terminal.count, time.monotonic()
    cost.daemons.append(max(0.0, daemons.watch(_WINDOW_S) - alone))
    seconds = time.monotonic() - began
    cost.tool.append((cpu_s(own | tree(terminal.pid)) - before) / seconds * 100)
    cost.kib.append((terminal.count - written) / seconds / 1024)


def _threads(folder: Path, vmtop: Tool) -> list[Result]:
    """Tell what each thread of vmtop uses on the largest fleet, and each step: why it is not less."""
    told = folder / "threads.json"
    seconds = (str(_WARM_UP_S), str(2 * _WINDOW_S))
    argv = (sys.executable, "-m", "bench.threads_app", str(told), *seconds, *vmtop.argv[1:])
    terminal = Terminal(argv, (120, 40), {**vmtop.environment, "PYTHONPATH": os.getcwd()})
    try:
        time.sleep(_WARM_UP_S + 2 * _WINDOW_S + 3)
        return profile_of(told, f"vmtop, {SIZES[-1]} containers and 3 guests")
    finally:
        terminal.close()


def _rows(size: int, costs: dict[str, Cost]) -> list[Result]:
    rows = []
    ours, yard = costs["vmtop"].whole, yardstick()
    for name, cost in costs.items():
        whole = cost.whole
        text = (
            f"{whole.text('{:.1f}')} % (tool {spread(cost.tool).middle:.1f}, "
            f"daemons {spread(cost.daemons).middle:.1f}), {spread(cost.kib).middle:.1f} KiB/s"
        )
        if name == "vmtop":
            text += f", {ours.middle / 100 / yard:.1f} yardsticks a second"
        mark, reached = "-", True
        if name == "vmtop" and size == 50:
            mark, reached = "at most 1 %", ours.middle <= 1
        elif size == 200 and name in ("docker stats", "lazydocker", "Glances"):
            share = ours.middle / whole.middle if whole.middle else 9.9
            most = 0.05 if name == "docker stats" else 0.1
            text += f"; vmtop costs {share:.2f} of it"
            mark, reached = f"vmtop at most {most} of it", share <= most
        rows.append(Result(f"{name}, {size} containers and 3 guests", text, mark, reached))
    return rows
