"""A real Docker engine and a real libvirtd that freeze, die and come back, again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.keys import KeyBoard, spread
from bench.measure import Result
from collectors.analysis.rates import Moment
from collectors.model.workloads import Availability, WorkloadId
from tests.helpers.frame_watch import Watch, holding
from tests.helpers.lab.frail import DAEMONS, Frail, fail_once, frail_lab
from tests.helpers.pty_terminal import Terminal

ABOUT = """
In each cycle both daemons are frozen (SIGSTOP) until a call to each hangs, killed (SIGKILL) and started, or killed
with their sockets removed and started. They are real and started for this run, with a container and domains that
survive them. In the cycles a frame comes every 0.2 s, so that 50 cycles take a minute; where a monitor is stuck
(SIGSTOP of one domain's QEMU) and on the terminal, where a key is pressed and its effect awaited, a frame comes every
second.
"""
_PRESSES = 40


def measure(folder: Path, cycles: int, say: Callable[[str], None]) -> list[Result]:
    """Measure so many cycles, and a tenth as many stuck monitors."""
    with frail_lab(folder) as frail:
        say(f"{cycles} cycles")
        results = _cycles(frail, cycles)
        say(f"{cycles // 10} stuck monitors")
        results += _monitors(frail, max(1, cycles // 10))
        say("keys while both daemons are frozen")
        return results + _keys(frail, folder / "state")


def _cycles(frail: Frail, count: int) -> list[Result]:
    watch = Watch(frail.specs, 0.2)
    watch.until_all(Availability.OK, *DAEMONS)
    for number in range(3):  # what is made once and stays
        fail_once(frail, watch, number)
    before = holding()
    frames = [fail_once(frail, watch, number) for number in range(count)]
    time.sleep(2)
    after = holding()
    watch.stop()
    is_flat = after[0] <= before[0] + 1 and after[1] <= before[1] + 3
    held = f"threads {before[0]} to {after[0]}, descriptors {before[1]} to {after[1]}"
    return [
        Result(
            "faults injected, of two daemons each",
            f"{count}: {-(-count // 3)} frozen, {(count + 1) // 3} killed, {count // 3} with their sockets removed",
            "-",
            True,
        ),
        Result("cycles survived", f"{len(frames)} of {count}", "all", len(frames) == count),
        Result("held before the cycles and after them", held, "flat", is_flat),
        Result("frames until both are read again", f"median {median(frames):.0f}, max {max(frames)}", "-", True),
    ]


def _monitors(frail: Frail, count: int) -> list[Result]:
    watch = Watch(frail.specs, 1.0)
    watch.until_all(Availability.OK, *DAEMONS)
    spent = []
    for number in range(count):
        stuck = number % len(frail.guests)
        others = [guest for guest in frail.guests if guest != frail.guests[stuck]]
        with frail.stuck_monitor(stuck):
            began = time.monotonic_ns()
            watch.until(lambda moment: all(_told(moment, one) > began + 2e9 for one in others), "the others")  # noqa: B023  # called now
            spent.append((time.monotonic_ns() - began) / 1e9)
        thawed = time.monotonic_ns()
        watch.until(lambda moment: _told(moment, frail.guests[stuck]) > thawed, "the one that was stuck")  # noqa: B023  # called now
    watch.stop()
    told = f"{len(spent)} of {count}; after median {median(spent):.1f} s, max {max(spent):.1f}"
    return [Result("monitors stuck, and the other domains still read", told, "all", len(spent) == count)]


def _told(moment: Moment, identity: WorkloadId) -> int:
    """Return when libvirt last told of a domain."""
    taken = [pair.current.at_ns for pair in moment.readings[identity].pairs if pair.current.source == "libvirt"]
    return max(taken, default=0)


def _keys(frail: Frail, state: Path) -> list[Result]:
    command = ["vmtop", "--docker", frail.engine.url, "--libvirt", frail.libvirt.uri]
    terminal = Terminal(command, (140, 40), {"XDG_STATE_HOME": str(state)})
    try:
        keys = KeyBoard(terminal)
        terminal.wait_for(lambda: "docker" in terminal.line(0) and "frail-box" in terminal.text(), 60, "the rows")
        terminal.read(5)
        well = keys.press_often(_PRESSES)
        frail.freeze()
        try:
            terminal.wait_for(lambda: terminal.line(0).count("stale") == 2, 60, "both as stale")
            frozen = keys.press_often(_PRESSES)
        finally:
            frail.thaw()
    finally:
        terminal.close()
    return [
        Result("key to screen, all well", spread(well), "-", True),
        Result("key to screen, both frozen", spread(frozen), "median under 100 ms", median(frozen) < 100),
    ]
