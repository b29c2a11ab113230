"""Services through a real systemd, which runs in a user-mode kernel."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from collectors.actions.log import ActionLog
from collectors.actions.runner import Runner
from collectors.comparison.facts import FactsReader
from collectors.engines.connections import EngineConnections
from collectors.engines.systemd import bus, unit
from collectors.engines.systemd.actions import SystemdActions, unit_of
from collectors.engines.systemd.journal import JournalLog
from collectors.engines.systemd.source import SystemdSource, slice_of
from collectors.model.actions import AfterTimeout, Outcome, Request, Result, Verb
from collectors.model.errors import NotInTime, SourceAbsent, SourceError, WorkloadGone
from collectors.model.logs import LogLine
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.process import wait_until
from tests.helpers.lab.systemd_units import units
from tests.helpers.lab.uml import UmlLab
from tests.helpers.lab.uml_systemd import run_under_systemd
from tui.cli.sampling import Wait
from tui.cli.work.actions import run
from tui.configuration.config import Config


def service(name: str, state: State = State.RUNNING) -> Workload:
    return Workload(WorkloadId("systemd", f"/system.slice/{name}"), Kind.SERVICE, name, state)


@pytest.mark.parametrize("name", ["a b.service", "x.scope", ".service", "x.service\n"])
def test_what_is_no_name_of_a_service_never_reaches_the_bus(name: str) -> None:
    with pytest.raises(SourceError):
        unit_of(service(name))


def test_a_template_has_a_slice_of_its_own() -> None:
    assert slice_of("ssh.service") == "/system.slice"
    assert slice_of("getty@tty1.service") == "/system.slice/system-getty.slice"
    assert slice_of("foo\\x2dbar@1.service") == "/system.slice/system-foo\\x5cx2dbar.slice"
    assert slice_of("serial-getty@x.service") == "/system.slice/system-serial\\x2dgetty.slice"


def test_a_bus_that_falls_silent_holds_no_one_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lets in, and then never answers."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "bus"))
    listener.listen(1)

    def play() -> None:
        client, _ = listener.accept()
        client.recv(1)
        client.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
        while client.recv(4096):
            continue

    threading.Thread(target=play, daemon=True).start()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    monkeypatch.setattr(bus, "ANSWER_S", 0.3)
    with pytest.raises(NotInTime, match="system bus has not answered"), bus.system_bus():
        pass


@pytest.mark.parametrize("address", ["tcp:host=x,port=1", "nonsense", "unix:path=/nowhere"])
def test_an_address_that_leads_nowhere_means_that_there_is_no_systemd(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    with pytest.raises(SourceAbsent), bus.system_bus():
        pass


@pytest.mark.lab
def test_services_are_acted_on_through_a_real_systemd(uml_lab: UmlLab) -> None:
    argv = [sys.executable, "-m", "pytest", "-m", "uml", "-q", "-p", "no:cacheprovider", __file__]
    environment = {"TMPDIR": "/run/lab/tmp", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", "VMTOP_INSIDE_UML": "1"}
    finished = run_under_systemd(uml_lab.folder / "systemd", argv, units(), environment, 300)
    assert finished.returncode == 0, finished.stdout
    assert "skipped" not in finished.stdout, finished.stdout


def finish(folder: Path, request: Request) -> Outcome:
    runner = Runner(EngineConnections([]).actions, ActionLog(folder / "actions.log"), "tester")
    action = runner.submit(request)
    wait_until(lambda: action.outcome is not None, 40, f"{request.verb} of {action.name}")
    assert action.outcome is not None
    return action.outcome


def active_state(unit: str) -> str:
    return subprocess.run(["systemctl", "is-active", unit], capture_output=True, text=True, check=False).stdout.strip()


def shown(unit: str, properties: str) -> list[str]:
    """Return properties of a unit, in an order of systemctl's own."""
    words = ["systemctl", "show", f"--property={properties}", "--value", unit]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


def invocation(unit: str) -> str:
    words = ["systemctl", "show", "--property=InvocationID", "--value", unit]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.uml
def test_a_service_is_started_restarted_and_stopped(tmp_path: Path) -> None:
    assert finish(tmp_path, Request(Verb.START, service("calm.service", State.STOPPED))).result is Result.DONE
    assert active_state("calm.service") == "active"
    first = invocation("calm.service")
    assert finish(tmp_path, Request(Verb.RESTART, service("calm.service"))).result is Result.DONE
    assert invocation("calm.service") != first
    assert finish(tmp_path, Request(Verb.STOP, service("calm.service"))).result is Result.DONE
    assert active_state("calm.service") == "inactive"


