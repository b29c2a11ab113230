"""What vmtop costs on a host with systemd: its own CPU, and that of PID 1 and the bus, compared with systemd-cgtop."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

from bench.measure import Result, Say, Terminal, cpu_s, spread, tree
from tests.helpers.lab.uml import uml_kernel
from tests.helpers.lab.uml_systemd import run_under_systemd

TITLE = "On a host with systemd"
ABOUT = """
A user-mode kernel (pure cgroup v2) boots systemd with the service files of the machine that runs this, of which ten are
running. Nothing, vmtop and systemd-cgtop, each updated once a second on a terminal, are watched in turn. Percentages
are of one core of that kernel, whose system calls take several times as long as on the machine itself: the ratios are
what counts. Before the first reading counts, a tool has run for the settling time.
"""
_UNITS = Path("/lib/systemd/system")
_RUNNING = 10
_WINDOW_S, _SETTLE_S, _ROUNDS = 15.0, 8.0, 3
_VMTOP, _CGTOP, _NOTHING = "vmtop", "systemd-cgtop", "nothing"
_LINK = "\x1e"
"""Before the line with the measurements: the kernel's output may hold others."""


def measure(folder: Path, say: Say) -> list[Result]:
    """Boot, measure, and return a row for each tool."""
    say(f"a host with systemd, {_ROUNDS} rounds of {3 * (_WINDOW_S + _SETTLE_S):.0f} s")
    own = {
        f"bench{number}.service": "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 100000\n"
        "[Install]\nWantedBy=lab.target\n"
        for number in range(_RUNNING)
    }
    machine = {
        path.name: path.read_text(errors="replace")
        for path in sorted(_UNITS.glob("*.service"))
        if path.name != "dbus.service" and path.is_file()
    }
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", "TMPDIR": "/run/lab/tmp"}
    argv = [sys.executable, "-m", "bench.systemd_host"]
    kernel = uml_kernel(folder / "uml")
    finished = run_under_systemd(kernel.folder / "systemd", argv, {**machine, **own}, environment, 900)
    if finished.returncode:
        raise ChildProcessError(f"the measurement inside the kernel failed: {finished.stdout[-2000:]}")
    costs = json.loads(finished.stdout.rpartition(_LINK)[2])
    return [_row(tool, costs, len(machine) + len(own)) for tool in (_VMTOP, _CGTOP)]


def _row(tool: str, costs: dict[str, list[list[float]]], files: int) -> Result:
    tools, managers, buses = (spread(column) for column in zip(*costs[tool], strict=True))
    idle = spread([manager for _, manager, _ in costs[_NOTHING]])
    extra = max(0.0, managers.middle - idle.middle)
    text = (
        f"{tools.text('{:.1f}')} %; PID 1 {managers.text('{:.2f}')} % (alone {idle.middle:.2f}), "
        f"bus {buses.text('{:.2f}')} %"
    )
    if tool == _VMTOP:
        text += f"; {files} service files"
    reached = tool != _VMTOP or extra <= tools.middle / 10
    mark = "PID 1 at most a tenth of vmtop's own" if tool == _VMTOP else "-"
    return Result(f"{tool} at 1 s, CPU of its own and of others", text, mark, reached)


def main() -> None:
    """Measure inside the kernel; print by tool a list for each round: CPU of the tool, PID 1 and the bus in percent."""
    bus = next(int(name) for name in os.listdir("/proc") if name.isdigit() and _command(name) == "dbus-daemon")
    costs: dict[str, list[list[float]]] = {_NOTHING: [], _VMTOP: [], _CGTOP: []}
    for _ in range(_ROUNDS):
        for tool, start in _TOOLS.items():
            with start() as terminal:
                time.sleep(_SETTLE_S)
                pids = tree(terminal.pid) if isinstance(terminal, Terminal) else set()
                before = [cpu_s(pids), cpu_s([1]), cpu_s([bus])]
                time.sleep(_WINDOW_S)
                after = [cpu_s(pids), cpu_s([1]), cpu_s([bus])]
            costs[tool].append([(late - early) / _WINDOW_S * 100 for early, late in zip(before, after, strict=True)])
    sys.stdout.write(f"{_LINK}{json.dumps(costs)}\n")


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:  # it has ended
        return ""


def _terminal(argv: Sequence[str]) -> AbstractContextManager[Terminal]:
    return closing(Terminal(argv, (120, 40), {**os.environ, "XDG_STATE_HOME": "/run/lab/tmp"}))


_TOOLS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    _NOTHING: nullcontext,
    _VMTOP: lambda: _terminal((str(Path(sys.executable).with_name("vmtop")), "--interval", "1")),
    _CGTOP: lambda: _terminal(("systemd-cgtop", "--delay=1")),
}


if __name__ == "__main__":
    main()
