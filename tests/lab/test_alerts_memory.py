"""Memory at its limit is an alert where a container holds it, and none where caches fill the limit.

The same on this machine and in a kernel with pure cgroup v2, each time with a Docker engine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from collectors.alerts.rule import Level
from tests.helpers.lab.alert_recording import AlertRecording, alert_recording, shortened
from tests.helpers.lab.docker_engine import MIB, DockerLab
from tests.helpers.lab.uml import UmlLab

RULE = "memory limit"
RULES = shortened((RULE, "unreclaimable > 85% of limit for 5s", "unreclaimable < 80% of limit"))
LIMIT = 64 * MIB
FRAMES = 12
"""More than the rule has to hold for: what is no alert after them is none."""
_BOTH = [pytest.param(mark.name, marks=mark) for mark in (pytest.mark.lab, pytest.mark.uml)]
READ_AGAIN = (
    "dd if=/dev/zero of=/data/file bs=1M count=57; sync; while :; do cat /data/file >/dev/null; sleep 0.2; done"
)
WRITE = "dd if=/dev/zero of=/data/file bs=1M count=200; sync; sleep 100000"


_END = "for pid in $(ls /proc | grep -E '^[0-9]+$'); do [ $pid = 1 ] || [ $pid = $$ ] || kill -9 $pid; done; true"
"""Ends everything in a container but its first process, which goes on at rest."""


@pytest.fixture(scope="module")
def recording(docker_lab: DockerLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertRecording]:
    with alert_recording(tmp_path_factory.mktemp("alerts") / "memory", ["--docker", docker_lab.url], RULES) as made:
        made.answered("docker")  # what happens before is nobody's alert
        yield made


def newest(recording: AlertRecording, container: str) -> tuple[int, int]:
    """Return what was charged to a container when it was last read, and how much of it was inactive page cache."""
    for workload, samples in recording.frames()[-1].samples.items():
        for sample in samples if workload.id == container else ():
            if sample.source == "cgroup":
                return sample.memory_charged_bytes or 0, sample.memory_inactive_file_bytes or 0
    return 0, 0


@pytest.mark.parametrize("where", _BOTH)
def test_anonymous_memory_at_the_limit_is_an_alert_until_it_is_released(
    docker_lab: DockerLab, recording: AlertRecording, where: str
) -> None:
    command = "dd if=/dev/zero bs=58M 2>/dev/null | sleep 100000; sleep 100000"
    held = docker_lab.run("memory-held", command, mem_limit=LIMIT)
    try:
        alert = recording.begun(RULE, "memory-held")
        assert (alert.level, alert.workload.id) == (Level.WARNING, held)
        assert alert.sentence.startswith("its memory is at its limit (unreclaimable 9")
        docker_lab.client.exec_start(docker_lab.client.exec_create(held, ["sh", "-c", _END])["Id"])
        assert recording.ended(RULE, "memory-held").end == "over"
    finally:
        docker_lab.remove(held)


@pytest.mark.parametrize("where", _BOTH)
@pytest.mark.parametrize(("name", "command"), [("reads", READ_AGAIN), ("writes", WRITE)])
def test_caches_that_fill_the_limit_are_no_alert(
    docker_lab: DockerLab, recording: AlertRecording, name: str, command: str, where: str
) -> None:
    name = f"memory-{name}"
    cached = docker_lab.run(name, f"({command}) 2>/dev/null", mem_limit=LIMIT, binds=[f"{name}:/data"])
    try:
        recording.wait_until(lambda: newest(recording, cached)[0] > 0.85 * LIMIT, name)
        recording.go_on(FRAMES)
        charged, inactive = newest(recording, cached)
        assert charged > 0.85 * LIMIT, "the caches do not fill the limit, so nothing is shown by this"
        if name == "memory-reads":
            assert charged - inactive > 0.85 * LIMIT, "what is read again and again counts as used in MEM"
        assert recording.alerts(name) == []
    finally:
        docker_lab.remove(cached)


@pytest.mark.lab
def test_the_same_in_a_kernel_with_pure_v2(uml_lab: UmlLab) -> None:
    argv = [sys.executable, "-m", "pytest", "-m", "uml", "-q", "-p", "no:cacheprovider", __file__]
    finished = uml_lab.run(argv, timeout_s=400)
    assert finished.returncode == 0, finished.stdout
    assert "3 passed" in finished.stdout, finished.stdout