@pytest.mark.uml
def test_a_unit_that_fails_is_told(tmp_path: Path) -> None:
    outcome = finish(tmp_path, Request(Verb.START, service("broken.service", State.STOPPED)))
    assert outcome.result is Result.FAILED
    assert "the unit failed" in outcome.sentence


@pytest.mark.uml
@pytest.mark.parametrize("verb", [Verb.START, Verb.RESTART])
@pytest.mark.parametrize(("unit", "code"), [("failing.service", 3), ("restless.service", 4)])
def test_a_unit_that_fails_right_after_its_start_was_not_started(
    verb: Verb, unit: str, code: int, tmp_path: Path
) -> None:
    state = State.STOPPED if verb is Verb.START else State.RESTARTING
    if verb is Verb.RESTART and active_state(unit) == "failed":
        return  # `restart` of a unit that has ended is refused
    outcome = finish(tmp_path, Request(verb, service(unit, state)))
    assert (outcome.result, outcome.sentence) == (
        Result.FAILED,
        f"{unit} was started but ended again: exit code {code}",
    )


@pytest.mark.uml
def test_a_unit_that_runs_once_and_succeeds_was_started(tmp_path: Path) -> None:
    outcome = finish(tmp_path, Request(Verb.START, service("once.service", State.STOPPED)))
    assert (outcome.result, outcome.sentence) == (Result.DONE, "once.service was started and has finished")


@pytest.mark.uml
def test_a_failed_unit_is_listed_with_how_it_ended() -> None:
    subprocess.run(["systemctl", "start", "broken.service"], check=False)
    source = SystemdSource()
    source.open(lambda: None)
    broken = source.read().workloads[WorkloadId("systemd", "/system.slice/broken.service")]
    source.close()
    assert (broken.state, broken.state_reason, broken.exit_code) == (State.CRASHED, "exit code 1", 1)


@pytest.mark.uml
def test_restarts_of_a_running_service_are_what_systemctl_says() -> None:
    subprocess.run(["systemctl", "start", "phoenix.service"], check=False)
    wait_until(lambda: sorted(shown("phoenix.service", "NRestarts,SubState")) == ["1", "running"], 20, "another start")
    source = SystemdSource()
    source.open(lambda: None)
    reading = source.read()
    source.close()
    (group,) = shown("phoenix.service", "ControlGroup")
    assert reading.restarts[WorkloadId("systemd", group)] == 1


@pytest.mark.uml
def test_a_deaf_service_is_left_or_killed(tmp_path: Path) -> None:
    assert finish(tmp_path, Request(Verb.START, service("deaf.service", State.STOPPED))).result is Result.DONE
    wait_until(Path("/run/deaf").exists, 10, "its trap")
    outcome = finish(tmp_path, Request(Verb.STOP, service("deaf.service"), 1.0, AfterTimeout.FORCE))
    assert outcome.result is Result.DONE, outcome
    assert "was killed" in outcome.sentence
    assert active_state("deaf.service") in ("failed", "inactive")


@pytest.mark.uml
def test_an_unknown_unit_is_gone(tmp_path: Path) -> None:
    assert finish(tmp_path, Request(Verb.STOP, service("nosuch.service"))).result is Result.GONE


@pytest.mark.uml
def test_stopped_services_that_are_enabled_are_listed() -> None:
    assert active_state("enabled.service") == "active"  # by its link in lab.target.wants
    subprocess.run(["systemctl", "stop", "enabled.service"], check=True)
    subprocess.run(["systemctl", "start", "broken.service"], check=False)
    source = SystemdSource()
    source.open(lambda: None)
    found = source.read().workloads
    source.close()
    states = {identity.id: workload.state for identity, workload in found.items()}
    assert states["/system.slice/enabled.service"] is State.STOPPED
    assert found[WorkloadId("systemd", "/system.slice/enabled.service")].description == "Stopped, though enabled"
    assert states["/system.slice/broken.service"] is State.CRASHED
    assert "/system.slice/dbus.service" not in states
    assert "/system.slice/calm.service" not in states  # stopped, and no one enabled it


