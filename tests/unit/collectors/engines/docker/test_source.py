"""The Docker source: where the engine is, what broken answers become, and a real engine."""

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from collectors.engines.docker.connection.endpoint import Endpoint, translate
from collectors.engines.docker.source import INSPECTIONS_AT_MOST, DockerSource
from collectors.model.errors import AccessDenied, NotInTime, SourceDown
from collectors.model.workloads import Availability, Event, Sample, State, WorkloadId
from collectors.sampling.source import SourceReading
from collectors.sampling.worker import Worker
from tests.helpers.distribution import pretend
from tests.helpers.frame_watch import threads_named
from tests.helpers.lab.process import wait_until

if TYPE_CHECKING:
    from tests.helpers.lab.docker_engine import DockerLab

ENTRY: dict[str, Any] = {"Id": "4e239e4b80d6", "Names": ["/web"], "State": "running", "Status": "Up 5 minutes"}


def test_only_a_local_socket_is_local() -> None:
    assert Endpoint("unix:///run/docker.sock").socket == Path("/run/docker.sock")
    assert [Endpoint(url).is_local for url in ("unix:///x", "tcp://127.0.0.1:1", "ssh://host")] == [True, False, False]
    assert Endpoint("ssh://me:secret@host:22").shown == "host:22"


def test_a_refused_permission_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import requests
    from urllib3.exceptions import ProtocolError

    pretend(monkeypatch, tmp_path, {"docker": ()}, ())
    hidden = requests.ConnectionError(ProtocolError("Connection aborted.", PermissionError(13, "Permission denied")))
    found = translate(hidden, Endpoint("unix:///nowhere/docker.sock"))
    assert found.availability is Availability.DENIED
    assert "/nowhere/docker.sock" in found.reason
    assert "usermod -aG docker" in found.remedy


VERSION = json.dumps({"ApiVersion": "1.41", "MinAPIVersion": "1.12"}).encode()


