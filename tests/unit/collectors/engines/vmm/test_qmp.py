"""QMP with a stand-in that speaks it well or badly; real QEMU is in tests/lab/test_vmm_actions.py."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from collectors.engines.vmm import qmp as qmp_module
from collectors.engines.vmm.actions import QmpActions
from collectors.engines.vmm.control_socket import connect
from collectors.engines.vmm.qmp import qmp
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.actions import Request, Verb
from collectors.model.errors import NotInTime, SourceAbsent, SourceDown, SourceError, WorkloadGone
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
        assert asked == ["qmp_capabilities", "query-status", "qmp_capabilities", "system_powerdown"]
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
        ("busy", NotInTime, "another program"),
        ("garbage", SourceDown, "does not speak QMP"),
        ("long", SourceDown, "too long"),
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
