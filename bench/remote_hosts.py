"""What other hosts cost over SSH: bytes on the line, CPU for each frame, and a screen with sixteen of them."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from bench.measure import Result, Say, Terminal, cpu_s, precise_cpu_s, tree
from bench.realistic_fleet import BUSY_SHARE, Believable
from collectors.fleet.labelled import HostLabels
from collectors.fleet.stream import Stream
from tests.helpers.far_streams import play_command, write_stream
from tests.helpers.lab.far_hosts import FarHosts, far_hosts

TITLE = "Other hosts over SSH"
ABOUT = """
The frames are made up (`bench/realistic_fleet.py`) and written as `vmtop record -` sends them. CPU a frame is that of
decoding and of putting the host's name on everything, in one thread. The screen is the real one on a pty of 160x50: the
hosts are one SSH server of the lab's in namespaces of its own, where a player sends the prepared frames of each host,
one a second. The clients' CPU (`ssh`) is apart. The key is `F`, as above.
"""
_FRAMES, _WARM_UP = 120, 5
_HOSTS, _WORKLOADS = 16, 100
_SETTLE_S, _WINDOW_S = 12.0, 20.0
_KEYS = 40
_EFFECT = b"following"


def measure(folder: Path, say: Say) -> list[Result]:
    """Measure the line, then the screen."""
    results = []
    for busy_share in (BUSY_SHARE, 1.0):
        say(f"the line of a host, {busy_share:.0%} busy")
        results += _line(folder, busy_share)
    say(f"a screen with {_HOSTS} hosts")
    with far_hosts(folder / "far") as lab:
        lab.add("bench", has_docker=False).wait_ready()
        results += _screen(lab, folder)
    return results


def _line(folder: Path, busy_share: float) -> list[Result]:
    path = folder / f"line-{busy_share:g}"
    write_stream(path, Believable(_WORKLOADS, busy_share).frames(_FRAMES))
    data = path.read_bytes()
    ends = [int(word) for word in Path(f"{path}.ends").read_text().split()]
    stream, labels, costs = Stream(), HostLabels("hv01"), []
    for start, end in zip([0, *ends], ends, strict=False):
        began = time.thread_time()
        for frame in stream.feed(data[start:end]):
            labels.reading(frame)
        costs.append((time.thread_time() - began) * 1e3)
    each = (ends[-1] - ends[_WARM_UP - 1]) / (len(ends) - _WARM_UP) / 1000
    middle = median(costs[_WARM_UP:])
    what = f"a host of {_WORKLOADS} workloads, {busy_share:.0%} busy"
    has_mark = busy_share == BUSY_SHARE
    return [
        Result(f"{what}: bytes on the line", f"{each:.1f} KB/s", *(("at most 3 KB/s", each <= 3) if has_mark else ())),
        Result(
            f"{what}: CPU a frame at the viewer",
            f"{middle:.2f} ms (p95 {quantiles(costs[_WARM_UP:], n=20)[18]:.2f})",
            *(("at most 1 ms", middle <= 1) if has_mark else ()),
        ),
    ]


def _screen(lab: FarHosts, folder: Path) -> list[Result]:
    with _viewer(lab, folder) as terminal:
        time.sleep(_SETTLE_S)
        clients = tree(terminal.pid) - {terminal.pid}
        before, before_clients = precise_cpu_s([terminal.pid]), cpu_s(clients)
        time.sleep(_WINDOW_S)
        share = (precise_cpu_s([terminal.pid]) - before) / _WINDOW_S * 100
        share_clients = (cpu_s(clients) - before_clients) / _WINDOW_S * 100
        waits = _keys(terminal)
    cuts = quantiles(waits, n=100)
    what = f"{_HOSTS} hosts x {_WORKLOADS} workloads on one screen at 1 s"
    return [
        Result(
            f"{what}: CPU",
            f"{share:.1f} % of a core, {share / _HOSTS:.2f} % a host; the clients {share_clients:.1f} %, "
            f"{share_clients / _HOSTS:.2f} % a host",
            "under 10 %",
            share < 10,
        ),
        Result(
            f"{what}: key to paint",
            f"p50 {cuts[49]:.0f}, p95 {cuts[94]:.0f} ms (n = {len(waits)})",
            "p95 under 50 ms",
            cuts[94] < 50,
        ),
    ]


def _keys(terminal: Terminal) -> list[float]:
    chance = random.Random(3)  # noqa: S311  # repeatable, not secret
    waits = []
    for _ in range(_KEYS):
        time.sleep(chance.uniform(0.2, 0.6))
        terminal.forget()
        began = time.monotonic()
        terminal.press("F")
        terminal.wait_for(_EFFECT, 20)
        waits.append((time.monotonic() - began) * 1e3)
        terminal.press("F")
    return waits


@contextmanager
def _viewer(lab: FarHosts, folder: Path) -> Iterator[Terminal]:
    """Run the screen with the hosts, and wait until it shows them."""
    config = folder / "config" / "vmtop"
    config.mkdir(parents=True)
    entries = []
    for number in range(_HOSTS):
        path = folder / f"host-{number}"
        write_stream(path, Believable(_WORKLOADS).frames(_FRAMES))
        entries.append(f'[[hosts]]\nname = "hv{number:02}"\naddress = "bench"\ncommand = "{play_command(path)}"\n')
    (config / "config.toml").write_text("\n".join(entries))
    words = [word for number in range(_HOSTS) for word in ("--host", f"hv{number:02}")]
    with lab.as_client():
        environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "XDG_STATE_HOME": str(folder)}
        terminal = Terminal([str(Path(sys.executable).with_name("vmtop")), *words], (160, 50), environment)
        try:
            terminal.wait_for(b"LAST MIN", 60)
            yield terminal
        finally:
            terminal.close()
