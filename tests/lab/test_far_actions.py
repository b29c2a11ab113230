"""What is done with workloads on other hosts: actions, logs, processes, shells, over a real SSH with a real vmtop."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from collectors.actions.log import ActionLog
from collectors.actions.look import Looker
from collectors.actions.protection import Protection
from collectors.actions.runner import Action, Runner
from collectors.engines.connections import EngineConnections
from collectors.fleet.access import accesses
from collectors.fleet.hosts import HostSpec
from collectors.fleet.specs import specs_of
from collectors.fleet.ssh import client_words
from collectors.inspection.console import open_console, run_command
from collectors.inspection.details import DetailsReader
from collectors.inspection.logs import open_log
from collectors.inspection.processes import process_reader
from collectors.inspection.raw_description import read_document
from collectors.model.actions import Request, Result, Verb
from collectors.model.details import Page
from collectors.model.errors import SourceError
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.lab.far_hosts import FarHosts
from tests.helpers.lab.process import wait_until

pytestmark = pytest.mark.lab
HOSTS = ("hv01", "hv02", "hv03")


@pytest.fixture(scope="module")
def shared(far_lab: FarHosts) -> Iterator[Path]:
    """Give the folder of the sockets of shared connections, and end these."""
    folder = far_lab.folder / "run"
    folder.mkdir(mode=0o700, exist_ok=True)
    yield folder
    for name in HOSTS:
        words = [
            *client_words(HostSpec(name, name), environ={"XDG_RUNTIME_DIR": str(folder)})[1:-2],
            "-O",
            "exit",
            name,
        ]
        subprocess.run([f"{far_lab.folder}/bin/ssh", *words], capture_output=True, timeout=20, check=False)


@pytest.fixture
def connections(far_lab: FarHosts, shared: Path, monkeypatch: pytest.MonkeyPatch) -> EngineConnections:
    """Give the way to the lab's hosts."""
    monkeypatch.setenv("PATH", far_lab.path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(shared))
    specs = specs_of([HostSpec(name, name) for name in HOSTS])
    return EngineConnections(specs, hosts=accesses(specs))


@pytest.fixture
def webs(far_lab: FarHosts) -> Iterator[dict[str, Workload]]:
    """Give a container of the same name on each host."""
    command = "trap 'exit 0' TERM; for i in 1 2 3; do echo line $i; done; sleep 100000 & wait"
    ids = {name: far_lab.hosts[name].run("web", command) for name in HOSTS}
    yield {name: web(name, ids[name]) for name in HOSTS}
    for host in far_lab.hosts.values():
        if host.container_names("--all") & {"web"}:
            host.inside("docker", "rm", "-f", "web")


def web(host: str, full_id: str) -> Workload:
    return Workload(WorkloadId("docker", full_id, host), Kind.CONTAINER, "web", State.RUNNING)


def act(connections: EngineConnections, request: Request, log: ActionLog | None = None) -> Action:
    runner = Runner(connections.actions, log or ActionLog(), "tester")
    action = runner.submit(request)
    wait_until(lambda: action.outcome is not None, 60, "the outcome")
    return action


def test_an_action_is_done_on_the_host_that_owns_the_workload_and_nowhere_else(
    far_lab: FarHosts, connections: EngineConnections, webs: dict[str, Workload]
) -> None:
    log = ActionLog()
    action = act(connections, Request(Verb.STOP, webs["hv03"], 10), log)
    assert action.outcome is not None
    assert (action.outcome.result, action.outcome.sentence) == (Result.DONE, "hv03: web was stopped")
    running = {name: "web" in far_lab.hosts[name].container_names() for name in HOSTS}
    assert running == {"hv01": True, "hv02": True, "hv03": False}
    (entry,) = log.recent(5)
    assert (entry.host, entry.verb, entry.result) == ("hv03", "stop", "done")
    there = far_lab.ssh("hv03", "cat", ".local/state/vmtop/actions.log").stdout
    assert webs["hv03"].id.id in there


def test_another_run_than_the_one_that_was_confirmed_is_left_alone(
    far_lab: FarHosts, connections: EngineConnections, webs: dict[str, Workload]
) -> None:
    runner = Runner(connections.actions, ActionLog(), "tester")
    look = Looker(runner, Protection(())).look(webs["hv01"], webs.values())
    assert look.seen is not None
    assert look.seen.name == "web"
    far_lab.hosts["hv01"].inside("docker", "restart", "-t", "0", "web")
    action = act(connections, Request(Verb.KILL, webs["hv01"], seen=look.seen))
    assert action.outcome is not None
    assert action.outcome.result is Result.CHANGED
    assert "web" in far_lab.hosts["hv01"].container_names()


def test_a_workload_that_is_gone_over_there_is_gone(connections: EngineConnections, webs: dict[str, Workload]) -> None:
    stranger = web("hv01", webs["hv02"].id.id)
    action = act(connections, Request(Verb.STOP, stranger, 5))
    assert action.outcome is not None
    assert action.outcome.result is Result.GONE, action.outcome


def test_logs_are_read_and_followed_there(
    far_lab: FarHosts, connections: EngineConnections, webs: dict[str, Workload]
) -> None:
    log = open_log(webs["hv02"], connections)
    try:
        last = log.last(2)
        assert [line.text for line in last] == ["line 2", "line 3"]
        assert [line.text for line in log.before(last[0], 5)] == ["line 1"]
        assert [line.text for line in log.written()] == ["line 1", "line 2", "line 3"]
        heard: list[str] = []
        follower = threading.Thread(target=lambda: heard.extend(line.text for line in log.follow(last[-1])))
        follower.start()
        time.sleep(1)
        far_lab.hosts["hv02"].inside("docker", "exec", "web", "sh", "-c", "echo fresh >/proc/1/fd/1")
        wait_until(lambda: "fresh" in heard, 20, "the new line")
    finally:
        log.close()
    follower.join(10)
    assert not follower.is_alive()


