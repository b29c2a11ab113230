"""What /proc tells of the processes of a cgroup, and the I/O that only they have."""

import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from collectors.kernel.cgroup import process_io
from collectors.kernel.cgroup.process_io import ProcessIo, is_blkio_dead
from collectors.kernel.cgroup.processes import _refined, booted_at, guest, started_at
from collectors.kernel.procfs import parse_process_stat
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_source import TICKS_PER_SECOND, UUID


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
        assert parse_process_stat(stat) == (3, 99)
        assert parse_process_stat(b"7 (x") is None
        assert parse_process_stat(None) is None

    def test_the_start_of_a_process_is_told_to_a_clock_tick_and_stays_the_same(self) -> None:
        before = time.time()
        with subprocess.Popen(["sleep", "60"]) as child:
            after = time.time()
            began = started_at("/proc", child.pid)
            assert began is not None
            assert before - 0.02 <= began <= after + 0.02
            time.sleep(0.05)
            assert started_at("/proc", child.pid) == began
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
        write(tmp_path / "7", {"stat": "7 (x) S 1 " + " ".join(["0"] * 17) + " 250 0 0"})
        assert started_at(str(tmp_path), 7) == 1_700_000_002.5
        assert started_at(str(tmp_path), 8) is None
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
