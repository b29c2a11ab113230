"""QMP with a stand-in that speaks it well or badly; real QEMU is in tests/lab/test_vmm_actions.py."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.vmm import qmp as qmp_module
from collectors.engines.vmm import source as source_module
from collectors.engines.vmm.actions import QmpActions, other_monitor
from collectors.engines.vmm.control_socket import NotReached, connect
from collectors.engines.vmm.qmp import qmp
from collectors.engines.vmm.source import Answer, state_source
from collectors.kernel.vmm.families import FAMILIES
from collectors.kernel.vmm.machine_facts import MachineFacts
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.actions import Request, Verb
from collectors.model.errors import SourceAbsent, SourceError, WorkloadGone
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.vmm_stand_ins import QMP, stand_in

QEMU = "qemu-system-x86_64"


def options(path: Path) -> list[str]:
    return ["-name", "web", "-qmp", f"unix:{path},server=on,wait=off"]


def workload(process: VmmProcess) -> Workload:
    return Workload(WorkloadId(process.engine, process.id), Kind.VM, process.name, State.RUNNING)


def test_a_machine_is_observed_and_acted_on_through_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "q.sock"
    with stand_in(tmp_path, QEMU, QMP, path, options(path)) as process:
        machine = workload(process)
        seen = QmpActions().observe(machine)
        assert (seen.name, seen.state, seen.start) == ("web", State.PAUSED, process.own_id)
        QmpActions().perform(Request(Verb.STOP, machine))
        asked = (tmp_path / "q.sock.asked").read_text().split()
        assert set(asked) == {"qmp_capabilities", "query-status", "system_powerdown"}
        assert asked.count("system_powerdown") == 1
        assert asked[0] == "qmp_capabilities"
    with pytest.raises(WorkloadGone):
        QmpActions().observe(machine)


def test_what_qemu_refuses_is_told_without_its_escape_sequences(tmp_path: Path) -> None:
    path = tmp_path / "q.sock"
    with (
        stand_in(tmp_path, QEMU, QMP, path, options(path)) as process,
        pytest.raises(SourceError, match=r"QEMU refused: no .*way") as refused,
    ):
        QmpActions().perform(Request(Verb.RESUME, workload(process)))
    assert "\x1b" not in refused.value.reason


@pytest.mark.parametrize(
    ("mode", "error", "words"),
    [
        ("busy", NotReached, "another program"),
        ("garbage", NotReached, "does not speak QMP"),
        ("long", NotReached, "too long"),
    ],
)
def test_a_socket_that_is_held_or_speaks_something_else_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, error: type[SourceError], words: str
) -> None:
    monkeypatch.setattr(qmp_module, "GREETING_S", 0.3 if mode == "busy" else 10.0)
    path = tmp_path / "q.sock"
    with stand_in(tmp_path, QEMU, QMP, path, options(path), mode) as process:
        with pytest.raises(error, match=words), qmp(process, str(path)):
            pass
        assert QmpActions().observe(workload(process)).state is State.RUNNING, "it has a process, and no more is known"


def test_a_socket_on_which_another_process_listens_is_refused(tmp_path: Path) -> None:
    path, other = tmp_path / "q.sock", tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(other))
        listener.listen()
        with stand_in(tmp_path, QEMU, QMP, path, options(other)) as process:
            with pytest.raises(SourceError, match=f"but process {os.getpid()}"):
                connect(process, str(other), 1.0)
            with pytest.raises(SourceError, match="listens"):
                QmpActions().perform(Request(Verb.KILL, workload(process)))


def test_a_machine_without_a_socket_says_how_it_would_have_one(tmp_path: Path) -> None:
    with (
        stand_in(tmp_path, QEMU, QMP, tmp_path / "q.sock", ["-name", "web"]) as process,
        pytest.raises(SourceAbsent, match="without a QMP socket") as refused,
    ):
        QmpActions().perform(Request(Verb.STOP, workload(process)))
    assert f"kill {process.pid}" in refused.value.remedy


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("-qmp tcp:localhost:4444,server=on,wait=off", "tcp:localhost:4444"),
        ("-qmp stdio", "stdio"),
        ("-chardev socket,id=m,host=::1,port=4444 -mon chardev=m,mode=control", "socket,id=m,host=::1,port=4444"),
        ("-chardev pty,id=m -mon chardev=m,mode=readline", None),
        ("-qmp none", None),
    ],
)
def test_qmp_that_is_not_on_a_unix_socket_is_named(words: str, where: str | None) -> None:
    assert other_monitor(["qemu-system-x86_64", *words.split()]) == where


@given(st.lists(st.sampled_from(["-qmp", "-mon", "-chardev"]) | st.text(max_size=20), max_size=8))
def test_any_command_line_has_qmp_somewhere_or_nowhere(words: list[str]) -> None:
    assert other_monitor(words) is None or isinstance(other_monitor(words), str)


def test_a_machine_with_qmp_elsewhere_says_why_it_cannot_be_acted_on(tmp_path: Path) -> None:
    words = ["-name", "web", "-qmp", "tcp:localhost:4444"]
    with (
        stand_in(tmp_path, QEMU, QMP, tmp_path / "q.sock", words) as process,
        pytest.raises(SourceAbsent, match="web has QMP on tcp:localhost:4444, and vmtop uses only unix sockets"),
    ):
        QmpActions().perform(Request(Verb.STOP, workload(process)))


class Machines:
    """Machines that answer as they are told, and the source that asks them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *processes: VmmProcess) -> None:
        self.asked: list[int] = []
        self.answers: dict[int, Answer | SourceError] = {}
        self.now = 1000.0
        monkeypatch.setattr(source_module, "running_machines", lambda: list(processes))
        monkeypatch.setattr(source_module, "is_alive", lambda process: True)
        monkeypatch.setattr(source_module, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.source = state_source("vmm", "QEMU", lambda process: True, self.ask)()
        self.source.open(lambda: None)

    def ask(self, process: VmmProcess) -> Answer:
        self.asked.append(process.pid)
        answer = self.answers.get(process.pid, Answer(State.RUNNING))
        if isinstance(answer, SourceError):
            self.now += 1.0
            raise answer
        return answer

    def states(self) -> dict[str, State]:
        return {identity.id: one.state for identity, one in self.source.read().workloads.items()}


def process(pid: int, uuid: str | None = None) -> VmmProcess:
    return VmmProcess(pid, 500 + pid, 0, ("/",), MachineFacts("vmm", uuid, f"vm{pid}"), FAMILIES[0], None, 1)


def test_a_machine_is_asked_rarely_and_one_whose_socket_is_held_even_less(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = Machines(monkeypatch, process(1), process(2))
    machines.answers = {1: Answer(State.PAUSED), 2: NotReached("busy")}
    for _ in range(58):
        assert machines.states() == {"1-501": State.PAUSED}
        machines.now += 1
    assert (machines.asked.count(1), machines.asked.count(2)) == (6, 1)
    machines.now += 120
    machines.states()
    assert machines.asked.count(2) == 2


def test_hundreds_of_sockets_that_are_held_do_not_hold_up_the_others_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = Machines(monkeypatch, *map(process, range(1, 101)))
    machines.answers = {pid: NotReached("busy") for pid in range(1, 100)}
    before = machines.now
    machines.states()
    assert machines.now - before < 10
    for _ in range(20):
        seen = machines.states()
    assert seen == {"100-600": State.RUNNING}
    assert machines.asked.count(1) == 1


def test_of_two_processes_that_claim_one_uuid_the_older_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    uuid = "0f0e0d0c-1111-2222-3333-444455556666"
    machines = Machines(monkeypatch, process(2, uuid), process(1, uuid))
    machines.answers = {1: Answer(State.PAUSED)}
    assert machines.states() == {uuid: State.PAUSED, "2-502": State.RUNNING}


def test_without_machines_its_source_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceAbsent, match="no QEMU runs here"):
        Machines(monkeypatch)


def test_a_relative_path_and_one_that_is_too_long_for_an_address_work(tmp_path: Path) -> None:
    folder = tmp_path / ("f" * 120)
    folder.mkdir()
    path = folder / "q.sock"
    (tmp_path / "short").symlink_to(folder)
    with stand_in(tmp_path, QEMU, QMP, tmp_path / "short" / "q.sock", options(path)) as process:
        connect(process, str(path), 5.0).close()
        connect(process, f"{folder.name}/q.sock", 5.0).close()
        with pytest.raises(SourceAbsent, match="nothing listens"):
            connect(process, str(folder / "gone.sock"), 5.0)
