"""A real Podman: its rows, pods, actions, logs, details and events, and Docker's beside it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import docker
import msgspec
import pytest

from collectors.analysis.empty_cells import reason
from collectors.analysis.rates import Moment, Reading
from collectors.engines.connections import EngineConnections
from collectors.engines.docker.access import DockerAccess
from collectors.engines.docker.source import DockerSource
from collectors.engines.podman.sockets import peer_of, sockets
from collectors.engines.podman.source import PodmanSource
from collectors.engines.registry import engine_of_source
from collectors.inspection.logs import open_log
from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.actions import AfterTimeout, Verb
from collectors.model.details import Page
from collectors.model.errors import SourceDown, SourceError
from collectors.model.logs import LogLine
from collectors.model.workloads import Event, Sample, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import MIB, DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.podman_engine import USER, PodmanLab, podman_engine, rootless_podman
from tests.helpers.lab.process import wait_until
from tests.helpers.lab.ssh_server import ssh_server
from tests.helpers.patience import EXTERNAL_S
from tui.cli.sampling import Wait, gather
from tui.cli.work.actions import run
from tui.configuration.config import Config
from tui.presenters.table.line import Line
from tui.presenters.table.state import TableState

pytestmark = pytest.mark.lab

PATIENT = "trap exit TERM; while :; do sleep 0.1; done"
"""Runs until it is told to end."""


@pytest.fixture
def lab(podman_lab: PodmanLab) -> Iterator[PodmanLab]:
    yield podman_lab
    podman_lab.remove()


def specs(*engines: tuple[str, str]) -> list[SourceSpec]:
    return [SourceSpec("host"), SourceSpec("cgroup"), *(SourceSpec(name, {"url": url}) for name, url in engines)]


def seen(lab: PodmanLab, source: str = "podman") -> Moment:
    return gather(specs((source, lab.url)))


def reading_of(moment: Moment, identity: str, engine: str = "podman") -> Reading:
    return moment.readings[WorkloadId(engine, identity)]


def workload_of(lab: PodmanLab, identity: str) -> Workload:
    return reading_of(seen(lab), identity).workload


@pytest.mark.parametrize("source", ["podman", "docker"])
def test_a_row_says_what_podman_says_whichever_option_leads_to_it(lab: PodmanLab, source: str) -> None:
    options = ("--network", "none", "--memory", f"{64 * MIB}", "--label", "role=tester")
    web = lab.run("web", "sleep 100000", *options)
    done = lab.run("done", "exit 3", "--network", "none")
    wait_until(lambda: not lab.inspect(done)["State"]["Running"], 20, "its end")
    moment = seen(lab, source)
    row, ended = reading_of(moment, web), reading_of(moment, done).workload
    assert (row.workload.name, row.workload.state, row.workload.image) == (
        "web",
        State.RUNNING,
        "localhost/busybox:lab",
    )
    assert (row.workload.is_listed, dict(row.workload.labels)["role"]) == (True, "tester")
    assert row.workload.cgroup == f"/libpod_parent/libpod-{web}"
    assert row.value("memory_limit_bytes") == 64 * MIB
    assert (ended.state, ended.exit_code, ended.state_reason) == (State.STOPPED, 3, "exit code 3")
    assert {state.name: state.detail for state in moment.sources}[source] == "2 containers"


@pytest.mark.parametrize("source", ["podman", "docker"])
def test_a_shell_completes_the_names_that_the_source_lists(lab: PodmanLab, source: str) -> None:
    lab.make_pod("shop", "--network", "none")
    lab.run("shop-web", "sleep 100000", "--pod", "shop")
    lab.run("done", "exit 3", "--network", "none")
    listing = PodmanSource(lab.url) if source == "podman" else DockerSource(lab.url)
    listing.open(lambda: None)
    listed = {workload.name for workload in listing.read().workloads.values()}
    listing.close()
    names = engine_of_source(source).names(SourceSpec(source, {"url": lab.url}))
    assert set(names or ()) == listed >= {"shop-web", "done"}


def test_cpu_and_memory_are_bracketed_by_podmans_own_statistics_and_the_ledger_has_them(lab: PodmanLab) -> None:
    busy = lab.run("busy", "while :; do :; done", "--network", "none", "--cpus", "0.5")
    api = docker.APIClient(base_url=lab.url, version="1.41", timeout=EXTERNAL_S)
    source = CgroupSource()
    source.open(lambda: None)

    def sample() -> Sample:
        source.read_all_next()
        return source.read().samples[WorkloadId("podman", busy)][0]

    sample()
    before, stats, after = sample(), api.stats(busy, stream=False), sample()
    source.close()
    api.close()
    assert before.cpu_total_ns is not None
    assert after.cpu_total_ns is not None
    slack = 20_000_000  # two ticks
    assert before.cpu_total_ns - slack <= stats["cpu_stats"]["cpu_usage"]["total_usage"] <= after.cpu_total_ns + slack
    assert after.memory_charged_bytes == pytest.approx(stats["memory_stats"]["usage"], abs=MIB)
    moment = gather(specs(("podman", lab.url)), over_s=1.0)
    used = reading_of(moment, busy).value("cpu_percent")
    assert used is not None
    assert moment.ledger.cpu_cores is not None
    assert (moment.ledger.cpu_cores.container or 0) * 100 >= used > 0


def test_a_pod_is_a_group_whose_infra_container_counts_with_it_and_has_no_row(lab: PodmanLab) -> None:
    lab.make_pod("shop", "--network", "none")
    web = lab.run("shop-web", "sleep 100000", "--pod", "shop")
    moment = seen(lab)
    web_row = reading_of(moment, web)
    assert web_row.workload.project == "shop"
    members = [one for one in moment.readings.values() if one.workload.project == "shop"]
    (infra,) = [one for one in members if one.workload.is_sandbox]
    assert web_row.workload.is_sandbox is False
    assert infra.is_folded
    assert infra.value("memory_host_bytes"), "its memory counts"
    assert infra.workload.id.id in str(web_row.workload.unmeasured), "whose network it is"
    alone = gather(specs())
    folded = [one.workload.name for one in alone.readings.values() if one.is_folded]
    assert infra.workload.name in folded, "as without the socket"
    assert reading_of(alone, web).workload.name == "shop-web"
    assert str(reading_of(alone, web).workload.project).startswith("pod ")


def test_the_traffic_of_a_pod_is_on_the_pods_line_and_on_no_members(lab: PodmanLab) -> None:
    lab.make_pod("traffic", "--network", "none")
    web = lab.run("traffic-web", "sleep 100000", "--pod", "traffic")
    pid = lab.inspect(web)["State"]["Pid"]
    own, link = f"vmtopp{os.getpid()}", ["ip", "link"]
    subprocess.run([*link, "add", own, "type", "veth", "peer", "name", "eth0", "netns", str(pid)], check=True)
    subprocess.run([*link, "set", own, "up"], check=True)
    subprocess.run(["nsenter", "-t", str(pid), "-n", *link, "set", "eth0", "up"], check=True)
    view = TableState(is_tree=True)

    def pod() -> Line:
        lines = view.arrange(gather(specs(("podman", lab.url)), over_s=0.5))
        return next(line for line in lines if line.label == "traffic")

    def has_sent() -> bool:  # what a link says of itself once it is up
        return any((one.gauge("net_tx_total_bytes") or 0) > 0 for one in pod().sandboxes)

    wait_until(has_sent, 30, "the first packets")
    line = pod()
    (member,) = line.members
    assert (member.workload.name, member.value("net_tx_bytes_per_second")) == ("traffic-web", None)
    assert line.value("net_tx_bytes_per_second") is not None
    moment = gather(specs(("podman", lab.url)), over_s=0.5)
    why = reason("net_tx_bytes_per_second", reading_of(moment, web), moment, "podman")
    assert why == "it shares the network of the pod traffic, whose row shows the traffic"


def test_every_action_is_done_whichever_option_leads_to_podman(lab: PodmanLab) -> None:
    web = lab.run("acted", PATIENT, "--network", "none")
    for verb, status, option in (
        (Verb.PAUSE, "paused", "podman"),
        (Verb.RESUME, "running", "docker"),
        (Verb.RESTART, "running", "podman"),
        (Verb.STOP, "exited", "docker"),
        (Verb.START, "running", "podman"),
        (Verb.KILL, "exited", "docker"),
    ):
        assert act(verb, web, (option, lab.url)) == 0, verb
        assert lab.inspect(web)["State"]["Status"] == status
    assert act(Verb.REMOVE, web, ("podman", lab.url)) == 0
    assert web not in lab.podman("ps", "-a", "--no-trunc")


def act(verb: Verb, name: str, *engines: tuple[str, str]) -> int:
    return run(verb, [name], specs(*engines), Config(), True, 5.0, AfterTimeout.LEAVE, Wait())


def test_of_two_containers_of_one_name_an_action_reaches_the_one_of_its_engine(
    lab: PodmanLab, docker_lab: DockerLab
) -> None:
    """Both engines are sampled, and neither is asked about the other's."""
    theirs = docker_lab.run("twin", "sleep 100000")
    ours = lab.run("twin", "sleep 100000", "--network", "none")
    both = ("docker", docker_lab.url), ("podman", lab.url)
    moment = gather(specs(*both))
    assert reading_of(moment, theirs, "docker").workload.name == reading_of(moment, ours).workload.name == "twin"
    assert act(Verb.KILL, ours, *both) == 0
    assert docker_lab.client.inspect_container(theirs)["State"]["Running"] is True
    assert lab.inspect(ours)["State"]["Running"] is False
    lab.podman("start", ours)
    assert act(Verb.KILL, theirs, *both) == 0
    assert docker_lab.client.inspect_container(theirs)["State"]["Running"] is False
    assert lab.inspect(ours)["State"]["Running"] is True
    wrong = DockerAccess([SourceSpec("docker", {"url": lab.url})])
    with pytest.raises(SourceError, match="podman answers"):
        wrong.actions(reading_of(moment, theirs, "docker").workload).observe(
            reading_of(moment, theirs, "docker").workload
        )
    docker_lab.remove(theirs)


