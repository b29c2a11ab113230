"""Kills for lack of memory in groups inside a workload: v1 counts them only there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.oom_kills import InnerOomKills
from collectors.model.workloads import WorkloadId
from tests.helpers.lab.process import wait_until
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_source import ID, LiveGroups, find, live, opened

__all__ = ["live"]

FILE = "memory.oom_control"


def control(kills: int) -> dict[str, str]:
    """Return a group's file."""
    return {FILE: f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n"}


def test_kills_inside_add_up_and_stay_when_a_group_is_removed(tmp_path: Path) -> None:
    inner = InnerOomKills(str(tmp_path / FILE))
    write(tmp_path, control(9))
    assert inner.total() == 0, "the group's own are counted with the rest of its files"
    write(tmp_path / "job", control(1))
    write(tmp_path / "job" / "step", control(2))
    assert inner.total() == 3
    shutil.rmtree(tmp_path / "job")
    assert inner.total() == 3
    write(tmp_path / "job", control(0))
    assert inner.total() == 3
    write(tmp_path / "job", control(4))
    assert inner.total() == 7


@pytest.mark.parametrize(("options", "kills"), [("rw,nsdelegate", 1), ("rw,nsdelegate,memory_localevents", 3)])
def test_v2_counts_kills_inside_by_itself_unless_its_events_are_local(tmp_path: Path, options: str, kills: int) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    files = {"memory.current": "4096\n", "memory.events": "oom 1\noom_kill 1\n", "cgroup.procs": "77\n"}
    write(root / "docker" / ID, files)
    write(root / "docker" / ID / "job", {"memory.events": "oom 2\noom_kill 2\n"})
    mountinfo = f"1 0 0:2 / {root} rw - cgroup2 cgroup2 {options}\n"
    write(proc, {"stat": "btime 1700000000\n", "77/cmdline": "postgres\0", "self/mountinfo": mountinfo})
    source = opened(root, proc=str(proc))
    assert source.read().samples[WorkloadId("docker", ID)][1].oom_kills_total == kills
    source.close()


def test_a_kill_in_a_group_inside_a_container_is_the_containers_on_v1(tmp_path: Path) -> None:
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    group = root / "memory" / "docker" / ID
    write(root / "memory", {"cgroup.procs": ""})
    write(group, {"memory.usage_in_bytes": "4096\n", "cgroup.procs": "77\n", **control(1)})
    write(group / "job", control(0))
    write(proc, {"stat": "btime 1700000000\n", "77/cmdline": "postgres\0"})
    source, identity = opened(root, proc=str(proc)), WorkloadId("docker", ID)
    assert source.read().samples[identity][1].oom_kills_total == 1
    write(group / "job", control(2))
    readings = [source.read() for _ in range(6)]
    source.close()
    assert readings[-1].samples[identity][1].oom_kills_total == 3
    assert [event.what for reading in readings for event in reading.events] == ["oom"]


def test_a_real_kill_inside_is_counted(live: LiveGroups) -> None:
    memory = detect().mounts.get("memory") or detect().mounts["unified"]
    path = live.make(ID)
    live.run(ID, "sys.stdin.readline()")
    job = Path(f"{memory}{path}") / "job"
    if memory == detect().mounts.get("unified"):
        (job.parent / "cgroup.subtree_control").write_text("+memory")
    job.mkdir()
    source = opened()
    try:
        source.read()
        limit = job / "memory.limit_in_bytes"
        (limit if limit.exists() else job / "memory.max").write_text(str(8 << 20))
        eater = "import sys; sys.stdin.readline(); held = b'x' * (60 << 20)"
        child = subprocess.Popen([sys.executable, "-c", eater], stdin=subprocess.PIPE)
        (job / "cgroup.procs").write_text(str(child.pid))
        child.communicate(b"\n", timeout=60)
        assert child.returncode == -9

        def kills() -> int | None:
            found = find(source.read(), path)
            return found[1][1].oom_kills_total if found else None

        wait_until(lambda: (kills() or 0) >= 1, 20, "the kill in vmtop's numbers")
    finally:
        source.close()
        job.rmdir()
