"""The cgroup source against this host's kernel, and against trees made of ordinary files."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.made_cgroups import sweep
from collectors.analysis.rates import Pair, delta
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.source import CgroupSource
from collectors.kernel.container_names import Names
from collectors.model.workloads import Kind, Sample, State, Workload
from collectors.sampling.source import SourceReading
from tests.helpers.lab.process import wait_until

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
ID = hashlib.sha256(f"test process {os.getpid()}".encode()).hexdigest()
"""Of this process alone: two test runs on one host would otherwise see each other's groups as theirs."""
UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809"
MIB = 1 << 20


def opened(root: Path | str = "/sys/fs/cgroup", **options: object) -> CgroupSource:
    """Return an opened source that reads no engine's files for names."""
    if "proc" in options:  # a captured tree has no sysfs
        options.setdefault("sys", "/nowhere")
    source = CgroupSource(str(root), names=Names("/nowhere", "/nowhere"), **options)  # type: ignore[arg-type]
    source.open(lambda: None)
    return source


class LiveGroups:
    """Cgroups of the test's own, in the hierarchies that count CPU time and memory.

    Args:
        top: What the folder of all of them is called.
    """

    def __init__(self, top: str = f"vmtop-test-{os.getpid()}") -> None:
        mounts = detect().mounts
        roots = {mounts[key] for key in ("unified", "memory", "cpuacct", "cpu", "pids", "freezer") if key in mounts}
        for name in ("vmtop-test-{}", "vmtop-test-runs-{}"):
            sweep(roots, name)  # groups of a run that was killed have the ids of these
        self.folders = [Path(root) / top for root in sorted(roots)]
        self._children: list[subprocess.Popen[bytes]] = []

    def make(self, name: str) -> str:
        """Make a group and return its path."""
        for folder in self.folders:
            (folder / name).mkdir(parents=True)
        return f"/{self.folders[0].name}/{name}"

    def remove(self, name: str) -> None:
        """Remove an empty group."""
        for folder in self.folders:
            (folder / name).rmdir()

    def run(self, name: str, program: str) -> subprocess.Popen[bytes]:
        """Start a Python program inside a group."""
        child = subprocess.Popen([sys.executable, "-c", f"import sys; sys.stdin.readline(); {program}"], stdin=-1)
        for folder in self.folders:
            (folder / name / "cgroup.procs").write_text(str(child.pid))
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.flush()
        self._children.append(child)
        return child

    def close(self) -> None:
        """End the programs and remove the groups."""
        for child in self._children:
            child.kill()
            child.wait()
            if child.stdin is not None:
                child.stdin.close()
        for folder in self.folders:
            for group in (*folder.glob("*/"), folder):
                if group.is_dir():
                    group.rmdir()


@pytest.fixture
def live() -> Iterator[LiveGroups]:
    """Cgroups on this host, removed afterwards."""
    if os.geteuid() != 0:
        pytest.skip("making cgroups needs root")
    groups = LiveGroups()
    try:
        yield groups
    finally:
        groups.close()


def find(reading: SourceReading, path: str) -> tuple[Workload, tuple[Sample, ...]] | None:
    """Return the workload at a path, and its samples."""
    for identity, workload in reading.workloads.items():
        if workload.cgroup == path:
            return workload, reading.samples[identity]
    return None


