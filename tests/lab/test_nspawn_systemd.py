"""Machines of systemd-nspawn that a unit or machined runs, through a real systemd in a user-mode kernel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.engines.nspawn.access import NspawnAccess, log_unit
from collectors.engines.nspawn.machines import Way, way_of
from collectors.engines.nspawn.source import NspawnSource
from collectors.model.actions import Result, Verb
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.container_root import make_root
from tests.helpers.lab.process import find_program, wait_until
from tests.helpers.lab.uml import UmlLab
from tests.helpers.lab.uml_systemd import run_under_systemd
from tests.lab.test_lxd import act
from tui.cli.sampling import gather

IMAGES = Path("/run/lab/machines")
UNITS = {
    "systemd-nspawn@.service": (
        "[Unit]\nDefaultDependencies=no\n[Service]\nType=notify\nKillMode=mixed\nSlice=machine.slice\nDelegate=yes\n"
        "RestartForceExitStatus=133\nSuccessExitStatus=133\n"
        f"ExecStart=systemd-nspawn --quiet --keep-unit --kill-signal=SIGTERM --machine=%i -D {IMAGES}/%i /sbin/init\n"
    ),
    "dbus-org.freedesktop.machine1.service": (
        "[Unit]\nDefaultDependencies=no\n[Service]\nBusName=org.freedesktop.machine1\n"
        "ExecStart=/lib/systemd/systemd-machined\n"
    ),
}


@pytest.mark.lab
def test_machines_are_acted_on_through_a_real_systemd(uml_lab: UmlLab) -> None:
    find_program("systemd-nspawn")
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "uml",
        "-q",
        "-x",
        "--timeout=300",
        "-p",
        "no:cacheprovider",
        __file__,
    ]
    environment = {"TMPDIR": "/run/lab/tmp", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8", "VMTOP_INSIDE_UML": "1"}
    finished = run_under_systemd(uml_lab.folder / "nspawn", argv, UNITS, environment, 600)
    assert finished.returncode == 0, finished.stdout
    assert "skipped" not in finished.stdout, finished.stdout


def state_of(name: str) -> str:
    words = ["machinectl", "show", "--property=State", "--value", name]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def row_of(name: str) -> Workload:
    found: list[Workload] = []

    def is_there() -> bool:
        rows = gather([SourceSpec("host"), SourceSpec("cgroup")]).readings.values()
        found[:] = [row.workload for row in rows if row.workload.id == WorkloadId("nspawn", name)]
        return bool(found)

    wait_until(is_there, 20, f"the row of {name}")
    return found[0]


@pytest.fixture
def image() -> Iterator[str]:
    if not (IMAGES / "my-deb").exists():
        make_root(IMAGES / "my-deb")
    yield "my-deb"
    subprocess.run(["machinectl", "terminate", "my-deb"], capture_output=True, check=False)
    wait_until(lambda: state_of("my-deb") == "", 20, "the end of the machine")


@pytest.mark.uml
def test_a_machine_of_a_unit_is_started_restarted_stopped_and_killed(image: str, tmp_path: Path) -> None:
    resting = Workload(WorkloadId("nspawn", image), Kind.CONTAINER, image, State.STOPPED)
    assert act(resting, Verb.START, tmp_path).result is Result.DONE
    assert state_of(image) == "running"
    running = row_of(image)
    assert (running.name, running.cgroup) == (image, "/machine.slice/systemd-nspawn@my-deb.service")
    assert way_of(running) is Way.UNIT
    assert log_unit(running) == "systemd-nspawn@my-deb.service"
    source = NspawnSource(str(IMAGES))
    assert source.read().workloads[running.id].state is State.UNKNOWN, "it runs: the kernel tells"
    command = NspawnAccess().run_command(running, ["hostname"])
    assert list(command.output()) == [(False, b"my-deb\n")]
    assert act(running, Verb.RESTART, tmp_path).result is Result.DONE
    assert act(running, Verb.STOP, tmp_path).result is Result.DONE
    assert state_of(image) == ""
    assert source.read().workloads[running.id].state is State.STOPPED
    assert act(resting, Verb.START, tmp_path).result is Result.DONE
    assert act(row_of(image), Verb.KILL, tmp_path).result is Result.DONE


@pytest.mark.uml
def test_a_machine_that_only_machined_knows_is_stopped_through_it(image: str, tmp_path: Path) -> None:
    words = [find_program("systemd-nspawn"), "-q", "-M", image, "-D", str(IMAGES / image), "/sbin/init"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as nspawn:
        try:
            running = row_of(image)
            assert way_of(running) is Way.MACHINED
            outcome = act(running, Verb.STOP, tmp_path, timeout_s=2.0)  # its init heeds no signal of systemd's
            assert outcome.result is Result.DONE, outcome
            assert state_of(image) == ""
        finally:
            nspawn.kill()
