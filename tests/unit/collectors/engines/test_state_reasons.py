"""Why a container or a service is in its state, as Docker and systemd report it."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from collectors.engines.docker.containers import to_facts, to_workload, was_killed
from collectors.engines.systemd.actions import state_of
from collectors.engines.systemd.in_turn import InTurn
from collectors.engines.systemd.results import ending, read_ending
from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import State, Unmeasured, Workload


def described(state: str, status: str, inspection: dict[str, Any] | None = None) -> Workload:
    entry = {"Id": "a" * 64, "State": state, "Status": status}
    workload = to_workload(entry, "docker", "", to_facts(inspection or {}))
    assert workload is not None
    return workload


@pytest.mark.parametrize(("state", "status", "killed", "reason"), [
    ("running", "Up 3 hours", False, None),
    ("paused", "Up 3 hours (Paused)", False, None),
    ("exited", "Exited (0) 3 hours ago", False, "exit code 0"),
    ("exited", "Exited (137) 3 hours ago", False, "exit code 137"),
    ("exited", "Exited (137) 3 hours ago", True, "out of memory"),
    ("restarting", "Restarting (4) 2 seconds ago", False, "exit code 4"),
    ("dead", "Dead", False, "the engine could not remove it"),
    ("created", "Created", False, None),
])  # fmt: skip
def test_a_container_says_why(state: str, status: str, killed: bool, reason: str | None) -> None:
    assert described(state, status, {"State": {"OOMKilled": killed}}).state_reason == reason


def test_only_killed_containers_are_inspected_after_their_end() -> None:
    assert was_killed({"State": "exited", "Status": "Exited (137) 1 second ago"})
    assert not was_killed({"State": "exited", "Status": "Exited (1) 1 second ago"})
    assert not was_killed({"State": "restarting", "Status": "Restarting (137) 1 second ago"})


def test_a_container_that_waits_for_its_next_start_is_not_up() -> None:
    inspection = {"State": {"StartedAt": "2026-11-28T03:57:56.6Z"}}
    assert described("running", "Up", inspection).started_at is not None
    assert described("restarting", "Restarting (1) 9 seconds ago", inspection).started_at is None


@pytest.mark.parametrize(("mode", "notes"), [
    ("bridge", ()),
    ("default", ()),
    ("host", (Unmeasured(Topic.NETWORK, Cause.HOST_NETWORK),)),
    ("none", (Unmeasured(Topic.NETWORK, Cause.NO_NETWORK),)),
    ("container:" + "b" * 64, (Unmeasured(Topic.NETWORK, Cause.SHARED_NETWORK, "b" * 64),)),
])  # fmt: skip
def test_a_network_that_is_not_its_own_is_noted(mode: str, notes: tuple[Unmeasured, ...]) -> None:
    inspection = {"HostConfig": {"NetworkMode": mode}}
    assert described("running", "Up", inspection).unmeasured == notes
    assert described("exited", "Exited (0)", inspection).unmeasured == ()


@pytest.mark.parametrize(("properties", "text", "code"), [
    ({"Result": "success", "ExecMainStatus": 0}, "", None),
    ({}, "", None),
    ({"Result": "exit-code", "ExecMainStatus": 3}, "exit code 3", 3),
    ({"Result": "exit-code", "ExecMainStatus": 0}, "one of its commands failed", None),
    ({"Result": "signal", "ExecMainStatus": 11}, "killed (SIGSEGV)", None),
    ({"Result": "core-dump", "ExecMainStatus": 6}, "dumped core (SIGABRT)", None),
    ({"Result": "oom-kill", "ExecMainStatus": 9}, "out of memory", None),
    ({"Result": "timeout"}, "timed out", None),
    ({"Result": "watchdog"}, "watchdog", None),
    ({"Result": "start-limit-hit"}, "started too often", None),
    ({"Result": "later\x1b[31m"}, "later\ufffd[31m", None),
])  # fmt: skip
def test_a_failed_service_says_how(properties: dict[str, Any], text: str, code: int | None) -> None:
    assert ending(properties) == (text, code)


@pytest.mark.parametrize(("active", "sub", "state"), [
    ("active", "running", State.RUNNING),
    ("activating", "start-pre", State.STARTING),
    ("activating", "auto-restart", State.RESTARTING),
    ("activating", "auto-restart-queued", State.RESTARTING),
    ("failed", "failed", State.CRASHED),
])  # fmt: skip
def test_a_unit_between_two_starts_is_not_starting(active: str, sub: str, state: State) -> None:
    assert state_of({"ActiveState": active, "SubState": sub}) is state


def test_failed_units_are_asked_once_in_a_while() -> None:
    class Bus:
        asked: ClassVar[list[str]] = []

        def properties(self, path: str, interface: str) -> dict[str, Any]:
            self.asked.append(path)
            return {"Result": "exit-code", "ExecMainStatus": 2}

    bus, endings = Bus(), InTurn(read_ending)
    assert endings.read(bus, ["/a"]) == {"/a": ("exit code 2", 2)}  # type: ignore[arg-type]  # has what is called
    assert endings.read(bus, ["/a", "/b"]).keys() == {"/a", "/b"}  # type: ignore[arg-type]
    assert bus.asked == ["/a", "/b"]
    assert endings.read(bus, []) == {}  # type: ignore[arg-type]
    many = [f"/{number}" for number in range(30)]
    assert len(endings.read(bus, many)) == 20  # type: ignore[arg-type]
    assert len(endings.read(bus, many)) == 30  # type: ignore[arg-type]