@pytest.mark.uml
def test_a_service_in_a_slice_of_its_own_is_the_same_workload_when_it_stops_and_one_shot_units_are_none() -> None:
    subprocess.run(["systemctl", "start", "resliced.service"], check=True)
    words = ["systemctl", "show", "--property=ControlGroup", "--value", "resliced.service"]
    running = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["systemctl", "stop", "resliced.service"], check=True)
    for name in ("errand.service", "elsewhere.service"):
        subprocess.run(["systemctl", "enable", name], check=False)
        subprocess.run(["systemctl", "start", name], check=True)
        assert active_state(name) == "inactive"
    source = SystemdSource()
    source.open(lambda: None)
    found = source.read().workloads
    source.close()
    resliced = found[WorkloadId("systemd", running)]
    assert running == "/a.slice/a-b.slice/resliced.service"
    assert (resliced.state, resliced.project) == (State.STOPPED, "a-b.slice")
    assert not {workload.name for workload in found.values()} & {"errand.service", "elsewhere.service"}


@pytest.mark.uml
def test_unit_files_are_listed_once_and_again_after_each_change(monkeypatch: pytest.MonkeyPatch) -> None:
    listings: list[str] = []
    call = bus.SystemBus.call

    def counting(connection: bus.SystemBus, method: str, *arguments: object, **options: object) -> object:
        listings.extend([method] * (method == "ListUnitFilesByPatterns"))
        return call(connection, method, *arguments, **options)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(bus.SystemBus, "call", counting)
    subprocess.run(["systemctl", "start", "calm.service"], check=True)
    subprocess.run(["systemctl", "stop", "calm.service"], check=True)
    late = Path("/run/systemd/system/late.service")
    late.write_text("[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=lab.target\n")
    source = SystemdSource()
    source.open(lambda: None)

    def names() -> set[str]:
        return {workload.name for workload in source.read().workloads.values()}

    assert not any("late.service" in names() for _ in range(5))
    subprocess.run(["systemctl", "start", "enabled.service"], check=True)
    names()
    assert len(listings) == 1, "starting a service changes no unit file"
    assert source.read().daemon_cpu_s is not None, "PID 1 is systemd"
    subprocess.run(["systemctl", "enable", "--runtime", "late.service"], check=True)
    subprocess.run(["systemctl", "start", "late.service"], check=True)  # stays loaded, as lab.target wants it
    wait_until(lambda: "late.service" in names(), 10, "the service that was enabled")
    asked = len(listings)
    assert 1 < asked < 6, "enabling reloads: at most a listing for each signal"
    names()
    assert len(listings) == asked
    subprocess.run(["systemctl", "disable", "--runtime", "late.service"], check=True)
    wait_until(lambda: "late.service" not in names(), 10, "the end of a disabled service")
    source.close()


@pytest.mark.uml
def test_activation_and_sandbox_of_a_service_are_what_systemctl_says() -> None:
    subprocess.run(["systemctl", "start", "slow.service"], check=True)
    with bus.system_bus() as connection:
        told = unit.read_unit(connection, "slow.service")
    keys = "InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic"
    words = ["systemctl", "show", f"--property={keys}", "slow.service"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    times = {line.partition("=")[0]: int(line.partition("=")[2]) for line in shown.splitlines()}
    left, reached = (times[key] for key in keys.split(","))
    assert told["startup_running_seconds"].value == pytest.approx((reached - left) / 1e6)
    assert 0.9 < (reached - left) / 1e6 < 30
    assert told["user"].value == "nobody"
    assert told["sandbox"].value == "NoNewPrivileges PrivateTmp ProtectSystem=full"
    service = Workload(WorkloadId("systemd", "/system.slice/slow.service"), Kind.SERVICE, "slow", State.RUNNING)
    facts = FactsReader(EngineConnections([])).read_all([service])[service.id]
    assert facts["startup_running_seconds"] == told["startup_running_seconds"]
    assert "user nobody, 3 sandbox settings" in str(facts["isolation"].value)
    subprocess.run(["systemctl", "stop", "slow.service"], check=True)


@pytest.mark.uml
def test_the_journal_of_a_service_is_read_in_windows_and_followed() -> None:
    subprocess.run(["systemctl", "start", "systemd-journald.service", "talk.service"], check=True)
    log = JournalLog("talk.service")

    def lines_of(found: list[LogLine]) -> list[int]:
        return [int(line.text.split()[1]) for line in found if line.text.startswith("line ")]

    wait_until(lambda: len(lines_of(log.last(100))) > 40, 30, "its lines")
    subprocess.run(["systemctl", "stop", "talk.service"], check=True)
    last = [line for line in log.last(30) if line.text.startswith("line ")]
    numbers = lines_of(last)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert lines_of(log.before(last[0], 10)) == list(range(numbers[0] - 10, numbers[0]))
    assert lines_of(log.after(last[0], 3)) == [numbers[0] + 1, numbers[0] + 2, numbers[0] + 3]
    assert last[0].at is not None
    assert lines_of(log.until(last[0].at, 3)) == [numbers[0] - 2, numbers[0] - 1, numbers[0]]
    assert lines_of(log.first(30))[:3] == [1, 2, 3]
    assert all(line.at is not None for line in last)
    heard: list[str] = []
    thread = threading.Thread(target=lambda: heard.extend(line.text for line in log.follow(last[-1])), daemon=True)
    thread.start()
    subprocess.run(["systemctl", "start", "talk.service"], check=True)
    wait_until(lambda: "line 1" in heard, 20, "a new line")
    log.close()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.uml
def test_a_long_message_in_colours_is_one_whole_line_of_text() -> None:
    subprocess.run(["systemctl", "start", "systemd-journald.service", "loud.service"], check=True)
    log = JournalLog("loud.service")
    wait_until(lambda: any("END" in line.text for line in log.last(20)), 30, "the message")
    message = next(line.text for line in log.last(20) if "END" in line.text)
    assert message == "careful " + "x" * 30_000 + "END"


def command(verb: Verb, *names: str) -> int:
    """Do what `vmtop VERB NAMES --yes` does on a host that has systemd only."""
    specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("systemd")]
    return run(verb, names, specs, Config(), True, 5.0, AfterTimeout.LEAVE, Wait())


