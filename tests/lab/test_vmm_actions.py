"""Plain QEMU is watched and acted on over QMP, for real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.engines.vmm.qmp import qmp
from collectors.engines.vmm.serial_console import SerialConsole
from collectors.kernel.vmm.process import VmmProcess, find
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.outsider import NOBODY, Outsider
from tests.helpers.lab.process import Daemon, find_program, wait_until
from tests.helpers.lab.vmm import VmmLab, answers, has_kvm, vmm_lab

pytestmark = pytest.mark.lab
VMTOP = [sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VmmLab]:
    with skip_or_fail(), vmm_lab(tmp_path_factory.mktemp("qemu") / "vmm") as started:
        yield started


def vmtop(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*VMTOP, *words], capture_output=True, text=True, timeout=120)


def row(name: str) -> dict[str, Any]:
    listed = json.loads(vmtop("list", name, "--json").stdout)["workloads"]
    assert len(listed) == 1
    return dict(listed[0])


def serial(lab: VmmLab, name: str) -> list[str]:
    return ["-name", name, "-serial", f"unix:{lab.folder / name}.serial,server=on,wait=off"]


def boot_sector(process: VmmProcess) -> str:
    """Return the first byte of the boot sector in the guest's memory, in QEMU's words."""
    assert process.control_socket is not None
    with qmp(process, process.control_socket) as session:
        arguments = {"command-line": "xp /1xb 0x7c00"}
        return str(session.ask("human-monitor-command", **arguments))


@pytest.mark.parametrize("accelerator", ["tcg", "kvm"] if has_kvm() else ["tcg"])
def test_it_is_paused_resumed_and_forced_off_and_each_state_is_seen(lab: VmmLab, accelerator: str) -> None:
    name = f"plain-{accelerator}"
    machine = lab.qemu(name, *serial(lab, name), is_kvm=accelerator == "kvm")
    assert row(name)["state"] == "running"
    paused = vmtop("pause", name, "--yes")
    assert (paused.returncode, "was paused" in paused.stdout) == (0, True), paused.stderr
    wait_until(lambda: row(name)["state"] == "paused", 30, "the paused state")
    assert "was resumed" in vmtop("resume", name, "--yes").stdout
    ended = vmtop("kill", name, "--yes")
    assert (ended.returncode, "forced off" in ended.stdout) == (0, True), ended.stderr
    wait_until(lambda: find(machine.pid) is None, 20, "its end")


def test_a_guest_that_obeys_its_power_button_is_shut_down(lab: VmmLab) -> None:
    machine = lab.qemu("obeys", "-name", "obeys", "-machine", "pc", sector=BootSector.POWER_BUTTON)
    process = find(machine.pid)
    assert process is not None
    wait_until(lambda: "0xfa" in boot_sector(process), 60, "the guest's start")
    stopped = vmtop("stop", "obeys", "--yes")
    assert "was stopped" in stopped.stdout, stopped.stdout + stopped.stderr
    wait_until(lambda: find(machine.pid) is None, 20, "its end")


def test_a_guest_is_rebooted_by_ctrl_alt_delete_or_reset_if_it_does_not_obey(lab: VmmLab) -> None:
    lab.qemu("reboots", "-name", "reboots", sector=BootSector.DISK)
    wait_until(
        lambda: "was rebooted" in vmtop("restart", "reboots", "--yes", "--timeout", "2", "--then", "leave").stdout,
        60,
        "a reboot",
    )
    machine = lab.qemu("ignores", "-name", "ignores", sector=BootSector.POWER_BUTTON)
    process = find(machine.pid)
    assert process is not None
    wait_until(lambda: "0xfa" in boot_sector(process), 60, "the guest's start")
    assert "reset" in vmtop("restart", "ignores", "--yes", "--timeout", "1").stdout
    assert find(machine.pid) == process


def test_one_that_gave_up_roots_rights_after_it_began_to_listen_is_reached(lab: VmmLab) -> None:
    machine = lab.qemu("dropped", *serial(lab, "dropped"), "-runas", "nobody")
    wait_until(lambda: (process := find(machine.pid)) is not None and process.uid != 0, 20, "the loss of its rights")
    assert "was paused" in vmtop("pause", "dropped", "--yes").stdout


def test_a_user_acts_on_machines_of_the_users_own_and_is_refused_those_of_root() -> None:
    with tempfile.TemporaryDirectory(prefix="vmtop-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (home := folder / "own").mkdir()
        os.chown(home, NOBODY, NOBODY)
        outsider = Outsider(folder)
        words = [find_program("setpriv"), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        qmp_of_own = f"unix:{home}/own.qmp,server=on,wait=off"
        machine = ["-accel", "tcg", "-m", "32", "-display", "none", "-nodefaults", "-S", "-name", "users-own"]
        with vmm_lab(folder / "vmm") as lab:
            lab.qemu("roots-own", "-name", "roots-own")
            own = Daemon([*words, find_program("qemu-system-x86_64"), *machine, "-qmp", qmp_of_own], folder / "log")
            try:
                own.wait_until(lambda: answers(home / "own.qmp"), 20, "its monitor")
                killed = outsider.run("kill", "users-own", "--yes")
                assert "was forced off" in killed.stdout, killed.stderr
                refused = outsider.run("pause", "roots-own", "--yes")
                assert (refused.returncode, "no permission to use" in refused.stderr) == (4, True)
            finally:
                own.kill()


def test_while_another_client_holds_its_socket_it_is_seen_and_actions_say_so(lab: VmmLab) -> None:
    machine = lab.qemu("held", *serial(lab, "held"))
    process = find(machine.pid)
    assert process is not None
    assert process.control_socket is not None
    with qmp(process, process.control_socket):
        assert row("held")["state"] == "running"
        refused = vmtop("pause", "held", "--yes")
        assert refused.returncode != 0
        assert "another program, such as the machine's manager, holds it" in refused.stderr
    assert "was paused" in vmtop("pause", "held", "--yes").stdout


def test_what_qemu_knows_is_on_its_page_and_its_command_line_in_inspect(lab: VmmLab) -> None:
    from collectors.engines.vmm.access import QemuAccess
    from collectors.kernel.vmm.details import MachineDetails
    from collectors.model.workloads import Kind, Workload, WorkloadId

    machine = lab.qemu("facts", *serial(lab, "facts"))
    process = find(machine.pid)
    assert isinstance(process, VmmProcess)
    workload = Workload(WorkloadId(process.engine, process.id), Kind.VM, process.name)
    tables = QemuAccess().details()(workload) + MachineDetails().tables(workload)
    facts = {fact.label: fact.value for table in tables for fact in table.facts}
    assert (facts["product"], facts["process"], facts["memory at its start"]) == ("QEMU", machine.pid, 64 << 20)
    assert str(facts["QEMU"]).count(".") == 2
    disks = next(table for table in tables if table.title == "Disks of QEMU")
    assert (disks.rows[0][1], disks.rows[0][3]) == (str(lab.folder / "facts.img"), 1 << 20)
    assert "-nodefaults" in vmtop("inspect", "facts").stdout.splitlines()


def test_its_serial_line_is_its_console(lab: VmmLab) -> None:
    machine: Daemon = lab.qemu("talks", *serial(lab, "talks"), "-machine", "pc,graphics=off", "-S")
    process = find(machine.pid)
    assert process is not None
    assert process.control_socket is not None
    console = SerialConsole(process, serial(lab, "talks"))
    with qmp(process, process.control_socket) as session:
        session.ask("cont")
    printed = b""
    while b"SeaBIOS" not in printed:
        chunk = console.read()
        assert chunk
        printed += chunk
    console.write(b"\r")
    console.close()
    assert console.read() == b""
    refused = vmtop("exec", "talks", "--", "ls")
    assert "vmtop cannot run commands in it" in refused.stderr
