"""Each built-in rule about containers begins by a real cause and ends with it; what looks like it is no alert.

What is recorded by `vmtop record` is judged; the time for which some rules have to hold is shortened.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from collectors.alerts.rule import Level
from tests.app.test_replay import replaying
from tests.helpers.lab.alert_recording import VMTOP, AlertRecording, alert_recording, shortened
from tests.helpers.lab.docker_engine import DockerLab

pytestmark = pytest.mark.lab

RULES = shortened(
    ("throttled", "throttled > 20% for 5s", "throttled < 10%"),
    ("restart loop", "event=restarted 3 times in 40s", ""),
    ("out of memory", "event=oom in 15s", ""),
    ("unhealthy", "health=unhealthy state=running for 2s", ""),
)
FRAMES = 12
"""More than any rule has to hold for: what is no alert after them is none."""


@pytest.fixture(scope="module")
def recording(docker_lab: DockerLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertRecording]:
    folder = tmp_path_factory.mktemp("alerts") / "docker"
    with alert_recording(folder, ["--docker", docker_lab.url], RULES) as made:
        made.answered("docker")  # what happens before is nobody's alert
        yield made


def run_inside(lab: DockerLab, container: str, command: str) -> None:
    """Run a command in a container, to its end."""
    lab.client.exec_start(lab.client.exec_create(container, ["sh", "-c", command])["Id"])


def test_a_process_killed_for_lack_of_memory_is_an_alert_for_its_time(
    docker_lab: DockerLab, recording: AlertRecording
) -> None:
    hog = docker_lab.run_memory_hog("alert-oom", held_mib=80, limit_mib=32)
    killed = docker_lab.run("alert-killed", "sleep 100000")
    docker_lab.client.kill(killed)
    try:
        alert = recording.begun("out of memory", "alert-oom")
        assert (alert.level, alert.workload.id) == (Level.CRITICAL, hog)
        assert recording.ended("out of memory", "alert-oom").end == "over"
        assert recording.alerts("alert-killed") == [], "somebody killed it, and there was memory enough"
    finally:
        docker_lab.remove(hog)
        docker_lab.remove(killed)


def test_a_loop_at_its_quota_is_throttled_and_one_without_a_quota_is_not(
    docker_lab: DockerLab, recording: AlertRecording
) -> None:
    free = docker_lab.run("alert-free", "while :; do :; done", cpuset_cpus="0", cpu_shares=2)
    bound = docker_lab.run_busy("alert-bound", 0.1)
    try:
        alert = recording.begun("throttled", "alert-bound")
        assert alert.sentence.startswith("its CPU quota slows it down (throttled ")
        docker_lab.client.update_container(bound, cpu_quota=-1)
        assert recording.ended("throttled", "alert-bound").end == "there is nothing to measure any more"
        assert [alert for alert in recording.alerts("alert-free") if alert.rule == "throttled"] == []
    finally:
        docker_lab.remove(free)
        docker_lab.remove(bound)


def test_one_that_the_engine_starts_again_and_again_is_an_alert_and_one_that_a_user_restarts_is_not(
    docker_lab: DockerLab, recording: AlertRecording
) -> None:
    asked = docker_lab.run("alert-asked", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    looping = docker_lab.run("alert-loop", "sleep 0.2; exit 4", restart_policy={"Name": "always"})
    try:
        for _ in range(4):
            docker_lab.client.restart(asked, timeout=10)
        alert = recording.begun("restart loop", "alert-loop")
        assert alert.level is Level.CRITICAL
        assert "times in" in alert.sentence
        docker_lab.client.stop(looping, timeout=2)
        assert recording.ended("restart loop", "alert-loop", 120).end == "over"
        assert recording.alerts("alert-asked") == []
    finally:
        docker_lab.remove(asked)
        docker_lab.remove(looping)


def test_a_health_check_that_fails_is_an_alert_until_it_succeeds(
    docker_lab: DockerLab, recording: AlertRecording
) -> None:
    second = 1_000_000_000
    check = {"test": ["CMD", "test", "-e", "/well"], "interval": second, "timeout": 5 * second, "retries": 1}
    sick = docker_lab.run("alert-sick", "sleep 100000", healthcheck=check)
    slow = docker_lab.run("alert-slow", "sleep 100000", healthcheck={**check, "start_period": 3000 * second})
    try:
        alert = recording.begun("unhealthy", "alert-sick")
        assert alert.sentence == "its health check fails (health unhealthy, state running)"
        run_inside(docker_lab, sick, "touch /well")
        assert recording.ended("unhealthy", "alert-sick").end == "over"
        assert recording.alerts("alert-slow") == [], "it is still starting"
    finally:
        docker_lab.remove(sick)
        docker_lab.remove(slow)


def test_one_that_is_stopped_or_removed_ends_its_alert(docker_lab: DockerLab, recording: AlertRecording) -> None:
    stopped, gone = docker_lab.run_busy("alert-stopped", 0.1), docker_lab.run_busy("alert-gone", 0.1)
    try:
        for name in ("alert-stopped", "alert-gone"):
            recording.begun("throttled", name)
        docker_lab.client.stop(stopped, timeout=1)
        docker_lab.remove(gone)
        assert recording.ended("throttled", "alert-stopped").end == "it no longer runs"
        assert recording.ended("throttled", "alert-gone").end == "it is gone"
    finally:
        docker_lab.remove(stopped)
        docker_lab.remove(gone)


async def test_the_replay_of_a_recording_lists_them_as_they_were(
    docker_lab: DockerLab, recording: AlertRecording
) -> None:
    bound = docker_lab.run_busy("alert-replayed", 0.1)
    try:
        recording.begun("throttled", "alert-replayed")
        async with replaying(recording.path) as replay:
            await replay.press("end", "B")
            active = replay.text().partition("Over:")[0]
            assert " alert-replayed " in active
            assert "its CPU quota slows it down" in active
    finally:
        docker_lab.remove(bound)


def test_a_stream_has_the_events_of_alerts(docker_lab: DockerLab, recording: AlertRecording) -> None:
    folder = recording.path.parent
    bound = docker_lab.run_busy("alert-streamed", 0.1)
    words = [*VMTOP, "stream", "--docker", docker_lab.url, "--filter", "name=alert-streamed"]
    stream = subprocess.Popen(
        words,
        env={**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "XDG_STATE_HOME": str(folder / "state")},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert stream.stdout is not None
        for _, line in zip(range(120), stream.stdout, strict=False):
            events = [event for event in json.loads(line)["events"] if event["what"] == "alert"]
            if any("throttled: its CPU quota slows it down" in event["detail"] for event in events):
                break
        else:
            raise AssertionError("no event of the alert came")
    finally:
        stream.kill()
        stream.communicate()
        docker_lab.remove(bound)