def process_cpu_ns(pid: int) -> int:
    """Return a process's own CPU time: the second authority."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1_000_000_000 // TICKS_PER_SECOND


class TestAgainstProcStat:
    def test_cpu_time_grows_as_its_processs(self, live: LiveGroups) -> None:
        path = live.make(ID)
        child = live.run(ID, "exec('while True: pass')")
        source = opened()
        early = process_cpu_ns(child.pid)
        first, before = find(source.read(), path), process_cpu_ns(child.pid)
        time.sleep(1.0)
        after = process_cpu_ns(child.pid)
        second, late = find(source.read(), path), process_cpu_ns(child.pid)
        source.close()
        assert first is not None
        assert second is not None
        grown = delta(Pair(first[1][0], second[1][0]), "cpu_total_ns")
        assert grown is not None
        slack = 3e9 / TICKS_PER_SECOND
        assert after - before - slack <= grown[0] <= late - early + slack
        assert second[0].state is State.RUNNING
        assert second[0].kind is Kind.CONTAINER
        assert second[0].started_at == pytest.approx(time.time(), abs=60)

    def test_memory_is_charged(self, live: LiveGroups) -> None:
        path = live.make(ID)
        live.run(ID, f"held = b'x' * {48 * MIB}; sys.stdin.readline()")
        source = opened()
        deadline = time.monotonic() + 120
        charged = 0
        while charged < 48 * MIB and time.monotonic() < deadline:
            found = find(source.read(), path)
            assert found is not None
            charged = found[1][0].memory_charged_bytes or 0
            time.sleep(0.05)
        source.close()
        assert 48 * MIB <= charged < 80 * MIB


LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
NEW_NETWORK = "import ctypes; ctypes.CDLL(None).unshare(0x40000000); "
"""CLONE_NEWNET"""


@pytest.fixture
def wrapped_pids() -> Iterator[None]:
    """Have the next processes of this host begin at low pids, as they do after kernel.pid_max."""
    if os.geteuid() != 0 or not os.access(LAST_PID, os.W_OK):
        pytest.skip("setting the last pid needs root")
    before = LAST_PID.read_text()
    try:
        LAST_PID.write_text("400")
        yield
    finally:
        LAST_PID.write_text(before)


class TestPidsThatWrapped:
    @pytest.fixture
    def groups(self, live: LiveGroups) -> tuple[LiveGroups, subprocess.Popen[bytes]]:
        """A group whose first process started before the pids wrapped, in a network of its own."""
        live.make(ID)
        LAST_PID.write_text("20000")
        first = live.run(ID, f"{NEW_NETWORK}sys.stdin.readline()")
        wait_until(
            lambda: os.readlink(f"/proc/{first.pid}/ns/net") != os.readlink("/proc/self/ns/net"), 30, "a network"
        )
        return live, first

    def test_start_and_network_are_those_of_the_oldest_process(
        self, groups: tuple[LiveGroups, subprocess.Popen[bytes]], wrapped_pids: None
    ) -> None:
        live, first = groups
        between = time.time()
        time.sleep(0.3)
        child = live.run(ID, "sys.stdin.readline()")
        assert child.pid < first.pid
        source = opened()
        seen = find(source.read(), f"/{live.folders[0].name}/{ID}")
        source.close()
        assert seen is not None
        assert seen[0].started_at is not None
        assert seen[0].started_at <= between
        assert seen[1][0].net_rx_total_bytes == 0, "its own network, in which nothing was received"

    def test_the_network_stays_while_short_lived_children_come_and_go(
        self, groups: tuple[LiveGroups, subprocess.Popen[bytes]], wrapped_pids: None
    ) -> None:
        live, _ = groups
        source = opened()
        received = []
        for _ in range(8):
            child = live.run(ID, f"{NEW_NETWORK}sys.stdin.readline()")
            seen = find(source.read(), f"/{live.folders[0].name}/{ID}")
            child.kill()
            child.wait()
            later = find(source.read(), f"/{live.folders[0].name}/{ID}")
            assert seen is not None
            assert later is not None
            received += [seen[1][0].net_rx_total_bytes, later[1][0].net_rx_total_bytes]
        source.close()
        assert received == [0] * 16


class TestLifeOfAGroup:
    def test_a_removed_group_is_simply_not_there(self, live: LiveGroups) -> None:
        path = live.make(ID)
        child = live.run(ID, "sys.stdin.readline()")
        source = opened()
        assert find(source.read(), path) is not None
        child.kill()
        child.wait()
        live.remove(ID)
        assert find(source.read(), path) is None
        assert find(source.read(), path) is None
        source.close()

    def test_a_group_made_anew_under_its_name_has_no_rate_at_first(self, live: LiveGroups) -> None:
        path = live.make(ID)
        child = live.run(ID, "exec('while True: pass')")
        source = opened()
        source.read()
        time.sleep(0.2)
        old = find(source.read(), path)
        child.kill()
        child.wait()
        live.remove(ID)
        live.make(ID)
        live.run(ID, "sys.stdin.readline()")
        source.read()
        new = find(source.read(), path)
        source.close()
        assert old is not None
        assert new is not None
        assert old[0].id == new[0].id
        assert old[1][0].epoch != new[1][0].epoch

    def test_a_frozen_group_is_paused(self, live: LiveGroups) -> None:
        path = live.make(ID)
        live.run(ID, "sys.stdin.readline()")
        switches = [*(folder / ID / "freezer.state" for folder in live.folders)]
        v1 = [switch for switch in switches if switch.exists()]
        switch, on, off = (v1[0], "FROZEN", "THAWED") if v1 else (live.folders[0] / ID / "cgroup.freeze", "1", "0")
        switch.write_text(on)
        wait_until(lambda: on in switch.read_text(), 30, "the freeze")
        try:
            source = opened()
            found = find(source.read(), path)
            source.close()
        finally:
            switch.write_text(off)
        assert found is not None
        assert found[0].state is State.PAUSED

    def test_an_id_that_only_a_process_can_settle_is_waited_for(self, live: LiveGroups) -> None:
        path = live.make(ID)
        source = opened()
        seen = [find(source.read(), path) is not None for _ in range(4)]
        source.close()
        assert seen == [False, False, True, True]

    def test_the_slow_sample_is_repeated_unchanged(self, live: LiveGroups) -> None:
        path = live.make(ID)
        live.run(ID, "sys.stdin.readline()")
        source = opened()
        slow = []
        for _ in range(12):
            found = find(source.read(), path)
            assert found is not None
            slow.append(found[1][1])
        source.close()
        assert all(sample.source == "cgroup-slow" for sample in slow)
        assert slow[0] is not slow[1]
        assert 3 <= len({id(sample) for sample in slow}) <= 4
        assert slow[-1].pids == 1
        assert slow[-1].cpu_limit_cores is not None
        assert slow[-1].cpu_limit_cores <= os.sysconf("SC_NPROCESSORS_ONLN")