def test_a_fast_log_is_paged_through_without_a_line_lost_or_doubled(lab: PodmanLab) -> None:
    """Podman stamps whole seconds, and twenty lines have the same one."""
    script = "i=0; while :; do i=$((i+1)); echo same; echo line $i >&2; sleep 0.1; done"
    talker = lab.run("talker", script, "--network", "none")
    wait_until(lambda: lab.podman("logs", talker).count("same") > 45, 30, "its lines")
    lab.podman("pause", talker)
    log = open_log(workload_of(lab, talker), EngineConnections(specs(("podman", lab.url))))
    everything = texts(log.written())
    back = log.last(15)
    while older := log.before(back[0], 15):
        back = older + back
    assert texts(back) == everything
    forth = log.first(7)
    while newer := log.after(forth[-1], 7):
        forth += newer
    assert texts(forth) == everything
    middle = back[len(back) // 2]
    assert middle.at is not None
    assert texts(log.until(middle.at + 0.999, 3))[-1] == texts([one for one in back if one.at == middle.at])[-1]
    assert [one.is_error for one in back[:2]] == [False, True]
    followed = log.follow(back[-1])
    lab.podman("unpause", talker)
    assert next(followed).text == ("same" if everything[-1] != "same" else f"line {everything.count('same')}")
    log.close()


def texts(lines: Sequence[LogLine] | Iterator[LogLine]) -> list[str]:
    return [line.text for line in lines]


def test_a_closer_look_tells_podmans_truth(lab: PodmanLab) -> None:
    web = lab.run("looked-at", "sleep 100000", "--network", "none", "--health-cmd", "true")
    workload = workload_of(lab, web)
    access = EngineConnections(specs(("podman", lab.url))).of(workload)
    facts = {fact.label: fact.value for table in access.details()(workload) for fact in table.facts}
    assert (facts["runtime"], facts["log driver"], facts["state"]) == ("runc", "k8s-file", "running")
    with access.facts(False) as read:
        assert read(workload)["runtime"].value == "runc"
    description = access.raw_description(workload)
    assert description is not None
    assert json.loads(description.text)["OCIRuntime"] == "runc"
    command = access.run_command(workload, ["sh", "-c", "echo out; exit 4"])
    assert b"".join(text for _, text in command.output()) == b"out\n"
    assert command.exit_code() == 4
    command.close()
    console = access.open_console(workload)
    console.write(b"echo $((6*7)); exit\n")
    shown = b""
    while chunk := console.read():
        shown += chunk
    console.close()
    assert b"42" in shown
    remote = msgspec.structs.replace(workload, endpoint="far")
    processes = [table for table in access.details()(remote) if table.page is Page.PROCESSES]
    assert [cell for row in processes[0].rows for cell in row][-1] == "sleep 100000"
    assert len(processes[0].columns) == len(processes[0].rows[0]) > 1


def test_events_tell_a_new_name_and_a_change_of_health_once(lab: PodmanLab) -> None:
    source = PodmanSource(lab.url)
    source.open(lambda: None)
    told: list[Event] = []

    def has(what: str, count: int = 1) -> bool:
        told.extend(source.read().events)
        return sum(event.what == what for event in told) >= count

    has("start")
    one = lab.run(
        "before", "sleep 100000", "--network", "none", "--health-cmd", "test ! -e /ill", "--health-retries", "1"
    )
    wait_until(lambda: has("start"), 20, "its start")
    lab.podman("rename", one, "after")
    for _ in range(3):
        lab.podman("healthcheck", "run", one)
    lab.podman("pause", one)
    wait_until(lambda: has("pause"), 20, "the pause")
    source.close()
    assert [(event.what, event.name, event.detail) for event in told if event.what == "rename"] == [
        ("rename", "after", "from before")
    ]
    health = [event.detail for event in told if event.what == "health"]
    assert health[-1:] == ["healthy"]
    assert len(health) == len(set(health))


def test_a_users_own_podman_is_found_by_root_and_acted_on(lab_root: Path) -> None:
    with skip_or_fail(), rootless_podman(lab_root / "rootless") as users:
        web = users.run("own-web", f"echo hello; {PATIENT}", "--network", "none")
        assert sockets({}, 0, f"{lab_root}/rootless/") == [str(users.socket)]
        assert peer_of(str(users.socket)).uid == USER
        row = reading_of(seen(users), web)
        assert (row.workload.name, row.workload.state) == ("own-web", State.RUNNING)
        log = open_log(row.workload, EngineConnections(specs(("podman", users.url))))
        assert texts(log.last(5)) == ["hello"]
        log.close()
        assert act(Verb.STOP, web, ("podman", users.url)) == 0
        assert users.inspect(web)["State"]["Running"] is False
        assert act(Verb.START, "own-web", ("podman", users.url)) == 0
        assert users.inspect(web)["State"]["Running"] is True


def test_a_service_on_demand_ends_although_it_is_sampled_and_is_asked_when_something_changes(lab_root: Path) -> None:
    with skip_or_fail(), podman_engine(lab_root / "on-demand", is_on_demand=True) as lab:
        one = lab.run("first", "sleep 100000", "--network", "none")
        source = PodmanSource(lab.url)
        source.open(lambda: None)

        def names() -> set[str]:
            return {workload.name for workload in source.read().workloads.values()}

        def has_ended() -> bool:
            names()
            return lab.calls() == lab.ended_calls()

        wait_until(lambda: names() == {"first"}, 20, "the list")
        wait_until(has_ended, 20, "the end of the service")
        calls = lab.calls()
        for _ in range(20):
            assert names() == {"first"}
        assert lab.calls() == calls, "nothing has changed, so nothing is asked"
        lab.run("second", "sleep 100000", "--network", "none")
        lab.podman("rename", one, "renamed")
        told: list[Event] = []

        def is_told() -> bool:
            reading = source.read()
            told.extend(reading.events)
            return {workload.name for workload in reading.workloads.values()} == {"renamed", "second"}

        wait_until(is_told, 20, "the new list")
        assert ("rename", "renamed", "from first") in [(event.what, event.name, event.detail) for event in told]
        assert [event.what for event in told].count("start") == 1
        wait_until(has_ended, 20, "its end again")
        source.close()


def test_a_podman_of_another_host_is_reached_by_ssh_and_measures_its_containers(
    lab: PodmanLab, lab_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = lab.run("far-busy", "while :; do :; done", "--network", "none", "--cpus", "0.2")
    folder = lab_root / "ssh-podman"
    with skip_or_fail(), ssh_server(folder) as words:
        program = folder / "bin" / "ssh"
        program.parent.mkdir()
        options = shlex.join([*words[1:-1], "-T"])
        program.write_text(f'#!/bin/sh\nexec {words[0]} {options} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        source = PodmanSource(f"ssh://root@127.0.0.1{lab.socket}")
        source.open(lambda: None)
        identity = WorkloadId("podman", busy)
        samples: list[Sample] = []

        def is_measured() -> bool:
            samples.extend(source.read().samples.get(identity, ()))
            return any(sample.cpu_total_ns for sample in samples)

        wait_until(is_measured, 30, "a measurement")
        workload = source.read().workloads[identity]
        source.close()
        assert (workload.name, workload.endpoint) == ("far-busy", "127.0.0.1")
        assert samples[-1].memory_charged_bytes
        with pytest.raises(SourceDown, match="does not answer at that socket"):
            PodmanSource("ssh://root@127.0.0.1/nowhere.sock").open(lambda: None)
