"""A real LXD: its rows, stopped instances, projects, actions, logs, shells, details and events."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.actions.log import ActionLog
from collectors.actions.runner import Runner
from collectors.analysis.rates import Moment, Reading
from collectors.engines.connections import EngineConnections
from collectors.engines.lxd.access import LxdAccess
from collectors.engines.lxd.client import LxdClient, instance_path
from collectors.engines.lxd.source import LxdSource
from collectors.inspection.details import DetailsReader
from collectors.inspection.logs import open_log
from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.actions import AfterTimeout, Outcome, Request, Result, Verb
from collectors.model.details import Page
from collectors.model.errors import AccessDenied, SourceError
from collectors.model.workloads import Sample, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.container_root import GREETING
from tests.helpers.lab.docker_engine import MIB
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.lxd import IMAGE, LxdLab, lxd_daemon
from tests.helpers.lab.process import wait_until
from tui.cli.sampling import gather

pytestmark = pytest.mark.lab

SPECS = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("lxd"), SourceSpec("lxc")]
OWN = f"vmtop-{os.getpid()}"


@pytest.fixture(scope="module")
def daemon(lab_root: Path) -> Iterator[LxdLab]:
    with skip_or_fail(), lxd_daemon(lab_root / "lxd") as lab:
        yield lab


@pytest.fixture
def lab(daemon: LxdLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[LxdLab]:
    monkeypatch.setenv("LXD_DIR", str(daemon.home))
    yield daemon
    daemon.remove()


def ours(moment: Moment) -> dict[str, Reading]:
    """Return the rows of this run's instances, by id."""
    return {identity.id: row for identity, row in moment.readings.items() if OWN in row.workload.name}


def state(lab: LxdLab, workload: Workload) -> dict[str, int]:
    path, project = instance_path(workload.id.id, "state")
    answer = lab.ask(path, project=project)
    return {"cpu": answer["cpu"]["usage"], "memory": answer["memory"]["usage"], "pid": answer["pid"]}


def act(workload: Workload, verb: Verb, folder: Path, **options: object) -> Outcome:
    runner = Runner(EngineConnections(SPECS).actions, ActionLog(folder / "actions.log"), "tester")
    action = runner.submit(Request(verb, workload, **options))  # type: ignore[arg-type]
    wait_until(lambda: action.outcome is not None, 60, f"{verb} of {workload.name}")
    assert action.outcome is not None
    return action.outcome


def test_every_instance_of_every_project_has_one_row_with_its_facts(lab: LxdLab) -> None:
    lab.launch(f"{OWN}-web", "-c", f"limits.memory={64}MiB", "-c", "user.role=tester", "-c", "user.user-data=secret")
    lab.launch(f"{OWN}-web", project="shop")
    lab.launch(f"{OWN}-idle", starts=False)
    moment = gather(SPECS)
    rows = ours(moment)
    assert set(rows) == {f"default/{OWN}-web", f"shop/{OWN}-web", f"default/{OWN}-idle"}
    web, other, idle = rows[f"default/{OWN}-web"], rows[f"shop/{OWN}-web"], rows[f"default/{OWN}-idle"]
    assert {row.workload.id.engine for row in rows.values()} == {"lxd"}
    assert (web.workload.name, web.workload.state, web.workload.image) == (f"{OWN}-web", State.RUNNING, IMAGE)
    assert (web.workload.project, other.workload.project) == (None, "shop")
    assert web.workload.labels == (("role", "tester"),)
    assert (web.workload.is_listed, idle.workload.state) == (True, State.STOPPED)
    assert web.workload.cgroup == f"/lxc.payload.{OWN}-web"
    assert other.workload.cgroup == f"/lxc.payload.shop_{OWN}-web"
    assert web.value("memory_limit_bytes") == 64 * MIB


def test_cpu_and_memory_are_what_lxd_says_and_the_ledger_has_them(lab: LxdLab) -> None:
    busy = lab.launch(f"{OWN}-busy")
    lab.run("lxc", "exec", busy.name, "--", "touch", "/busy")
    source = CgroupSource()
    source.open(lambda: None)

    def sample() -> Sample:
        source.read_all_next()
        return source.read().samples[busy.id][0]

    sample()
    before, told, after = sample(), state(lab, busy), sample()
    source.close()
    assert before.cpu_total_ns is not None
    assert after.cpu_total_ns is not None
    slack = 20_000_000  # two ticks: version 1 counts them per CPU, and version 2 elsewhere
    assert before.cpu_total_ns - slack <= told["cpu"] <= after.cpu_total_ns + slack
    assert after.memory_charged_bytes == pytest.approx(told["memory"], abs=4 * MIB)
    moment = gather(SPECS, over_s=1.0)
    used = moment.readings[busy.id].value("cpu_percent")
    assert used is not None
    assert used > 5
    assert moment.ledger.cpu_cores is not None
    assert (moment.ledger.cpu_cores.container or 0) * 100 >= used


