"""What /proc tells of the processes of a cgroup, and the I/O that only they have."""

import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from collectors.kernel.cgroup import process_io
from collectors.kernel.cgroup.process_io import ProcessIo, is_blkio_dead
from collectors.kernel.cgroup.processes import _refined, booted_at, first_process, guest, started_at
from collectors.kernel.procfs import Process, parse_process_stat, read_process_stat
from collectors.model.workloads import Kind
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_source import TICKS_PER_SECOND, UUID


def procfs(folder: Path, *processes: tuple[int, str, int]) -> str:
    """Write a procfs of processes with their state and start in clock ticks; return its path."""
    for pid, state, ticks in processes:
        write(folder / str(pid), {"stat": f"{pid} (x) {state} 1 " + " ".join(["0"] * 17) + f" {ticks} 0 0"})
    return str(folder)


class TestFirstProcess:
    def test_it_is_the_oldest_not_the_one_with_the_lowest_pid(self, tmp_path: Path) -> None:
        proc = procfs(tmp_path, (401, "S", 900), (12368, "S", 100), (12369, "S", 200))
        write(tmp_path / "group", {"cgroup.procs": "401\n12368\n12369\n"})
        assert first_process([str(tmp_path / "group")], proc) == (12368, 100)

    def test_it_is_the_oldest_of_all_folders_of_the_workload(self, tmp_path: Path) -> None:
        proc = procfs(tmp_path, (5, "S", 300), (9, "S", 100))
        write(tmp_path / "group", {"cgroup.procs": ""})
        write(tmp_path / "group" / "app.slice", {"cgroup.procs": "5\n"})
        write(tmp_path / "group" / "init.scope", {"cgroup.procs": "9\n"})
        assert first_process([str(tmp_path / "group")], proc) == (9, 100)

    @pytest.mark.parametrize(
        "nested", ["a" * 64, "docker-" + "a" * 64 + ".scope", "x.slice:cri-containerd:" + "a" * 64, "lxc.payload.web"]
    )
    def test_a_process_of_a_nested_workload_is_not_the_first_of_the_one_around_it(
        self, tmp_path: Path, nested: str
    ) -> None:
        proc = procfs(tmp_path, (5, "S", 100), (9, "S", 300))
        write(tmp_path / "group", {"cgroup.procs": ""})
        write(tmp_path / "group" / nested, {"cgroup.procs": "5\n"})
        assert first_process([str(tmp_path / "group")], proc) is None
        write(tmp_path / "group" / "own", {"cgroup.procs": "9\n"})
        assert first_process([str(tmp_path / "group")], proc) == (9, 300)

    def test_a_zombie_counts_only_when_there_is_nothing_else(self, tmp_path: Path) -> None:
        proc = procfs(tmp_path, (5, "Z", 100), (9, "S", 300))
        write(tmp_path / "group", {"cgroup.procs": "5\n9\n"})
        assert first_process([str(tmp_path / "group")], proc) == (9, 300)
        write(tmp_path / "group", {"cgroup.procs": "5\n"})
        assert first_process([str(tmp_path / "group")], proc) == (5, 100)

    def test_processes_that_may_not_be_seen_are_the_last_resort(self, tmp_path: Path) -> None:
        proc = procfs(tmp_path, (9, "S", 300))
        write(tmp_path / "group", {"cgroup.procs": "5\n7\n9\n"})
        assert first_process([str(tmp_path / "group")], proc) == (9, 300)
        write(tmp_path / "group", {"cgroup.procs": "7\n5\n"})
        assert first_process([str(tmp_path / "group")], proc) == (5, None)

    def test_of_a_machine_it_is_qemu_although_its_tpm_started_before(self, tmp_path: Path) -> None:
        proc = procfs(tmp_path, (5, "S", 100), (9, "S", 300))
        write(tmp_path / "5", {"cmdline": "swtpm\0socket\0"})
        write(tmp_path / "9", {"cmdline": f"qemu\0-uuid\0{UUID}\0"})
        write(tmp_path / "group", {"cgroup.procs": "5\n9\n"})
        assert first_process([str(tmp_path / "group")], proc, Kind.VM) == (9, 300)


