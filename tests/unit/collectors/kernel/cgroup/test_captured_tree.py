"""The cgroup source on trees made of ordinary files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.kernel.cgroup.fast_files import AT_LEAST_EVERY
from collectors.kernel.cgroup.hierarchy import Hierarchy, Mode, detect
from collectors.kernel.cgroup.open_files import BUFFER
from collectors.kernel.cgroup.source import CgroupSource
from collectors.kernel.container_names import Names
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Kind, Sample, State, WorkloadId
from tests.unit.collectors.kernel.cgroup.test_source import ID, TICKS_PER_SECOND, UUID, opened


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A cgroup v2 tree of ordinary files, with one container and its processes."""
    root = tmp_path / "cgroup"
    write(root, {"cgroup.controllers": "cpu io memory pids"})
    write(
        root / "docker" / ID,
        {
            "cgroup.procs": "4242\n",
            "cgroup.events": "populated 1\nfrozen 0\n",
            "cpu.stat": "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 4\nnr_throttled 1\n"
            "throttled_usec 7\n",
            "cpu.max": "150000 100000\n",
            "cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=11\n",
            "memory.current": "1000000\n",
            "memory.stat": "anon 1\ninactive_file 300000\n",
            "memory.max": "max\n",
            "memory.events": "oom 0\noom_kill 0\n",
            "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=2\n",
            "pids.current": "3\n",
            "pids.max": "max\n",
        },
    )
    write(root / "docker", {"memory.max": "2000000\n"})
    return root


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A procfs with the container's first process."""
    root = tmp_path / "proc"
    write(root, {"stat": "cpu  1 2 3\nbtime 1700000000\n", "meminfo": "MemTotal: 4000 kB\n"})
    stat = "4242 (a) b) S 1 " + " ".join(["0"] * 17) + f" {50 * TICKS_PER_SECOND} 0 0\n"
    table = "Inter-|\n face |\n    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n  eth0: 5 2 0 0 0 0 0 0 6 3 0 0 0 0 0 0\n"
    write(root / "4242", {"stat": stat, "cmdline": "nginx\0", "net/dev": table})
    return root