def test_descriptions_details_and_processes_come_from_there_and_signals_go_there(
    connections: EngineConnections, webs: dict[str, Workload]
) -> None:
    document = read_document(webs["hv03"], connections)
    assert any(webs["hv03"].id.id in line for line in document.lines)
    details = DetailsReader(connections).read(webs["hv03"])
    assert not details.problems
    assert {table.page for table in details.tables} >= {Page.FACTS}
    described = replace(webs["hv03"], cgroup=f"/docker/{webs['hv03'].id.id}")
    reader = process_reader(connections, lambda: None, lambda: described)
    try:
        view = reader.read(True, lambda newest: newest.processes, lambda newest: (None, False))
    except SourceError as error:
        pytest.skip(f"its control group is elsewhere: {error.reason}")
    sleeper = next(one for one in view.newest.processes if one.name == "sleep")
    assert "sleep 100000" in view.texts[sleeper.id].command
    signals = connections.of_host("hv03").signals()
    assert signals is not None
    assert signals.look(sleeper, "TERM", described).protected == ""
    outcome = signals.send(sleeper, "TERM", "sleep 100000", described)
    assert (outcome.result, outcome.sentence.partition(":")[0]) == (Result.DONE, "hv03"), outcome


def test_a_shell_and_a_command_run_there(connections: EngineConnections, webs: dict[str, Workload]) -> None:
    run = run_command(webs["hv01"], ["cat", "/proc/1/cmdline"], connections)
    output = b"".join(data for is_error, data in run.output() if not is_error)
    assert run.exit_code() == 0
    assert b"trap" in output
    run.close()
    console = open_console(webs["hv01"], connections)
    try:
        console.resize(100, 30)
        console.write(b"echo in-$((40+2)); stty size\n")
        limit = threading.Timer(30, console.close)
        limit.start()
        seen = b""
        while b"30 100" not in seen and (data := console.read()):
            seen += data
        limit.cancel()
        assert b"in-42" in seen, seen
        assert console.title == "shell of web on hv01"
    finally:
        console.close()


def test_a_connection_that_breaks_in_between_is_unknown_until_the_host_says_what_became_of_it(
    far_lab: FarHosts, connections: EngineConnections
) -> None:
    identity = WorkloadId(
        "docker", far_lab.hosts["hv01"].run("deaf", "trap '' TERM; while :; do sleep 1; done"), "hv01"
    )
    deaf = Workload(identity, Kind.CONTAINER, "deaf", State.RUNNING)
    runner = Runner(connections.actions, ActionLog(), "tester")
    seen = runner.look(deaf, 60)
    phases: list[str] = []
    runner.on_change(lambda action: phases.append(action.phase))
    stop = runner.submit(Request(Verb.STOP, deaf, 6, seen=seen))
    wait_until(lambda: "asked" in phases or stop.outcome is not None, 60, "the engine over there to be asked")
    for child in psutil.Process().children(recursive=True):
        if " stop --host" in " ".join(child.cmdline()):
            child.kill()
    wait_until(lambda: stop.outcome is not None, 90, "the outcome")
    assert "outcome unknown" in phases
    assert stop.outcome is not None
    assert stop.outcome.result is Result.DONE, stop.outcome
    assert "confirmed after" in stop.outcome.sentence
    assert "deaf" not in far_lab.hosts["hv01"].container_names()
    far_lab.hosts["hv01"].inside("docker", "rm", "-f", "deaf")


def vmtop(far_lab: FarHosts, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PATH": far_lab.path, "HOME": str(home)}
    program = str(Path(sys.executable).with_name("vmtop"))
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=120, env=environ)


def test_a_name_on_two_hosts_means_neither_and_one_host_can_be_named(
    far_lab: FarHosts, webs: dict[str, Workload], tmp_path: Path
) -> None:
    both = vmtop(far_lab, tmp_path, "stop", "web", "--yes", "--host", "hv01", "--host", "hv02")
    assert both.returncode == 3
    assert "hv01/container:web" in both.stderr
    assert "hv02/container:web" in both.stderr
    one = vmtop(far_lab, tmp_path, "pause", "hv02/web", "--yes", "--json", "--host", "hv01", "--host", "hv02")
    assert one.returncode == 0, one.stderr
    last = json.loads(one.stdout.splitlines()[-1])
    assert (last["host"], last["result"], last["sentence"]) == ("hv02", "done", "hv02: web was paused")
    assert far_lab.hosts["hv01"].container_names("--filter", "status=paused") == set()


def test_vmtop_copies_itself_to_a_host_that_has_none(far_lab: FarHosts, tmp_path: Path) -> None:
    host = far_lab.add("hv06", has_docker=False, has_vmtop=False)
    host.wait_ready()
    try:
        added = vmtop(far_lab, tmp_path, "host", "add", "hv06", "--tag", "lab", "--yes")
        assert added.returncode == 0, added.stderr
        assert "nothing is done as root" in added.stderr
        (copy,) = (host.home / ".local/share/vmtop").glob("*.pyz")
        assert hashlib.sha256(copy.read_bytes()).hexdigest() in added.stderr
        assert "lab" in vmtop(far_lab, tmp_path, "host", "list").stdout
        assert vmtop(far_lab, tmp_path, "host", "remove", "hv06", "--yes").returncode == 0
        assert not list((host.home / ".local/share/vmtop").iterdir())
    finally:
        far_lab.remove("hv06")
