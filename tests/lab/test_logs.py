"""Logs of real containers and domains."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from docker.types import LogConfig
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.connections import EngineConnections
from collectors.engines.docker.access import DockerAccess
from collectors.engines.docker.logs import DockerLog
from collectors.inspection.logs import open_log
from collectors.inspection.merged_log import MergedLog
from collectors.model.errors import SourceError
from collectors.model.logs import LogLine
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until
from tests.unit.collectors.inspection.test_logs import Follower, backwards, texts


def access(lab: DockerLab) -> DockerAccess:
    return DockerAccess([SourceSpec("docker", {"url": lab.url})])


def workload(identity: str) -> Workload:
    return Workload(WorkloadId("docker", identity), Kind.CONTAINER, "log", State.RUNNING)


@pytest.fixture(scope="module")
def talker(docker_lab: DockerLab) -> Iterator[str]:
    """A container with 3,000 lines, every second one on its standard error, that then writes one more now and then."""
    script = (
        "i=0; while [ $i -lt 1500 ]; do i=$((i+1)); echo out $i; echo err $i >&2; done; "
        "printf 'evil \\033]0;title\\007 \\033[31m red\\n'; "
        "while :; do sleep 0.3; echo more $((i+=1)); done"
    )
    one = docker_lab.run("log-talker", script)
    wait_until(lambda: b"more" in docker_lab.client.logs(one, tail=1), 30, "its lines")
    yield one
    docker_lab.remove(one)


class Disordered(DockerLog):
    """An engine's log whose lines stand in another order than that of their times."""

    def __init__(self, lines: list[LogLine]) -> None:
        self.lines = lines
        self._span_ns, self._created_ns, self._interrupts = 1_000_000, 0, 0

    def _stream_lines(self, wanted: dict[str, str], follow: bool) -> Iterator[LogLine]:
        if "tail" in wanted:
            yield from self.lines[-int(wanted["tail"]) :]
            return
        since, until = (
            _nanoseconds(wanted.get(key, end)) for key, end in (("since", "0.0"), ("until", "9999999999.0"))
        )
        for one in self.lines:
            if int(one.position) > until:
                return
            if int(one.position) >= since:
                yield one


def _nanoseconds(seconds: str) -> int:
    whole, _, part = seconds.partition(".")
    return int(whole) * 10**9 + int(part)


@given(
    st.lists(st.tuples(st.integers(0, 30_000_000), st.integers(0, 4_000_000)), min_size=1, max_size=30),
    st.integers(1, 8),
)
def test_no_line_is_lost_or_doubled_where_times_and_places_disagree(gaps: list[tuple[int, int]], step: int) -> None:
    at, lines = 10**18, []
    for number, (gap, early) in enumerate(gaps):
        at += gap
        lines.append(LogLine(at - early, None, bool(early % 2), f"line {number}"))
    log = Disordered(lines)
    assert backwards(log, step) == texts(lines)
    for place, line in enumerate(lines):
        assert log.after(line, step) == lines[place + 1 :][:step]
        assert list(log.follow(line)) == lines[place + 1 :]