def count_preads(patched: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the descriptor of each call of `pread`."""
    calls: list[int] = []
    real = os.pread

    def pread(descriptor: int, length: int, offset: int) -> bytes:
        calls.append(descriptor)
        return real(descriptor, length, offset)

    patched.setattr(os, "pread", pread)
    return calls


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class TestCapturedTree:
    def test_everything_is_read_from_a_tree_of_files(self, tree: Path, proc: Path) -> None:
        source = opened(tree, proc=str(proc))
        reading = source.read()
        source.close()
        assert (reading.detail, reading.facts) == ("v2", {"cgroup": "v2"})
        identity = WorkloadId("docker", ID)
        workload = reading.workloads[identity]
        assert (workload.name, workload.name_is_known) == (ID[:12], False)
        assert (workload.state, workload.started_at) == (State.RUNNING, 1_700_000_050.0)
        hot, slow = reading.samples[identity]
        assert (hot.cpu_total_ns, hot.cpu_user_total_ns, hot.cpu_system_total_ns) == (5_000_000, 3_000_000, 2_000_000)
        assert (hot.cpu_periods_total, hot.cpu_throttled_periods_total, hot.cpu_throttled_total_ns) == (4, 1, 7000)
        assert (hot.memory_charged_bytes, hot.memory_inactive_file_bytes) == (1_000_000, 300_000)
        assert (hot.disk_read_total_bytes, hot.disk_write_total_bytes) == (10, 20)
        assert (hot.disk_reads_total, hot.disk_writes_total) == (1, 2)
        assert (hot.net_rx_total_bytes, hot.net_tx_total_bytes) == (5, 6)
        assert hot.cpu_stall_total_ns == 11_000
        assert (slow.pids, slow.pids_limit, slow.oom_kills_total) == (3, None, 0)
        assert (slow.memory_limit_bytes, slow.memory_swap_bytes) == (2_000_000, None)
        assert slow.cpu_limit_cores == min(1.5, os.sysconf("SC_NPROCESSORS_ONLN"))

    def test_between_slow_readings_nothing_is_opened_but_the_network_table(
        self, tree: Path, proc: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = opened(tree, proc=str(proc))
        for _ in range(10):
            source.read()
        opened_files: list[str] = []
        real = os.open

        def count(path: str, *rest: object, **words: object) -> int:
            opened_files.append(path)
            return real(path, *rest, **words)  # type: ignore[arg-type]

        monkeypatch.setattr(os, "open", count)
        slow = []
        for _ in range(5):
            opened_files.clear()
            source.read()
            slow.append([name for name in opened_files if not name.endswith("net/dev")])
        monkeypatch.undo()
        source.close()
        assert sum(1 for names in slow if names) <= 2, "its own slow reading, and that of names"

    def test_of_an_idle_group_only_what_moves_without_cpu_time_is_read_at_each_tick(
        self, tree: Path, proc: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source, group = opened(tree, proc=str(proc)), tree / "docker" / ID
        identity = WorkloadId("docker", ID)

        def read() -> Sample:
            return source.read().samples[identity][0]

        for _ in range(AT_LEAST_EVERY):
            read()
        (group / "io.stat").write_text("8:0 rbytes=11 wbytes=20 rios=1 wios=2\n")
        assert read().disk_read_total_bytes == 11, "writing back needs no CPU time of the group"
        (group / "memory.stat").write_text("anon 1\ninactive_file 299999\n")
        assert read().memory_inactive_file_bytes == 300_000
        (group / "cpu.stat").write_text("usage_usec 5001\nuser_usec 3001\nsystem_usec 2000\n")
        assert read().memory_inactive_file_bytes == 299_999, "it was busy"
        (group / "memory.stat").write_text("anon 1\ninactive_file 299998\n")
        assert 299_998 in [read().memory_inactive_file_bytes for _ in range(AT_LEAST_EVERY)], "pages may age"
        counts = []
        for _ in range(AT_LEAST_EVERY):
            with monkeypatch.context() as patched:
                calls = count_preads(patched)
                read()
            counts.append(len(calls))
        assert min(counts) < max(counts)
        source.close()

    def test_a_file_longer_than_the_buffer_is_read_to_its_end(self, tree: Path, proc: Path) -> None:
        io_stat = tree / "docker" / ID / "io.stat"
        lines = [f"8:{number} rbytes=1 wbytes=0 rios=0 wios=0\n" for number in range(1000)]
        io_stat.write_text("".join(lines))
        assert io_stat.stat().st_size > BUFFER
        source = opened(tree, proc=str(proc))
        identity = WorkloadId("docker", ID)
        assert source.read().samples[identity][0].disk_read_total_bytes == 1000
        io_stat.write_text("".join(lines[:-1]) + "8:999 rbytes=500 wbytes=0 rios=0 wios=0\n")
        assert source.read().samples[identity][0].disk_read_total_bytes == 1499, "what changed is beyond the buffer"
        source.close()

    def test_a_kill_is_an_event(self, tree: Path, proc: Path) -> None:
        source = opened(tree, proc=str(proc))
        assert source.read().events == ()
        (tree / "docker" / ID / "memory.events").write_text("oom 1\noom_kill 2\n")
        events = [event for _ in range(6) for event in source.read().events]
        source.close()
        assert [(event.what, event.workload.id) for event in events] == [("oom", ID)]
        assert "2 processes" in events[0].detail

    def test_a_machine_is_known_by_its_uuid(self, tree: Path, proc: Path) -> None:
        scope = tree / "machine.slice" / r"machine-qemu\x2d3\x2dcut.scope"
        write(scope, {"cpu.stat": "usage_usec 5\n"})
        write(scope / "libvirt" / "emulator", {"cgroup.procs": "77\n"})
        write(proc / "77", {"cmdline": f"/usr/bin/qemu\0-name\0guest=cut short,debug-threads=on\0-uuid\0{UUID}\0"})
        source = opened(tree, proc=str(proc))
        reading = source.read()
        source.close()
        workload = reading.workloads[WorkloadId("qemu", UUID)]
        assert (workload.name, workload.name_is_known, workload.kind) == ("cut short", True, Kind.VM)
        assert workload.project == "machine.slice"
        assert reading.samples[workload.id][0].net_rx_total_bytes is None

    def test_a_container_in_a_service_has_it_as_parent(self, tree: Path, proc: Path) -> None:
        unit = tree / "system.slice" / "web.service"
        write(unit, {"cpu.stat": "usage_usec 9\n", "cgroup.procs": ""})
        write(unit / f"libpod-payload-{ID}", {"cpu.stat": "usage_usec 5\n", "cgroup.procs": "4242\n"})
        source = opened(tree, proc=str(proc))
        reading = source.read()
        source.close()
        service = WorkloadId("systemd", "/system.slice/web.service")
        assert reading.workloads[WorkloadId("podman", ID)].parent == service
        assert reading.workloads[service].parent is None
        assert reading.samples[service][0].net_rx_total_bytes is None

    def test_a_hostile_name_is_inert(self, tree: Path, proc: Path) -> None:
        write(tree / "evil\x1b[2J.service", {"cpu.stat": "usage_usec 9\n"})
        source = opened(tree, proc=str(proc))
        reading = source.read()
        source.close()
        texts = [text for found in reading.workloads.values() for text in (found.name, found.cgroup, found.id.id)]
        assert not any("\x1b" in (text or "") for text in texts)

    def test_a_group_without_counters_is_no_workload(self, tree: Path, proc: Path) -> None:
        (tree / "system.slice" / "empty.service").mkdir(parents=True)
        source = opened(tree, proc=str(proc))
        assert source.read().workloads.keys() == {WorkloadId("docker", ID)}
        source.close()

    def test_kubernetes_links_name_a_container_and_its_pod(self, tree: Path, proc: Path, tmp_path: Path) -> None:
        write(tmp_path / "logs", {f"web-0_shop_nginx-{ID}.log": ""})
        source = CgroupSource(str(tree), str(proc), names=Names(str(tmp_path / "logs"), "/nowhere"))
        source.open(lambda: None)
        workload = source.read().workloads[WorkloadId("docker", ID)]
        source.close()
        assert (workload.name, workload.name_is_known, workload.project) == ("web-0/nginx", True, "shop/web-0")


class TestHierarchy:
    def test_a_host_without_cgroups_is_said_to_have_none(self, tmp_path: Path) -> None:
        with pytest.raises(SourceAbsent, match="no cgroup file system"):
            opened(tmp_path)

    def test_a_private_namespace_is_told(self, tree: Path, proc: Path) -> None:
        source = opened(tree, proc=str(proc), hierarchy=Hierarchy(Mode.V2, {"unified": str(tree)}, is_private=True))
        assert source.read().detail == "v2, own namespace only"
        source.close()

    @pytest.mark.parametrize(
        ("lines", "mode", "is_private"),
        [
            (["1 0 0:2 / /c rw - cgroup2 cgroup2 rw"], Mode.V2, False),
            (["1 0 0:2 /../.. /c rw - cgroup2 cgroup2 rw"], Mode.V2, False),
            (["1 0 0:2 /docker/x /c/memory rw - cgroup cgroup rw,memory"], Mode.V1, True),
            (
                ["1 0 0:2 / /c/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct", "2 0 0:3 / /c/u rw - cgroup2 none rw"],
                Mode.HYBRID,
                False,
            ),
            (
                ["1 0 0:2 / /c rw - cgroup2 cgroup2 rw", "2 0 0:3 / /c/net_cls rw - cgroup cgroup rw,net_cls"],
                Mode.V2,
                False,
            ),
            (["1 0 0:2 / /elsewhere rw - cgroup2 cgroup2 rw", "nonsense"], Mode.NONE, False),
        ],
    )
    def test_the_mount_table_tells_the_mode(
        self, tmp_path: Path, lines: list[str], mode: Mode, is_private: bool
    ) -> None:
        write(tmp_path, {"self/mountinfo": "\n".join(lines) + "\n"})
        found = detect("/c", str(tmp_path))
        assert (found.mode, found.is_private) == (mode, is_private)

    def test_comounted_controllers_are_walked_once(self, tmp_path: Path) -> None:
        write(tmp_path, {"self/mountinfo": "1 0 0:2 / /c/a\\040b rw - cgroup cgroup rw,cpu,cpuacct\n"})
        assert detect("/c", str(tmp_path)).walked == ("/c/a b",)

    def test_a_captured_v1_tree_is_known_by_its_layout(self, tmp_path: Path) -> None:
        for name in ("cpu,cpuacct", "memory", "systemd", "unified"):
            write(tmp_path / name, {"cgroup.procs": ""})
        write(tmp_path / "unified", {"cgroup.controllers": ""})
        found = detect(str(tmp_path), str(tmp_path))
        assert found.mode is Mode.HYBRID
        assert found.mounts.keys() == {"cpu", "cpuacct", "memory", "name=systemd", "unified"}
