"""Start-up times: only what was witnessed, from the right beginning, by the right signal."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.event_log import EventLog
from collectors.analysis.rates import Deriver, Moment
from collectors.analysis.startup_times import Startup, StartupWatch
from collectors.engines.registry import load_source
from collectors.model.workloads import Event, Frame, Kind, Sample, State, Workload, WorkloadId
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until

WEB = WorkloadId("docker", "a" * 64)
DB = WorkloadId("qemu", "d440edb0")
HOST = Workload(WorkloadId("host", "h"), Kind.HOST, "h", State.RUNNING)


class Film:
    """Frames a second apart, one workload in them, fed to a watch."""

    def __init__(self, identity: WorkloadId = WEB) -> None:
        self.identity = identity
        self.kind = Kind.VM if identity == DB else Kind.CONTAINER
        self.watch = StartupWatch()
        self._deriver = Deriver()
        self._now = 1000.0

    def tick(self, *events: tuple[float, str, str], sent: int | None = None, **facts: Any) -> Startup | None:
        """Show a frame with events (seconds after the film's beginning, what, detail); return the start-up so far."""
        self._now += 1.0
        workload = Workload(self.identity, self.kind, "w", State.RUNNING, **facts)
        sample = Sample("cgroup", int(self._now * 1e9), "e", net_tx_packets_total=sent)
        told = tuple(Event(1000.0 + at, self.identity, what, detail, "w") for at, what, detail in events)
        self.watch.feed(self._moment({self.identity: workload}, {self.identity: (sample,)}, told))
        return self.watch.of(self.identity)

    def vanish(self) -> None:
        self._now += 1.0
        self.watch.feed(self._moment({}, {}, ()))

    def _moment(self, workloads: Any, samples: Any, events: tuple[Event, ...]) -> Moment:
        at_ns = int(self._now * 1e9)
        return self._deriver.feed(Frame(at_ns, self._now, at_ns, HOST, workloads, samples, (), events))


def test_what_was_not_seen_to_start_has_no_time() -> None:
    film = Film()
    assert film.tick(sent=5) is None
    assert film.tick((1.5, "health", "healthy"), sent=9) is None


def test_a_fresh_container_counts_from_its_creation() -> None:
    film = Film()
    found = film.tick((0.2, "create", ""), (0.5, "start", ""))
    assert found is not None
    assert found.how == "create event"
    assert found.running_s == pytest.approx(0.3)


def test_a_creation_long_ago_does_not_count() -> None:
    film = Film()
    film.tick((0.2, "create", ""))
    found = film.tick((11.0, "start", ""))
    assert found is not None
    assert (found.how, found.running_s) == ("start event", None)


def test_what_vmtop_asked_for_counts_from_the_asking() -> None:
    film = Film()
    film.tick((0.1, "create", ""), (0.2, "asked", "restart"))
    found = film.tick((1.2, "start", ""))
    assert found is not None
    assert found.how == "asked by vmtop"
    assert found.running_s == pytest.approx(1.0)


def test_a_restart_counts_from_the_end_of_the_last_run() -> None:
    film = Film()
    found = film.tick((0.1, "asked", "restart"), (9.0, "die", "exit code 0"), (9.1, "stop", ""), (9.4, "start", ""))
    assert found is not None
    assert found.how == "end of its last run, restarted by vmtop"
    assert found.running_s == pytest.approx(0.3)


def test_events_of_several_sources_are_in_the_order_of_their_clocks() -> None:
    film, log = Film(), EventLog()
    log.push(film._moment({}, {}, (Event(2.0, WEB, "action", "b"), Event(1.0, WEB, "stop", "a"))))
    assert [event.detail for event in log.of(WEB)] == ["a", "b"]


def test_a_stop_that_was_asked_for_is_no_beginning() -> None:
    film = Film()
    film.tick((0.2, "asked", "stop"))
    found = film.tick((1.2, "start", ""))
    assert found is not None
    assert found.how == "start event"


def test_a_domain_counts_from_its_process() -> None:
    film = Film(DB)
    found = film.tick((2.0, "start", ""), started_at=1001.4)
    assert found is not None
    assert found.how == "start of its VMM process"
    assert found.running_s == pytest.approx(0.6)


def test_a_process_that_is_found_after_the_event_still_counts() -> None:
    film = Film(DB)
    film.tick((2.0, "start", ""))
    found = film.tick(started_at=1001.5)
    assert found is not None
    assert found.how == "start of its VMM process"
    assert found.running_s == pytest.approx(0.5)


def test_a_health_check_beats_packets() -> None:
    film = Film()
    film.tick((0.5, "create", ""), (1.0, "start", ""), sent=1, health="starting")
    found = film.tick((1.8, "health", "healthy"), sent=7, health="healthy")
    assert found is not None
    assert found.signal == "health check"
    assert found.ready_s == pytest.approx(1.3)
    assert found.resolution_s == 0.0


def test_the_first_packet_is_as_exact_as_the_samples() -> None:
    film = Film()
    film.tick((0.5, "create", ""), (1.0, "start", ""), sent=0)
    film.tick(sent=0)
    found = film.tick(sent=3)
    assert found is not None
    assert found.signal == "first network packet"
    assert found.ready_s == pytest.approx(2.5)
    assert found.resolution_s == 1.0
    assert film.tick(sent=9) == found


def test_a_packet_from_before_it_ran_does_not_make_it_ready() -> None:
    film = Film()
    seen = film.tick((0.2, "create", ""), (1.9, "start", ""), sent=5)
    assert seen is not None
    assert seen.ready_s is None, "the sample is of 1.0 s, when what sent was not yet the container's program"
    later = film.tick(sent=5)
    assert later is not None
    assert later.ready_s == pytest.approx(1.8)


def test_the_guest_agent_tells_a_domain() -> None:
    film = Film(DB)
    film.tick((1.0, "start", ""), started_at=1000.5)
    found = film.tick((1.9, "agent", "connected"), started_at=1000.5)
    assert found is not None
    assert found.signal == "guest agent"
    assert found.ready_s == pytest.approx(1.4)


def test_what_stopped_before_it_was_ready_stays_unready() -> None:
    film = Film()
    film.tick((0.5, "create", ""), (1.0, "start", ""), sent=0)
    film.tick((1.5, "die", "exit code 1"), sent=0)
    found = film.tick(sent=4)
    assert found is not None
    assert found.ready_s is None


def test_a_restart_is_measured_anew() -> None:
    film = Film()
    film.tick((0.5, "create", ""), (0.8, "start", ""), sent=3)
    found = film.tick((1.5, "start", ""))
    assert found is not None
    assert (found.began, found.ready_s) == (1001.5, None)


def test_who_is_gone_is_forgotten() -> None:
    film = Film()
    film.tick((0.5, "create", ""), (1.0, "start", ""))
    film.vanish()
    assert film.watch.all() == {}


@given(
    st.lists(
        st.tuples(
            st.floats(-100, 100),
            st.sampled_from(["create", "start", "asked", "stop", "die", "health", "agent"]),
            st.sampled_from(["", "start", "healthy", "connected"]),
        ),
        max_size=12,
    )
)
def test_whatever_the_clocks_do_no_time_is_negative(events: list[tuple[float, str, str]]) -> None:
    film = Film()
    for event in events:
        found = film.tick(event, sent=len(events) % 3)
        if found is not None:
            assert "start" in {what for _, what, _ in events}
            assert found.running_s is None or found.running_s >= 0
            assert found.ready_s is None or found.ready_s >= 0


def test_the_event_log_is_bounded_and_knows_whose_event_it_was() -> None:
    film, log = Film(), EventLog(5)
    for number in range(9):
        events = (Event(float(number), WEB if number % 2 else DB, "start", str(number)),)
        log.push(film._moment({}, {}, events))
    assert [event.detail for event in log.all()] == ["4", "5", "6", "7", "8"]
    assert [event.detail for event in log.of(WEB)] == ["5", "7"]


class Watching:
    """A real sampler whose frames are fed to a watch."""

    def __init__(self, *specs: SourceSpec) -> None:
        self.watch, self._deriver = StartupWatch(), Deriver()
        self.sampler = Sampler([SourceSpec("host"), SourceSpec("cgroup"), *specs], load_source, 0.5)
        self.seen: set[WorkloadId] = set()
        self.ok: set[str] = set()
        self.sampler.on_frame(self._take)

    def _take(self, frame: Frame) -> None:
        self.watch.feed(self._deriver.feed(frame))
        self.ok = {state.name for state in frame.sources if state.availability == "ok"}

    def __enter__(self) -> Watching:
        self.sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.sampler.stop()

    def hears_docker(self) -> bool:
        """Whether the engine answers, and the stream of its events is open."""
        source = next(worker.source for worker in self.sampler.workers if worker.name == "docker")
        return "docker" in self.ok and source._events._stream is not None  # type: ignore[attr-defined]  # a test looks inside

    def wait(self, identity: WorkloadId, is_ready: bool) -> Startup:
        def has_come() -> bool:
            found = self.watch.of(identity)
            return found is not None and (found.ready_s is not None or not is_ready)

        wait_until(has_come, 30, "a start-up time")
        found = self.watch.of(identity)
        assert found is not None
        return found


@pytest.mark.lab
def test_a_container_with_a_health_check_is_measured(docker_lab: DockerLab) -> None:
    client = docker_lab.client
    with Watching(SourceSpec("docker", {"url": docker_lab.url})) as watching:
        wait_until(watching.hears_docker, 30, "the engine's events")
        made = client.create_container(
            "busybox:lab",
            ["sleep", "1000"],
            name="start-up",
            host_config=client.create_host_config(network_mode="none"),
            healthcheck={"test": ["CMD", "true"], "interval": 500_000_000},
        )
        began = time.time()
        client.start(made["Id"])
        try:
            found = watching.wait(WorkloadId("docker", made["Id"]), is_ready=True)
        finally:
            docker_lab.remove(made["Id"])
    assert (found.how, found.signal) == ("create event", "health check")
    assert found.running_s is not None and found.ready_s is not None  # noqa: PT018
    assert 0 < found.running_s < found.ready_s < time.time() - began + 2
    assert abs(found.began - began) < 5


@pytest.mark.lab
def test_a_container_is_ready_with_its_first_packet(docker_lab: DockerLab) -> None:
    with Watching(SourceSpec("docker", {"url": docker_lab.url})) as watching:
        wait_until(watching.hears_docker, 30, "the engine's events")
        one = docker_lab.run("start-net", "sleep 2; while :; do ping -c1 -W1 10.255.255.1; done", network_mode="bridge")
        try:
            found = watching.wait(WorkloadId("docker", one), is_ready=True)
        finally:
            docker_lab.remove(one)
    assert found.signal == "first network packet"
    assert found.resolution_s is not None and found.resolution_s > 0  # noqa: PT018
    assert found.ready_s is not None and found.running_s is not None and found.ready_s > found.running_s  # noqa: PT018


@pytest.mark.lab
def test_a_domain_is_measured_from_its_process(libvirt_lab: LibvirtLab) -> None:
    tiny = libvirt_lab.start_tiny("startup", BootSector.IDLE)
    domain = libvirt_lab.connection.lookupByName(tiny)
    domain.destroy()
    try:
        with Watching(SourceSpec("libvirt", {"uri": libvirt_lab.uri})) as watching:
            wait_until(lambda: "libvirt" in watching.ok, 60, "libvirt")
            time.sleep(1)
            domain.create()
            identity = WorkloadId("qemu", domain.UUIDString())
            wait_until(lambda: watching.wait(identity, is_ready=False).running_s is not None, 10, "its process")
            found = watching.wait(identity, is_ready=False)
        assert found.ready_s is None
        assert found.how == "start of its VMM process"
        assert found.running_s is not None
        assert 0 < found.running_s < 10
    finally:
        libvirt_lab.remove(tiny)