@contextmanager
def engine(folder: Path, answer: Callable[[str], bytes]) -> Iterator[DockerSource]:
    """Serve a path's answer (the whole response) on a socket, and give a source that reads it."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            request = self.rfile.readline().split()
            while self.rfile.readline().strip():
                pass
            if request:
                self.wfile.write(answer(request[1].decode()))

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    with Server(str(folder / "s"), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        source = DockerSource(f"unix://{folder}/s")
        yield source
        source.close()
        server.shutdown()


def response(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status.encode(), len(body), body)


BROKEN = {
    "500": response(b'{"message": "boom \x1b[2J"}', "500 Internal Server Error"),
    "500 without a message": response(b"{}", "500 Internal Server Error"),
    "500 without JSON": response(b"<html>", "500 Internal Server Error"),
    "half JSON": response(b'[{"Id": "4e2'),
    "no body": response(b""),
    "cut body": response(b"[]").replace(b"Length: 2", b"Length: 200"),
    "another type": response(b'{"a": 1}'),
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_version_or_list_is_a_source_that_is_down(tmp_path: Path, broken: bytes) -> None:
    with engine(tmp_path, lambda _: broken) as source, pytest.raises(SourceDown) as at_open:
        source.open(lambda: None)
    assert str(tmp_path) in at_open.value.reason
    (tmp_path / "s").unlink()
    answers = {"/version": response(VERSION), "/v1.41/containers/json": broken}
    with engine(tmp_path, lambda path: answers.get(path.partition("?")[0], response(b""))) as source:
        source.open(lambda: None)
        with pytest.raises(SourceDown) as at_read:
            source.read()
    assert "\x1b" not in at_read.value.reason


class QuietEvents:
    """A stream that is open and silent, until something is put in."""

    is_running, is_refused = True, False

    def __init__(self) -> None:
        self.changed: set[str] = set()

    def take(self) -> tuple[tuple[Event, ...], set[str]]:
        changed, self.changed = self.changed, set()
        return (), changed

    def note_listed(self, statuses: Mapping[str, str | None]) -> None:
        """No event depends on it."""

    def stop(self) -> None:
        """Nothing is open."""


def test_while_nothing_happens_the_list_is_kept_and_the_engine_only_has_to_answer(tmp_path: Path) -> None:
    asked: list[str] = []
    answers = {
        "/version": response(VERSION),
        "/v1.41/containers/json": response(b"[]"),
        "/v1.41/_ping": response(b"OK"),
    }

    def answer(path: str) -> bytes:
        asked.append(path.partition("?")[0].rpartition("/")[2])
        return answers.get(path.partition("?")[0], response(b"", "404 Not Found"))

    with engine(tmp_path, answer) as source:
        source.open(lambda: None)
        source._events = events = QuietEvents()  # type: ignore[assignment]
        asked.clear()
        for _ in range(3):
            source.read()
        assert asked == ["json", "_ping", "_ping"]
        events.changed = {"x"}
        source.read()
        assert asked[3:] == ["json"]
        answers["/v1.41/_ping"] = b""
        with pytest.raises(SourceDown):
            source.read()


def test_a_proxy_that_forbids_the_list_denies_access(tmp_path: Path) -> None:
    answers = {"/version": response(VERSION)}
    with engine(tmp_path, lambda path: answers.get(path, response(b"no", "403 Forbidden"))) as source:
        source.open(lambda: None)
        with pytest.raises(AccessDenied, match="403"):
            source.read()


def test_an_engine_that_ended_is_down_although_its_socket_is_still_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pretend(monkeypatch, tmp_path, {}, ("docker.service",))
    with engine(tmp_path, lambda path: response(VERSION if path == "/version" else b"[]")) as source:
        source.open(lambda: None)
        assert source.read().workloads == {}
    with pytest.raises(SourceDown, match="nothing listens") as down:
        DockerSource(f"unix://{tmp_path}/s").open(lambda: None)
    assert "systemctl start docker" in down.value.remedy


def test_an_engine_that_does_not_answer_gets_one_call_that_waits_and_no_second(tmp_path: Path) -> None:
    asked, answers = list[str](), threading.Event()

    def answer(path: str) -> bytes:
        asked.append(path)
        answers.wait(20)
        return response(VERSION if path == "/version" else b"[]")

    with engine(tmp_path, answer):
        worker = Worker("docker", lambda: DockerSource(f"unix://{tmp_path}/s"))
        worker.start()
        wait_until(lambda: bool(asked), 20, "the call")
        for seconds in range(29):
            worker.ask(time.monotonic() + seconds)
            assert worker.state(time.monotonic() + seconds).availability is Availability.WAITING
        assert worker.state(time.monotonic() + 31).availability is Availability.DOWN
        assert asked == ["/_ping"]
        answers.set()
        wait_until(lambda: worker.reading is not None, 20, "the engine's answer")
        worker.stop()
        worker.join(30)


def test_inspections_are_spread_and_their_failures_hide_nothing_else(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(path: str) -> bytes:
        if path.endswith("/events") or "/events?" in path:
            return response(b"no", "403 Forbidden")
        if "/containers/json" in path:
            entries = [{**ENTRY, "Id": f"{number:064x}", "Names": [f"/c{number}"]} for number in range(30)]
            return response(json.dumps([*entries, {}, None]).encode())
        if path.startswith("/v1.41/containers/"):
            asked.append(path)
            number = int(path.split("/")[3], 16)
            statuses = {1: "404 Not Found", 2: "500 Internal Server Error"}
            bodies = {1: b'{"message": "no such container"}', 3: b""}
            return response(bodies.get(number, b"{}"), statuses.get(number, "200 OK"))
        return response(VERSION)

    with engine(tmp_path, answer) as source:
        wakes: list[int] = []
        source.open(lambda: wakes.append(1))
        first = source.read()
        assert len(asked) == INSPECTIONS_AT_MOST
        assert wakes  # the rest must not wait for the next beat
        assert {one.name for one in first.workloads.values()} == {f"c{number}" for number in range(30)} - {"c1"}
        source.read()
        assert len(asked) == 31  # ten new ones, and the one that was gone but is listed again


def test_what_is_at_rest_or_on_its_way_out_is_not_inspected(tmp_path: Path) -> None:
    asked: list[str] = []
    states = ("created", "exited", "dead", "removing", "running", "paused", "restarting", "of a later version")

    def answer(path: str) -> bytes:
        if path.endswith("/events") or "/events?" in path:
            return response(b"no", "403 Forbidden")
        if "/containers/json" in path:
            entries = [{**ENTRY, "Id": f"{number:064x}", "State": state} for number, state in enumerate(states)]
            return response(json.dumps(entries).encode())
        if path.startswith("/v1.41/containers/"):
            asked.append(states[int(path.split("/")[3], 16)])
        return response(VERSION if path == "/version" else b"{}")

    with engine(tmp_path, answer) as source:
        source.open(lambda: None)
        reading = source.read()
    assert sorted(asked) == sorted(states[4:])
    assert len(reading.workloads) == len(states)


def wait_for(source: DockerSource, condition: Callable[[SourceReading], bool], timeout_s: float = 120) -> SourceReading:
    deadline = time.monotonic() + timeout_s
    while not condition(reading := source.read()):
        assert time.monotonic() < deadline, reading
        time.sleep(0.1)
    return reading


@contextmanager
def opened(source: DockerSource) -> Iterator[DockerSource]:
    source.open(lambda: None)
    try:
        yield source
    finally:
        source.close()


@pytest.mark.lab
class TestRealEngine:
    def test_lists_containers_with_states_and_limits(self, docker_lab: "DockerLab") -> None:
        labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
        web = docker_lab.run("web", "sleep 1000", labels, nano_cpus=500_000_000, mem_limit=64 << 20)
        paused = docker_lab.run("held", "sleep 1000")
        ended = docker_lab.run("ended", "exit 3")
        docker_lab.client.pause(paused)
        docker_lab.client.wait(ended)
        try:
            with opened(DockerSource(docker_lab.url)) as source:
                reading = source.read()
        finally:
            for identity in (web, paused, ended):
                docker_lab.remove(identity)
        found = reading.workloads[WorkloadId("docker", web)]
        assert (found.name, found.image, found.state, found.project) == ("web", "busybox:lab", State.RUNNING, "shop")
        assert found.started_at == pytest.approx(time.time(), abs=30)
        assert reading.workloads[WorkloadId("docker", paused)].state is State.PAUSED
        stopped = reading.workloads[WorkloadId("docker", ended)]
        assert (stopped.state, stopped.exit_code) == (State.STOPPED, 3)
        (limits,) = reading.samples[found.id]
        assert (limits.source, limits.cpu_limit_cores, limits.memory_limit_bytes) == ("docker", 0.5, 64 << 20)
        assert not {WorkloadId("docker", paused), WorkloadId("docker", ended)} & set(reading.samples)
        assert reading.detail == f"{len(reading.workloads)} containers"

    def test_tells_events_and_notices_a_restart_that_the_list_does_not_show(self, docker_lab: "DockerLab") -> None:
        wakes: list[float] = []
        source = DockerSource(docker_lab.url)
        source.open(lambda: wakes.append(time.monotonic()))
        try:
            source.read()
            wait_until(lambda: source._events._stream is not None, 20, "the stream of events")
            identity = WorkloadId("docker", docker_lab.run("cycle", "sleep 1000"))
            seen: list[str] = []

            def saw(what: str) -> Callable[[SourceReading], bool]:
                def check(reading: SourceReading) -> bool:
                    seen.extend(event.what for event in reading.events if event.workload == identity)
                    return what in seen

                return check

            before = wait_for(source, saw("start")).workloads[identity].started_at
            docker_lab.client.restart(identity.id, timeout=0)
            after = wait_for(source, saw("restart")).workloads[identity].started_at
            docker_lab.client.pause(identity.id)
            docker_lab.client.unpause(identity.id)
            docker_lab.remove(identity.id)
            gone = wait_for(source, saw("remove"))
            assert identity not in gone.workloads
        finally:
            source.close()
            docker_lab.remove("cycle")
        assert before is not None
        assert after is not None
        assert after > before
        assert seen[:2] == ["create", "start"]
        assert {"die", "stop", "restart", "pause", "resume", "remove"} <= set(seen)
        assert wakes

    def test_asks_for_statistics_when_told_to(self, docker_lab: "DockerLab") -> None:
        identity = WorkloadId("docker", docker_lab.run_busy("measured", 0.1))  # a busy host has that much left
        try:
            with opened(DockerSource(docker_lab.url, stats=True)) as source:

                def sample(reading: SourceReading) -> Sample | None:
                    return reading.samples[identity][0] if identity in reading.samples else None

                def has_cpu(reading: SourceReading) -> bool:
                    found = sample(reading)
                    return found is not None and found.cpu_total_ns is not None

                def has_lasted(reading: SourceReading) -> bool:
                    found = sample(reading)
                    return found is not None and first is not None and found.at_ns > first.at_ns + 3e9

                wait_for(source, has_cpu)
                time.sleep(2)  # the first answer may be late, and its instant with it
                first = sample(source.read())
                last = sample(wait_for(source, has_lasted))
        finally:
            docker_lab.remove(identity.id)
        assert first is not None
        assert last is not None
        assert first.cpu_total_ns is not None
        assert last.cpu_total_ns is not None
        cores = (last.cpu_total_ns - first.cpu_total_ns) / (last.at_ns - first.at_ns)
        assert 0.04 < cores < 0.15
        assert (last.source, last.cpu_limit_cores) == ("docker-stats", 0.1)
        assert last.memory_charged_bytes
        assert last.pids == 1

    def test_a_frozen_engine_answers_the_call_that_waits_as_soon_as_it_is_back(self, docker_lab: "DockerLab") -> None:
        if docker_lab.daemon is None:
            pytest.skip("the engine is not ours")
        identity = WorkloadId("docker", docker_lab.run("patient", "sleep 1000"))
        source = DockerSource(docker_lab.url)
        source.open(lambda: None)
        source.read()
        readings = list[SourceReading]()
        reader = threading.Thread(target=lambda: readings.append(source.read()))
        docker_lab.daemon.freeze()
        try:
            reader.start()
            reader.join(4)
            assert reader.is_alive()
        finally:
            docker_lab.daemon.thaw()
        reader.join(30)
        source.close()
        assert [identity in reading.workloads for reading in readings] == [True]
        docker_lab.remove(identity.id)

    def test_a_stream_of_events_that_opens_after_its_end_was_asked_for_ends_at_once(
        self, docker_lab: "DockerLab"
    ) -> None:
        if docker_lab.daemon is None:
            pytest.skip("the engine is not ours")
        source = DockerSource(docker_lab.url)
        source.open(lambda: None)
        assert source._client is not None
        source._client.timeout = 1  # seconds: how long it waits is not the subject
        docker_lab.daemon.freeze()
        try:
            with pytest.raises(NotInTime):
                source.read()  # begins to listen, and waits in vain
            source.close()
        finally:
            docker_lab.daemon.thaw()
        wait_until(lambda: threads_named("docker-events") == 0, 10, "the end of the thread that listened")
