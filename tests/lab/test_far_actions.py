"""What is done with workloads on other hosts: actions, logs, processes, shells, over a real SSH with a real vmtop."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from collectors.actions.log import ActionLog
from collectors.actions.look import Looker
from collectors.actions.protection import Protection
from collectors.actions.runner import Action, Runner
from collectors.engines.connections import EngineConnections
from collectors.fleet.access import accesses
from collectors.fleet.hosts import HostSpec
from collectors.fleet.specs import specs_of
from collectors.inspection.console import open_console, run_command
from collectors.inspection.details import DetailsReader
from collectors.inspection.logs import open_log
from collectors.inspection.raw_description import read_document
from collectors.model.actions import Request, Result, Verb
from collectors.model.details import Page
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.lab.far_hosts import FarHosts
from tests.helpers.lab.process import wait_until

pytestmark = pytest.mark.lab
HOSTS = ("hv01", "hv02", "hv03")


@pytest.fixture
def connections(far_lab: FarHosts, monkeypatch: pytest.MonkeyPatch) -> EngineConnections:
    """Give the way to the lab's hosts."""
    monkeypatch.setenv("PATH", far_lab.path)
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


def test_descriptions_details_and_processes_come_from_there(
    connections: EngineConnections, webs: dict[str, Workload]
) -> None:
    document = read_document(webs["hv03"], connections)
    assert any(webs["hv03"].id.id in line for line in document.lines)
    details = DetailsReader(connections).read(webs["hv03"])
    assert not details.problems
    assert {table.page for table in details.tables} >= {Page.FACTS}


def test_a_shell_and_a_command_run_there(connections: EngineConnections, webs: dict[str, Workload]) -> None:
    run = run_command(webs["hv01"], ["cat", "/proc/1/cmdline"], connections)
    output = b"".join(data for is_error, data in run.output() if not is_error)
    assert run.exit_code() == 0
    assert b"trap" in output
    run.close()
    console = open_console(webs["hv01"], connections)
    try:
        console.resize(100, 30)
        seen = b""
        threading.Timer(20, console.close).start()
        console.write(b"echo in-$((40+2)); exit 3\n")
        while data := console.read():
            seen += data
        assert b"in-42" in seen, seen
        assert b"the shell ended with exit code 3" in seen  # the vmtop there says so
        assert console.ending() == "the shell ended"
    finally:
        console.close()
