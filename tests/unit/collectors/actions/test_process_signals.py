"""Signals to real processes: what they do, whom they never reach, and what is logged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from collectors.actions.log import ActionLog
from collectors.actions.process_protection import ProcessProtection
from collectors.actions.process_signals import SIGNALS, Signaller, SignalRequest, SignalSpec, must_be_typed, warnings
from collectors.actions.protection import Protection
from collectors.kernel.processes.listing import ProcessListing
from collectors.model.actions import Result
from collectors.model.processes import Process, ProcessId
from collectors.model.workloads import Event, Kind, Workload, WorkloadId
from tests.helpers.process_tree import capture

HOST = WorkloadId("host", "hv01")
BOX = Workload(WorkloadId("docker", "a" * 64), Kind.CONTAINER, "box", cgroup="/box")


def spec(name: str) -> SignalSpec:
    return next(each for each in SIGNALS if each.name == name)


def seen(pid: int) -> Process:
    (process,) = ProcessListing().read([pid]).processes
    return process


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as child:
        yield child
        child.kill()


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def log() -> ActionLog:
    return ActionLog()


@pytest.fixture
def signaller(log: ActionLog, told: list[Event]) -> Signaller:
    return Signaller(log, "tester", told.append)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_term_ends_it_and_the_log_and_the_timeline_say_so(
    sleeper: subprocess.Popen[bytes], signaller: Signaller, log: ActionLog, told: list[Event]
) -> None:
    process = seen(sleeper.pid)
    outcome = signaller.send(SignalRequest(spec("TERM"), process, "sleep 1000", BOX), HOST)
    assert outcome.result is Result.DONE
    assert outcome.sentence == f"sleep ({sleeper.pid}) ended after TERM"
    assert sleeper.wait(5) == -signal.SIGTERM
    (entry,) = log.recent(9)
    assert (entry.verb, entry.kind, entry.who) == ("signal TERM", "process", "tester")
    assert entry.id == f"{sleeper.pid}@{process.id.start_ticks}"
    assert entry.command == f"kill -TERM {sleeper.pid}"
    assert [(event.workload, event.what) for event in told] == [(BOX.id, "signal")]


def test_a_process_that_got_the_pid_since_is_never_reached(
    sleeper: subprocess.Popen[bytes], signaller: Signaller
) -> None:
    process = seen(sleeper.pid)
    earlier = msgspec.structs.replace(process, id=ProcessId(process.pid, process.id.start_ticks - 1))
    outcome = signaller.send(SignalRequest(spec("KILL"), earlier, "sleep", None), HOST)
    assert outcome.result is Result.GONE
    assert "another process's now" in outcome.sentence
    assert sleeper.poll() is None


def test_a_process_that_has_ended_is_gone(signaller: Signaller) -> None:
    with subprocess.Popen(["true"]) as child:
        process = Process(ProcessId(child.pid, 1), 1, "true", "S", None, 0.0, 0, 1, ())
        child.wait()
    assert signaller.send(SignalRequest(spec("TERM"), process, "true", None), HOST).result is Result.GONE


def test_a_zombie_gets_nothing(signaller: Signaller) -> None:
    with subprocess.Popen(["true"]) as child:
        while state(child.pid) != "Z":
            time.sleep(0.01)
        outcome = signaller.send(SignalRequest(spec("KILL"), seen(child.pid), "true", None), HOST)
    assert outcome.result is Result.ALREADY


def test_stop_and_cont_are_verified_by_the_state(sleeper: subprocess.Popen[bytes], signaller: Signaller) -> None:
    process = seen(sleeper.pid)
    assert signaller.send(SignalRequest(spec("STOP"), process, "sleep", None), HOST).result is Result.DONE
    assert state(sleeper.pid) == "T"
    assert signaller.send(SignalRequest(spec("CONT"), process, "sleep", None), HOST).sentence.endswith("goes on")
    assert state(sleeper.pid) in "SR"


def test_what_ignores_term_is_reported_as_still_there(signaller: Signaller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.actions.process_signals._OBSERVED_S", 0.2)
    code = "import signal,sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        request = SignalRequest(spec("TERM"), seen(child.pid), "python", None)
        assert warnings(request) == ["It ignores TERM: nothing will happen."]
        outcome = signaller.send(request, HOST)
        child.kill()
    assert outcome.result is Result.TIMED_OUT
    assert "has not ended" in outcome.sentence


def test_a_signal_without_a_handler_is_announced_to_be_deadly(sleeper: subprocess.Popen[bytes]) -> None:
    request = SignalRequest(spec("USR1"), seen(sleeper.pid), "sleep", None)
    assert warnings(request) == ["It does not handle USR1, so the kernel will end it."]
    assert warnings(request._replace(spec=spec("TERM"))) == []


def test_locked_actions_send_nothing_and_are_logged(
    sleeper: subprocess.Popen[bytes], signaller: Signaller, log: ActionLog
) -> None:
    outcome = signaller.send(SignalRequest(spec("KILL"), seen(sleeper.pid), "sleep", None), HOST, is_locked=True)
    assert (outcome.result, outcome.remedy) == (Result.REFUSED, "L unlocks them")
    assert sleeper.poll() is None
    assert log.recent(1)[0].result == "refused"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_without_permission_the_remedy_is_named(sleeper: subprocess.Popen[bytes]) -> None:
    code = (
        "from tests.unit.collectors.actions.test_process_signals import *\n"
        f"request = SignalRequest(spec('KILL'), seen({sleeper.pid}), 'sleep')\n"
        "os.setuid(65534)\n"
        "outcome = Signaller(ActionLog(), 'nobody', print).send(request, HOST)\n"
        "print(outcome.result, outcome.remedy)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "denied sudo" in answer or "denied docker run" in answer
    assert sleeper.poll() is None


def test_protected_processes(tmp_path: Path) -> None:
    protection = ProcessProtection(Protection())
    assert "itself" in protection.reason(seen(os.getpid()), None)
    assert "process 1" in protection.reason(seen(1), None)
    assert "started vmtop" in protection.reason(seen(os.getppid()), None)
    daemon = Process(ProcessId(7, 1), 1, "dockerd", "S", None, 0.0, 0, 1, ())
    assert "daemons" in protection.reason(daemon, None)
    assert "daemons" in protection.reason(msgspec.structs.replace(daemon, name="containerd-shim"), None)
    for name in ("sshd", "sshd-session", "sshd-auth"):
        assert "remote access" in protection.reason(msgspec.structs.replace(daemon, name=name), None)
    assert protection.reason(daemon, BOX) == "", "a daemon inside a container is not the host's"
    assert "kernel" in protection.reason(msgspec.structs.replace(daemon, name="kworker/0", parent_pid=2), None)
    assert protection.reason(msgspec.structs.replace(daemon, name="nginx"), None) == ""
    labelled = msgspec.structs.replace(BOX, labels=(("vmtop.protect", "true"),))
    assert "label" in protection.reason(daemon, labelled)
    service = Workload(WorkloadId("systemd", "/ssh.service"), Kind.SERVICE, "ssh.service", cgroup="/ssh.service")
    assert "remote access" in protection.reason(msgspec.structs.replace(daemon, name="helper"), service)
    user = Workload(WorkloadId("systemd", "/user@0.service"), Kind.SERVICE, "user@0.service", cgroup="/user@0.service")
    assert protection.reason(msgspec.structs.replace(daemon, name="firefox"), user) == "", (
        "only the service is protected"
    )
    excepted = ProcessProtection(Protection(["process:dockerd"]))
    assert excepted.reason(daemon, None) == ""


def test_process_1_of_a_container_takes_the_container_along(tmp_path: Path) -> None:
    capture(tmp_path, 7, "web", status="NSpid:\t7\t1\nSigBlk:\t0\nSigIgn:\t0\nSigCgt:\t0\n")
    process = Process(ProcessId(7, 500), 1, "web", "S", None, 0.0, 0, 1, ())
    sentences = warnings(SignalRequest(spec("TERM"), process, "web", BOX), str(tmp_path))
    assert "the container ends with it" in sentences[0]
    assert "ignores TERM" in sentences[1], "the kernel keeps signals without a handler from a namespace's process 1"


def test_what_ends_a_whole_workload_has_to_be_typed(tmp_path: Path) -> None:
    usr1 = 1 << (signal.SIGUSR1 - 1)
    capture(tmp_path, 7, "qemu-system-x86", status=f"NSpid:\t7\nSigBlk:\t0\nSigIgn:\t0\nSigCgt:\t{usr1:x}\n")
    capture(tmp_path, 8, "web", status="NSpid:\t8\t1\n")
    qemu, init = (Process(ProcessId(pid, 500), 1, "x", "S", None, 0.0, 0, 1, ()) for pid in (7, 8))
    machine = msgspec.structs.replace(BOX, kind=Kind.VM)
    assert must_be_typed(SignalRequest(spec("KILL"), qemu, "qemu", machine), str(tmp_path))
    assert not must_be_typed(SignalRequest(spec("USR1"), qemu, "qemu", machine), str(tmp_path))
    for name in ("HUP", "USR2"):
        unhandled = SignalRequest(spec(name), qemu, "qemu", machine)
        assert must_be_typed(unhandled, str(tmp_path))
        assert "loses its power" in warnings(unhandled, str(tmp_path))[0]
        assert "the kernel will end it" in warnings(unhandled, str(tmp_path))[1]
    assert not must_be_typed(SignalRequest(spec("STOP"), qemu, "qemu", machine), str(tmp_path))
    assert not must_be_typed(SignalRequest(spec("KILL"), qemu, "qemu", BOX), str(tmp_path))
    assert must_be_typed(SignalRequest(spec("TERM"), init, "web", BOX), str(tmp_path))
    assert "loses its power" in warnings(SignalRequest(spec("KILL"), qemu, "qemu", machine), str(tmp_path))[0]
    assert "stands still" in warnings(SignalRequest(spec("STOP"), qemu, "qemu", machine), str(tmp_path))[0]
