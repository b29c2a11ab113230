"""What the Docker source does on what it hears, and what it asks for again. Without any engine."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collectors.engines.docker.connection.endpoint import Endpoint
from collectors.engines.docker.connection.greeting import Greeting
from collectors.engines.docker.events import EventListener
from collectors.engines.docker.source import INSPECTIONS_AT_MOST
from collectors.model.workloads import Kind, Workload, WorkloadId
from tests.helpers.lab.process import wait_until
from tests.unit.collectors.engines.docker.test_source import ENTRY, VERSION, QuietEvents, engine, response


class Fleet:
    """Answers as an engine with running containers, and counts inspections."""

    def __init__(self, count: int) -> None:
        self.ids = [f"{number:064x}" for number in range(count)]
        self.states: dict[str, str] = {}
        self.started = "2026-11-23T11:41:30Z"
        self.inspected: list[str] = []

    def answer(self, path: str) -> bytes:
        if path == "/version":
            return response(VERSION)
        if "/containers/json" in path:
            entries = [{**ENTRY, "Id": one, "State": self.states.get(one, "running")} for one in self.ids]
            return response(json.dumps(entries).encode())
        if path.startswith("/v1.41/containers/"):
            self.inspected.append(path.split("/")[3])
            return response(json.dumps({"State": {"StartedAt": self.started}}).encode())
        return response(b"OK")


def listed(health: str | None) -> Workload:
    return Workload(WorkloadId("podman", "a" * 64), Kind.CONTAINER, "web", health=health)


def test_what_an_event_changed_is_inspected_again(tmp_path: Path) -> None:
    fleet = Fleet(2)
    first, second = fleet.ids
    with engine(tmp_path, fleet.answer) as source:
        source.open(lambda: None)
        source._events = events = QuietEvents()  # type: ignore[assignment]
        before = source.read().workloads[WorkloadId("docker", second)].started_at
        assert sorted(fleet.inspected) == [first, second]
        fleet.started = "2026-11-23T11:41:40Z"
        events.changed = {second}
        after = source.read().workloads[WorkloadId("docker", second)].started_at
    assert fleet.inspected[2:] == [second]
    assert before is not None
    assert after == before + 10


def test_the_rest_of_the_inspections_does_not_wait_for_the_next_beat(tmp_path: Path) -> None:
    fleet, wakes = Fleet(INSPECTIONS_AT_MOST + 1), list[int]()
    with engine(tmp_path, fleet.answer) as source:
        source.open(lambda: wakes.append(len(fleet.inspected)))
        source._events = QuietEvents()  # type: ignore[assignment]
        source.read()
        assert wakes == [INSPECTIONS_AT_MOST]
        source.read()
        assert len(fleet.inspected) == INSPECTIONS_AT_MOST + 1
        source.read()
        assert wakes == [INSPECTIONS_AT_MOST], "all is known: there is no hurry"


def test_those_that_run_are_inspected_before_those_that_are_paused(tmp_path: Path) -> None:
    fleet = Fleet(INSPECTIONS_AT_MOST + 1)
    fleet.states[fleet.ids[0]] = "paused"
    with engine(tmp_path, fleet.answer) as source:
        source.open(lambda: None)
        source._events = QuietEvents()  # type: ignore[assignment]
        source.read()
    assert sorted(fleet.inspected) == fleet.ids[1:]


def test_what_changed_its_state_or_came_back_is_inspected_again(tmp_path: Path) -> None:
    fleet = Fleet(1)
    (only,) = fleet.ids
    with engine(tmp_path, fleet.answer) as source:
        source.open(lambda: None)
        source._events = events = QuietEvents()  # type: ignore[assignment]
        for states, ids in (
            ({}, [only]),
            ({only: "paused"}, [only]),
            ({only: "paused"}, []),
            ({only: "paused"}, [only]),
        ):
            fleet.states, fleet.ids = states, ids
            events.changed = {"something else"}
            source.read()
    assert fleet.inspected == [only] * 3


def test_after_the_engine_was_lost_everything_is_inspected_again(tmp_path: Path) -> None:
    fleet = Fleet(1)
    with engine(tmp_path, fleet.answer) as source:
        for _ in range(2):
            source.open(lambda: None)
            source._events = QuietEvents()  # type: ignore[assignment]
            source.read()
    assert fleet.inspected == fleet.ids * 2


def test_closing_drops_the_connection_and_the_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    with engine(tmp_path, Fleet(0).answer) as source:
        source.open(lambda: None)
        source._events = QuietEvents()  # type: ignore[assignment]
        assert source._client is not None
        monkeypatch.setattr(source._client, "close", lambda: closed.append("client"))
        source._stats = SimpleNamespace(stop=lambda: closed.append("statistics"))  # type: ignore[assignment]
        source.close()
        source.close()
    assert sorted(closed) == ["client", "statistics"]


class Streams:
    """An endpoint whose streams of events end at once, after what they are given to say."""

    def __init__(self) -> None:
        self.since: list[str | None] = []
        self.says: list[dict[str, Any]] = []
        self.read: Callable[[], None] = lambda: None

    def reader(self, greeting: Greeting) -> Streams:
        return self

    def open_stream(self, path: str, parameters: dict[str, str], timeout_s: float | None) -> SimpleNamespace:
        self.since.append(parameters.get("since"))
        text = io.BytesIO(b"".join(json.dumps(message).encode() + b"\n" for message in self.says))

        def read() -> bytes:
            self.read()
            return text.read(1000)

        return SimpleNamespace(read=read, close=lambda: None)


def test_a_stream_resumes_at_the_nanosecond_of_the_last_event_and_tells_it_once() -> None:
    streams, listener, wakes = Streams(), EventListener(), threading.Event()
    streams.says = [{"Action": "start", "Actor": {"ID": "a" * 64}, "timeNano": 1_800_000_000_000_000_042}]
    told = []
    for _ in range(2):
        wakes.clear()
        endpoint: Endpoint = streams  # type: ignore[assignment]  # the part that is called
        listener.start(endpoint, Greeting("docker", "1.41"), wakes.set)
        wait_until(lambda: not listener.is_running, 10, "the end of the stream")
        assert wakes.is_set()
        events, changed = listener.take()
        told.append(([event.what for event in events], changed))
    assert streams.since == [None, "1800000000.000000042"]
    assert told == [(["start"], {"a" * 64}), ([], set())]


def test_a_health_check_is_an_event_only_where_the_status_changes() -> None:
    streams, listener, wakes = Streams(), EventListener(), list[int]()

    def message(number: int, action: str, status: str = "") -> dict[str, Any]:
        more = {"HealthStatus": status} if status else {}
        return {"Action": action, "Actor": {"ID": "a" * 64}, "timeNano": number, **more}

    checks = ["healthy"] * 3 + ["unhealthy"] * 2 + ["healthy"] * 2
    streams.says = [message(number, "health_status", status) for number, status in enumerate(checks, 1)]
    streams.says += [message(20, "exec_died"), message(21, "start"), message(22, "health_status: healthy")]
    listener.note_listed([listed("healthy")])
    endpoint: Endpoint = streams  # type: ignore[assignment]  # the part that is called
    listener.start(endpoint, Greeting("podman", "1.41"), lambda: wakes.append(1))
    wait_until(lambda: not listener.is_running, 10, "the end of the stream")
    told = [(event.what, event.detail) for event in listener.take()[0]]
    assert told == [("health", "unhealthy"), ("health", "healthy"), ("start", ""), ("health", "healthy")]
    assert len(wakes) == len(told) + 1, "and the end of the stream"
    listener.note_listed([listed(None)])
    assert listener._health == {"a" * 64: "healthy"}, "a list without a status is no news"
    listener.note_listed([])
    assert listener._health == {}, "of what is no longer listed nothing is kept"


def test_a_stream_that_was_told_to_end_tells_nothing_more() -> None:
    streams, listener, wakes = Streams(), EventListener(), list[int]()

    streams.says = [{"Action": "start", "Actor": {"ID": "a" * 64}, "timeNano": 5}]
    streams.read = listener.stop
    endpoint: Endpoint = streams  # type: ignore[assignment]  # the part that is called
    listener.start(endpoint, Greeting("docker", "1.41"), lambda: wakes.append(1))
    wait_until(lambda: not listener.is_running, 10, "the end of the stream")
    assert listener.take() == ((), set())
    assert wakes == []


def test_an_engine_that_gives_no_events_is_not_asked_for_them_again_until_it_is_opened_anew(tmp_path: Path) -> None:
    fleet, asked = Fleet(0), list[str]()

    def answer(path: str) -> bytes:
        if "/events" in path:
            asked.append(path)
            return response(b"no", "403 Forbidden")
        return fleet.answer(path)

    with engine(tmp_path, answer) as source:
        for expected in (1, 2):
            source.open(lambda: None)
            for _ in range(3):
                source.read()
                wait_until(lambda: not source._events.is_running, 10, "the refusal")
            assert len(asked) == expected