@pytest.mark.lab
class TestEngine:
    def test_every_line_is_reached_from_the_end(self, docker_lab: DockerLab, talker: str) -> None:
        found = backwards(DockerLog(workload(talker), access(docker_lab)), 500)
        lines = [line for line in found if line.startswith(("out", "err"))]
        assert sorted(lines) == sorted(f"{word} {n}" for word in ("out", "err") for n in range(1, 1501))
        assert [line for line in lines if line.startswith("out")] == [f"out {n}" for n in range(1, 1501)]

    def test_what_follows_a_line_comes_after_it(self, docker_lab: DockerLab, talker: str) -> None:
        log = DockerLog(workload(talker), access(docker_lab))
        first = next(line for line in log.last(4000) if line.text == "out 1")
        newer = [line.text for line in log.after(first, 2000) if line.text.startswith("out")]
        assert newer == [f"out {n}" for n in range(2, 2 + len(newer))]
        assert len(newer) >= 4

    def test_a_log_is_read_from_its_beginning_and_up_to_a_time(self, docker_lab: DockerLab, talker: str) -> None:
        log = DockerLog(workload(talker), access(docker_lab))
        whole = log.last(4000)
        assert log.first(20) == whole[:20]
        at = whole[1000].at or 0.0
        times = {line.text: line.at or 0.0 for line in whole}
        until = log.until(at, 500)
        assert all(times[line.text] <= at for line in until)
        assert max(times[line.text] for line in until) == max(time for time in times.values() if time <= at)

    def test_the_logs_of_two_containers_are_one_in_the_order_of_time(self, docker_lab: DockerLab, talker: str) -> None:
        client = docker_lab.client
        speaker = "sleep 1; while :; do echo other; sleep 0.2; done"
        other = client.create_container("busybox:lab", ["sh", "-c", speaker])["Id"]
        client.start(other)
        try:
            merged = MergedLog([DockerLog(workload(one), access(docker_lab)) for one in (talker, other)])
            wait_until(lambda: {line.workload for line in merged.last(30)} == {0, 1}, 20, "lines of both")
            lines = merged.last(30)
            times = [line.at or 0.0 for line in lines]
            # the engine itself writes what a container prints on two streams at once in either order
            assert all(later > earlier - 0.01 for earlier, later in pairwise(times))
            assert all((line.text == "other") == (line.workload == 1) for line in lines)
            assert merged.before(lines[10], 10) == lines[:10]
            merged.close()
        finally:
            docker_lab.remove(other)

    def test_errors_are_marked_and_nothing_hostile_passes(self, docker_lab: DockerLab, talker: str) -> None:
        lines = DockerLog(workload(talker), access(docker_lab)).last(4000)
        assert all(line.is_error == line.text.startswith("err") for line in lines)
        evil = next(line.text for line in lines if line.text.startswith("evil"))
        assert "\x1b" not in evil
        assert "\x07" not in evil
        assert all(line.at is not None and abs(line.at - time.time()) < 300 for line in lines)

    def test_a_follower_hears_new_lines_and_ends_at_once(self, docker_lab: DockerLab, talker: str) -> None:
        log = DockerLog(workload(talker), access(docker_lab))
        follower = Follower(log, log.last(1)[-1])
        wait_until(lambda: len(follower.lines) >= 3, 15, "three lines")
        numbers = [int(line.split()[1]) for line in follower.lines[:3]]
        assert numbers == list(range(numbers[0], numbers[0] + 3))
        log.close()
        follower.thread.join(30)
        assert not follower.thread.is_alive()

    def test_a_terminals_log_has_no_frames(self, docker_lab: DockerLab) -> None:
        client = docker_lab.client
        made = client.create_container("busybox:lab", ["sh", "-c", "echo one; echo two; sleep 1000"], tty=True)
        client.start(made["Id"])
        try:
            log = DockerLog(workload(made["Id"]), access(docker_lab))
            wait_until(lambda: texts(log.last(10)) == ["one", "two"], 10, "both lines")
        finally:
            docker_lab.remove(made["Id"])

    @pytest.mark.parametrize(("driver", "is_tty"), [("json-file", False), ("json-file", True), ("local", False)])
    def test_a_long_line_is_whole_and_without_the_engines_stamps(
        self, docker_lab: DockerLab, driver: str, is_tty: bool
    ) -> None:
        client = docker_lab.client
        script = (
            "x=$(head -c 40000 /dev/zero | tr '\\0' x); echo before; "
            "printf '\\033[31m%s\\033[0mEND\\n' $x; echo after; sleep 1000"
        )
        config = client.create_host_config(log_config=LogConfig(type=driver), network_mode="none")
        made = client.create_container("busybox:lab", ["sh", "-c", script], tty=is_tty, host_config=config)
        client.start(made["Id"])
        try:
            log = DockerLog(workload(made["Id"]), access(docker_lab))
            expected = ["before", "x" * 40_000 + "END", "after"]
            wait_until(lambda: texts(log.last(10))[-1:] == ["after"], 10, "the last line")
            lines = log.last(10)
            assert texts(lines) == expected
            assert log.after(lines[0], 5) == lines[1:]
            assert log.before(lines[2], 5) == lines[:2]
            assert "x" * 40_000 + "END" in backwards(log, 1), "also where a tail begins inside of it"
        finally:
            docker_lab.remove(made["Id"])

    @pytest.mark.parametrize(
        ("driver", "options", "remedy"),
        [
            ("none", {}, "recreate the container with --log-driver local"),
            ("gelf", {"gelf-address": "udp://127.0.0.1:9", "cache-disabled": "true"}, "read it where gelf keeps it"),
        ],
    )
    def test_a_driver_whose_log_cannot_be_read_is_named_with_the_remedy(
        self, docker_lab: DockerLab, driver: str, options: dict[str, str], remedy: str
    ) -> None:
        client = docker_lab.client
        config = client.create_host_config(log_config=LogConfig(type=driver, config=options), network_mode="none")
        made = client.create_container("busybox:lab", ["sleep", "1000"], host_config=config)
        client.start(made["Id"])
        try:
            with pytest.raises(SourceError) as caught:
                DockerLog(workload(made["Id"]), access(docker_lab)).last(1)
        finally:
            docker_lab.remove(made["Id"])
        assert driver in caught.value.reason
        assert not set(caught.value.reason) & set("{}\ufffd")
        assert remedy in caught.value.remedy


@pytest.mark.lab
def test_the_console_of_a_domain_is_found_by_its_definition(
    libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]
) -> None:
    there = EngineConnections([SourceSpec("libvirt", {"uri": libvirt_lab.uri})])
    uuid = libvirt_lab.connection.lookupByName(linux_guests[0]).UUIDString()
    log = open_log(Workload(WorkloadId("qemu", uuid), Kind.VM, linux_guests[0], State.RUNNING), there)
    assert log.title == str(libvirt_lab.guests[0].console)
    assert "READY" in texts(log.last(50))


@pytest.mark.lab
def test_a_domain_without_a_logged_console_says_what_would_make_one(libvirt_lab: LibvirtLab) -> None:
    there = EngineConnections([SourceSpec("libvirt", {"uri": libvirt_lab.uri})])
    uuid = libvirt_lab.connection.lookupByName(libvirt_lab.shut_off).UUIDString()
    with pytest.raises(SourceError) as caught:
        open_log(Workload(WorkloadId("qemu", uuid), Kind.VM, libvirt_lab.shut_off, State.STOPPED), there)
    assert "no console logged to a file" in caught.value.reason
    assert "<log file=" in caught.value.remedy
