"""Each built-in rule about pressure begins where tasks of a container really wait, and ends with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.lab.alert_recording import AlertRecording, alert_recording, shortened
from tests.helpers.lab.docker_engine import MIB, DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.process import LabUnavailable

pytestmark = pytest.mark.lab

RULES = shortened(
    ("CPU pressure", "wait > 50% for 5s", "wait < 30%"),
    ("I/O pressure", "iostall > 15% for 5s", "iostall < 8%"),
    ("memory pressure", "memwait > 10% or memstall > 5% for 5s", "memwait < 5%"),
)
LOOP = "while :; do :; done"
READ = "(dd if=/dev/zero of=/data/{number} bs=1M count=48; while :; do cat /data/{number} >/dev/null; done)"
WRITE = "(while :; do dd if=/dev/zero of=/data/{number} bs=4M count=10 oflag=direct; done)"


@pytest.fixture(scope="module")
def recording(docker_lab: DockerLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertRecording]:
    with skip_or_fail():
        if not Path("/proc/pressure/cpu").exists():
            raise LabUnavailable("this kernel measures no pressure (PSI)")
    folder = tmp_path_factory.mktemp("alerts") / "pressure"
    with alert_recording(folder, ["--docker", docker_lab.url], RULES) as made:
        made.answered("docker")  # what happens before is nobody's alert
        yield made


@pytest.mark.parametrize(
    ("rule", "name", "work"),
    [
        ("CPU pressure", "alert-cpu", f"({LOOP}) & ({LOOP}) & {LOOP}"),
        ("I/O pressure", "alert-io", " & ".join(WRITE.format(number=number) for number in range(4))),
        ("memory pressure", "alert-memory", " & ".join(READ.format(number=number) for number in range(4))),
    ],
)
def test_tasks_that_wait_are_an_alert_until_they_have_ended(
    docker_lab: DockerLab, recording: AlertRecording, rule: str, name: str, work: str
) -> None:
    idle = docker_lab.run(f"{name}-idle", "sleep 100000")
    limit = 32 * MIB if rule == "memory pressure" else None
    cpus = "0" if rule == "CPU pressure" else None
    command = f"({work}) 2>/dev/null & wait; sleep 100000"
    waiting = docker_lab.run(name, command, mem_limit=limit, binds=[f"{name}:/data"], cpuset_cpus=cpus)
    try:
        recording.begun(rule, name)
        docker_lab.client.exec_start(docker_lab.client.exec_create(waiting, ["sh", "-c", _END])["Id"])
        assert recording.ended(rule, name).end == "over"
        assert recording.alerts(f"{name}-idle") == []
    finally:
        docker_lab.remove(waiting)
        docker_lab.remove(idle)


_END = "for pid in $(ls /proc | grep -E '^[0-9]+$'); do [ $pid = 1 ] || [ $pid = $$ ] || kill -9 $pid; done; true"
"""Ends everything in a container but its first process, which goes on at rest."""