class TestProcesses:
    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ([b"qemu", b"-name", b"guest=a,,b,debug-threads=on", b"-uuid", UUID.upper().encode()], (UUID, "a,b")),
            ([b"qemu", b"-name", b"plain"], (None, "plain")),
            ([b"qemu", b"-uuid"], (None, None)),
            ([], (None, None)),
        ],
    )
    def test_qemus_command_line_tells_who_the_machine_is(
        self, words: list[bytes], expected: tuple[str | None, str | None]
    ) -> None:
        assert guest(words) == expected

    def test_a_command_with_brackets_and_spaces_does_not_shift_the_fields(self) -> None:
        stat = b"7 (CPU 0/TCG) ) S 3 " + b" ".join([b"0"] * 17) + b" 99 0 5"
        assert parse_process_stat(stat) == (3, 99, False)
        assert parse_process_stat(b"7 (x") is None
        assert parse_process_stat(None) is None

    def test_the_start_of_a_process_is_told_to_a_clock_tick_and_stays_the_same(self) -> None:
        before = time.time()
        with subprocess.Popen(["sleep", "60"]) as child:
            after = time.time()
            stat = read_process_stat("/proc", child.pid)
            assert stat is not None
            process = Process(child.pid, stat.start_ticks)
            began = started_at("/proc", process)
            assert began is not None
            assert before - 0.02 <= began <= after + 0.02
            time.sleep(0.05)
            assert started_at("/proc", process) == began
            child.kill()

    def test_a_busy_host_that_takes_the_cpu_away_between_two_clocks_does_not_shift_the_start(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        boot, waits = 1_700_000_000.25, iter([0.75, 0.0, 0.4, 0.0, 0.0])
        elapsed = [100.0]

        def wall() -> float:
            now = boot + elapsed[0]
            elapsed[0] += next(waits)  # another process runs before the other clock is read
            return now

        monkeypatch.setattr(time, "time", wall)
        monkeypatch.setattr(time, "clock_gettime", lambda _clock: elapsed[0])
        write(tmp_path, {"stat": "cpu  1 2 3\nbtime 1700000000\n"})
        _refined.cache_clear()
        assert booted_at(str(tmp_path)) == pytest.approx(boot)
        _refined.cache_clear()

    def test_of_another_kernels_procfs_whole_seconds_are_all_there_is(self, tmp_path: Path) -> None:
        write(tmp_path, {"stat": "cpu  1 2 3\nbtime 1700000000\n"})
        assert started_at(str(tmp_path), Process(7, 250)) == 1_700_000_000 + 250 / TICKS_PER_SECOND
        assert started_at(str(tmp_path), Process(8, None)) is None
        (tmp_path / "stat").write_text("cpu  1 2 3\n")
        assert booted_at(str(tmp_path)) is None

    def test_blkio_is_dead_when_the_disks_had_io_that_it_did_not_count(self, tmp_path: Path) -> None:
        blkio = "blkio.throttle.io_service_bytes"
        write(tmp_path, {blkio: "Total 0\n", "diskstats": " 254 0 vda 9 0 80 0 1 0 8 0 0 0 0\n"})
        assert is_blkio_dead(str(tmp_path), str(tmp_path), "/nowhere")
        (tmp_path / blkio).write_text("254:0 Read 4096\n254:0 Write 0\nTotal 4096\n")
        assert not is_blkio_dead(str(tmp_path), str(tmp_path), "/nowhere")

    def test_blkio_is_dead_when_a_throttle_rule_makes_it_count_on_one_disk_alone(self, tmp_path: Path) -> None:
        counted = "254:0 Read 4096\n254:0 Write 0\n8:0 Read 0\n8:0 Write 0\nTotal 4096\n"
        disks = (
            " 254 0 vda 9 0 80 0 1 0 8 0 0 0 0\n 8 0 sda 9 0 80 0 1 0 8 0 0 0 0\n 7 0 loop0 9 0 80 0 1 0 8 0 0 0 0\n"
        )
        write(tmp_path, {"blkio.throttle.io_service_bytes_recursive": counted, "diskstats": disks})
        assert is_blkio_dead(str(tmp_path), str(tmp_path), "/nowhere")
        write(tmp_path, {"blkio.throttle.io_service_bytes_recursive": counted.replace("Read 0", "Read 9")})
        assert not is_blkio_dead(str(tmp_path), str(tmp_path), "/nowhere")

    def test_io_of_processes_does_not_fall_when_one_ends(self, tmp_path: Path) -> None:
        write(tmp_path / "group", {"cgroup.procs": "1\n2\n"})
        for pid, amount in ((1, 100), (2, 50)):
            write(tmp_path / str(pid), {"io": f"rchar: 9\nread_bytes: {amount}\nwrite_bytes: {amount * 2}\n"})
        counter = ProcessIo(lambda: [str(tmp_path / "group")], str(tmp_path))
        assert counter.read() == (150, 300)
        (tmp_path / "group" / "cgroup.procs").write_text("2\n")
        write(tmp_path / "2", {"io": "read_bytes: 60\nwrite_bytes: 100\n"})
        assert counter.read() == (160, 300)

    def test_a_pid_that_was_given_to_another_process_does_not_let_the_sums_fall(self, tmp_path: Path) -> None:
        write(tmp_path / "group", {"cgroup.procs": "1\n"})
        write(tmp_path / "1", {"io": "read_bytes: 100\nwrite_bytes: 200\n"})
        counter = ProcessIo(lambda: [str(tmp_path / "group")], str(tmp_path))
        assert counter.read() == (100, 200)
        write(tmp_path / "1", {"io": "read_bytes: 7\nwrite_bytes: 8\n"})
        assert counter.read() == (107, 208)

    def test_when_all_processes_have_ended_the_sums_stay_and_their_files_are_closed(self, tmp_path: Path) -> None:
        write(tmp_path / "group", {"cgroup.procs": "1\n2\n"})
        for pid in (1, 2):
            write(tmp_path / str(pid), {"io": "read_bytes: 100\nwrite_bytes: 200\n"})
        counter = ProcessIo(lambda: [str(tmp_path / "group")], str(tmp_path))
        counter.read()
        assert len(counter._counters) == 2
        write(tmp_path / "group", {"cgroup.procs": ""})
        assert counter.read() == (200, 400)
        assert counter._counters == {}

    def test_io_that_may_not_be_read_is_unknown(self, tmp_path: Path) -> None:
        write(tmp_path / "group", {"cgroup.procs": "1\n"})
        assert ProcessIo(lambda: [str(tmp_path / "group")], str(tmp_path)).read() is None

    def test_a_process_moved_into_the_group_does_not_bring_its_past(self, tmp_path: Path) -> None:
        write(tmp_path / "group", {"cgroup.procs": "1\n"})
        write(tmp_path / "1", {"io": "read_bytes: 5\nwrite_bytes: 5\n"})
        counter = ProcessIo(lambda: [str(tmp_path / "group")], str(tmp_path))
        counter.read()
        write(tmp_path / "group", {"cgroup.procs": "1\n3\n"})
        old = "3 (db) S 1 " + " ".join(["0"] * 17) + " 1 0 0"
        write(tmp_path / "3", {"io": "read_bytes: 900\nwrite_bytes: 900\n", "stat": old})
        assert counter.read() == (5, 5)

    def test_a_process_that_began_within_the_rounding_of_the_last_reading_counts_from_its_beginning(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its start is told in whole ticks, rounded down: it may seem to lie before the reading that missed it."""
        instant = 10 * 10**9 + 5_000_000
        clock = SimpleNamespace(CLOCK_BOOTTIME=time.CLOCK_BOOTTIME, clock_gettime_ns=lambda _: instant)
        monkeypatch.setattr(process_io, "time", clock)
        write(tmp_path / "group", {"cgroup.procs": "1\n"})
        write(tmp_path / "1", {"io": "read_bytes: 5\nwrite_bytes: 5\n"})
        counter = ProcessIo(lambda: [str(tmp_path / "group")], str(tmp_path))
        counter.read()
        write(tmp_path / "group", {"cgroup.procs": "1\n2\n3\n"})
        for pid, before_ticks in ((2, 0), (3, 3)):
            ticks = 10 * TICKS_PER_SECOND - before_ticks
            stat = f"{pid} (x) S 1 " + " ".join(["0"] * 17) + f" {ticks} 0 0"
            write(tmp_path / str(pid), {"io": f"read_bytes: {pid}00\nwrite_bytes: 0\n", "stat": stat})
        assert counter.read() == (205, 5)