def test_each_action_does_what_lxd_then_shows(lab: LxdLab, tmp_path: Path) -> None:
    web = lab.launch(f"{OWN}-act", project="shop")
    path, project = instance_path(web.id.id)

    def status() -> str:
        return str(lab.ask(path, project=project)["status"])

    first_pid = state(lab, web)["pid"]
    for verb, expected in (
        (Verb.PAUSE, "Frozen"),
        (Verb.RESUME, "Running"),
        (Verb.RESTART, "Running"),
        (Verb.STOP, "Stopped"),
        (Verb.START, "Running"),
        (Verb.KILL, "Stopped"),
    ):
        outcome = act(web, verb, tmp_path)
        assert (outcome.result, status()) == (Result.DONE, expected), (verb, outcome)
        if verb is Verb.RESTART:
            assert state(lab, web)["pid"] != first_pid
    again = act(web, Verb.STOP, tmp_path)
    assert again.result is Result.ALREADY


def test_one_that_ignores_the_shutdown_is_left_or_ended_by_force(lab: LxdLab, tmp_path: Path) -> None:
    deaf = lab.launch(f"{OWN}-deaf", "-c", "raw.lxc=lxc.signal.halt=SIGWINCH")
    left = act(deaf, Verb.STOP, tmp_path, timeout_s=1.0, after=AfterTimeout.LEAVE)
    assert left.result is Result.TIMED_OUT, left
    forced = act(deaf, Verb.STOP, tmp_path, timeout_s=1.0)
    assert (forced.result, state(lab, deaf)["pid"]) == (Result.DONE, 0), forced


def test_what_it_printed_is_its_log_and_is_followed(lab: LxdLab) -> None:
    web = lab.launch(f"{OWN}-log")
    wait_until(lambda: bool(_texts(web)), 20, "the first line")
    for _ in range(2):  # reading the console's buffer empties it
        assert _texts(web) == [GREETING]
    log = open_log(web, EngineConnections(SPECS))
    lines = log.follow(None)
    lab.run("lxc", "exec", web.name, "--", "sh", "-c", "echo later >/dev/console")
    assert next(lines).text == "later"
    log.close()
    lab.run("lxc", "stop", web.name)
    assert _texts(web) == [GREETING, "later"]


def _texts(workload: Workload) -> list[str]:
    try:
        return [line.text for line in open_log(workload, EngineConnections(SPECS)).last(10)]
    except SourceError:
        return []


def test_a_shell_has_a_terminal_and_a_command_keeps_its_streams_apart(lab: LxdLab) -> None:
    web = lab.launch(f"{OWN}-shell")
    console = LxdAccess().open_console(web)
    console.resize(91, 33)
    time.sleep(0.3)
    console.write(b"stty size; sleep 1; exit 4\r")  # LXD may drop what is printed just before the end
    printed = b""
    while data := console.read():
        printed += data
    assert b"33 91" in printed
    assert (console.ending(), console.exit_code) == ("the shell ended with exit code 4", 4)
    console.close()
    command = LxdAccess().run_command(web, ["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert sorted(command.output()) == [(False, b"out\n"), (True, b"err\n")]
    assert command.exit_code() == 3
    command.close()


def test_the_details_have_its_snapshots_limits_and_devices_without_secrets(lab: LxdLab) -> None:
    web = lab.launch(f"{OWN}-page", "-c", "limits.memory=64MiB", "-c", "environment.API_TOKEN=hidden-value")
    lab.run("lxc", "snapshot", web.name, "first")
    details = DetailsReader(EngineConnections(SPECS)).read(web)
    tables = {table.title: table for table in details.tables}
    facts = {fact.label: fact.value for fact in tables["Instance"].facts}
    assert not details.problems
    assert (facts["type"], facts["project"], facts["image"]) == ("container", "default", IMAGE)
    assert [row[0] for row in tables["Snapshots"].rows] == ["first"]
    assert ("memory", "64MiB") in [fact[:2] for fact in tables["Limits as configured"].facts]
    assert [row[:2] for row in tables["Devices"].rows if tables["Devices"].page is Page.DEVICES] == [("root", "disk")]
    description = EngineConnections(SPECS).of(web).raw_description(web)
    assert description is not None
    assert json.loads(description.text)["name"] == web.name
    assert "hidden-value" not in description.text + str(details)


def test_changes_are_events_that_wake_the_source_at_once(lab: LxdLab) -> None:
    source = LxdSource()
    woken: list[float] = []
    source.open(lambda: woken.append(time.monotonic()))
    source.read()
    time.sleep(0.3)
    web = lab.launch(f"{OWN}-event", project="shop")
    wait_until(lambda: len(woken) > 0, 10, "waking the source")
    seen: list[tuple[WorkloadId, str]] = []

    def has_started() -> bool:
        reading = source.read()
        seen.extend((event.workload, event.what) for event in reading.events)
        return (web.id, "start") in seen and reading.workloads[web.id].state is State.RUNNING

    wait_until(has_started, 10, "the event of the start")
    lab.run("lxc", "stop", web.name, "--project", "shop")
    wait_until(lambda: source.read().workloads[web.id].state is State.STOPPED, 10, "the list after the stop")
    source.close()


def test_a_socket_of_another_user_is_not_used(lab: LxdLab, tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    link = tmp_path / "unix.socket"
    link.symlink_to(lab.socket)
    with pytest.raises(AccessDenied, match="belongs to another user"):
        LxdClient(link).get("/1.0")