@pytest.mark.uml
def test_the_beginning_of_a_units_name_is_refused_and_the_whole_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["systemctl", "start", "calm.service"], check=True)
    before = invocation("calm.service")
    for verb in (Verb.STOP, Verb.RESTART, Verb.START, Verb.KILL, Verb.PAUSE, Verb.RESUME):
        assert command(verb, "cal") == 3
        assert "did you mean service:calm.service?" in capsys.readouterr().err
        if verb in (Verb.STOP, Verb.RESTART, Verb.START):
            assert command(verb, "service:cal") == 3
        assert (active_state("calm.service"), invocation("calm.service")) == ("active", before)
    assert command(Verb.STOP, "calm") == 0
    assert active_state("calm.service") == "inactive"


@pytest.mark.uml
def test_an_alias_of_a_unit_is_refused_by_the_name_of_the_unit(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["systemctl", "show", "--property=FragmentPath", "--value", "calm.service"]
    place = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    Path("/run/systemd/system/nick.service").symlink_to(place)
    journal = subprocess.run([*words[:-1], "systemd-journald.service"], capture_output=True, text=True, check=True)
    Path("/run/systemd/system/scribe.service").symlink_to(journal.stdout.strip())
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "start", "calm.service"], check=True)
    assert command(Verb.STOP, "service:nick") == 5
    assert "is an alias of calm.service" in capsys.readouterr().err
    assert command(Verb.STOP, "scribe.service") == 5
    assert "scribe.service, which is systemd-journald.service, is protected" in capsys.readouterr().err
    assert active_state("calm.service") == "active"
    subprocess.run(["systemctl", "stop", "calm.service"], check=True)


@pytest.mark.uml
def test_what_stops_with_a_unit_and_what_is_forgotten_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["systemctl", "start", "leans.service", "bound.service"], check=True)
    seen = SystemdActions().observe(service("calm.service"))
    assert seen.dependents == ("bound.service", "leans.service")
    assert command(Verb.STOP, "calm") == 0
    assert "calm.service: systemd will stop with it: bound.service, leans.service." in capsys.readouterr().err
    assert {active_state("leans.service"), active_state("bound.service")} == {"inactive"}
    subprocess.run(["systemctl", "start", "calm.service"], check=True)
    assert SystemdActions().observe(service("calm.service")).dependents == ()
    subprocess.run(["systemd-run", "--unit=fleeting", "--property=DefaultDependencies=no", "sleep", "1000"], check=True)
    assert command(Verb.STOP, "fleeting") == 0
    assert "fleeting.service: It is transient" in capsys.readouterr().err
    with pytest.raises(WorkloadGone):
        SystemdActions().observe(service("fleeting.service"))
    subprocess.run(["systemctl", "stop", "calm.service"], check=True)
