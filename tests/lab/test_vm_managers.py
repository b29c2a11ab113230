"""Managers of machines from the list to the action, with stand-ins for their VMMs and their commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.lab.process import Daemon, in_private_mounts
from tests.helpers.lab.vmm import VmmLab, vmm_lab
from tests.helpers.vmm_stand_ins import HTTP

pytestmark = pytest.mark.lab
UUID = "0f0e0d0c-1111-2222-3333-444455556677"
VMX = "/nonexistent/lab machines/lab-vmware.vmx"
VMTOP = """
import sys
from pathlib import Path
from collectors.engines.proxmox import registry as proxmox
from collectors.engines.virtualbox import registry as virtualbox
from collectors.engines.vmm import manager_command
from collectors.engines.vmm.registered import Home
from collectors.engines.vmware import registry as vmware
folder = sys.argv.pop(1)
manager_command.FOLDERS = (folder + "/bin", "/usr/bin")
virtualbox.homes = vmware.homes = lambda engine: [Home(0, folder)]
proxmox.guests.__defaults__ = (folder + "/pve",)
from tui.cli.main import main
main(prog_name="vmtop")
"""
"""vmtop with the folders of the stand-ins in place of the system's."""
MANAGER = """#!/bin/sh
echo "${0##*/} $*" >>%(folder)s/asked
case " $* " in
*" showvminfo "* | *" status "*) cat %(folder)s/status ;;
*" start "* | *" startvm "*) %(start)s & echo $! >%(folder)s/pid ;;
*" pause "* | *" suspend "*) echo '%(paused)s' >%(folder)s/status ;;
*" resume "*) : >%(folder)s/status ;;
*) kill $(cat %(folder)s/pid) ;;
esac
"""
"""A manager's command, which writes down what it is asked, and starts and ends a stand-in for its VMM."""


class StandIn(NamedTuple):
    """What stands for a manager."""

    engine: str
    command: str
    vmm: str
    arguments: str
    """Of the VMM."""
    file: str
    """Its list of machines, below the folder of the test."""
    content: str
    paused: str = ""
    """How its command tells that a machine is paused; empty if that is not tried."""
    shutdown: str = ""
    """What its command is asked for a shutdown."""

    @property
    def name(self) -> str:
        return f"lab-{self.engine}"


MANAGERS = (
    StandIn(
        "virtualbox", "VBoxManage", "VBoxHeadless", f"--comment lab-virtualbox --startvm {UUID}",
        ".config/VirtualBox/VirtualBox.xml", f'<MachineEntry uuid="{{{UUID}}}" src="/vms/lab-virtualbox.vbox"/>',
        'VMState="paused"', f"controlvm {UUID} acpipowerbutton",
    ),
    StandIn(
        "proxmox", "qm", "kvm", "-id 987654 -name lab-proxmox",
        "pve/qemu-server/987654.conf", "name: lab-proxmox\n", shutdown="shutdown 987654 --timeout 60",
    ),
    StandIn(
        "vmware", "vmrun", "vmware-vmx", f"-# product=1 '{VMX}'",
        ".vmware/inventory.vmls", f'vmlist1.config = "{VMX}"\nvmlist1.DisplayName = "lab-vmware"\n',
        shutdown=f"-T ws stop {VMX} soft",
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VmmLab]:
    with vmm_lab(tmp_path_factory.mktemp("managers") / "vmm") as started:
        yield started


def set_up(lab: VmmLab, manager: StandIn) -> Path:
    """Put a manager's command and its list of machines into a folder; nothing runs yet."""
    folder = lab.folder / manager.engine
    program = folder / "bin" / manager.command
    program.parent.mkdir(parents=True)
    vmm = lab.stand_in(manager.vmm, ["--version"])  # builds the program
    vmm.kill()
    start = f"'{lab.folder}/bin/{manager.vmm}' {manager.arguments}"
    program.write_text(MANAGER % {"folder": folder, "start": start, "paused": manager.paused})
    program.chmod(0o755)
    (folder / "status").touch()
    (folder / manager.file).parent.mkdir(parents=True)
    (folder / manager.file).write_text(manager.content)
    return folder


def vmtop(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", VMTOP, str(folder), *words], capture_output=True, text=True, timeout=120
    )


def states(folder: Path, name: str) -> list[tuple[str, str]]:
    """Return the engine and the state of each row of a name."""
    listed = json.loads(vmtop(folder, "list", name, "--all", "--json").stdout)["workloads"]
    return [(row["engine"], row["state"]) for row in listed if row["name"] == name]


@pytest.mark.parametrize("manager", MANAGERS, ids=lambda manager: manager.engine)
def test_a_stand_ins_machine_is_listed_started_paused_and_shut_down(lab: VmmLab, manager: StandIn) -> None:
    folder, name = set_up(lab, manager), manager.name
    try:
        assert states(folder, name) == [(manager.engine, "stopped")]
        started = vmtop(folder, "start", name, "--yes")
        assert (started.returncode, "was started" in started.stdout) == (0, True), started.stderr
        if manager.paused:
            assert states(folder, name) == [(manager.engine, "running")]
            assert "was paused" in vmtop(folder, "pause", name, "--yes").stdout
            assert "was resumed" in vmtop(folder, "resume", name, "--yes").stdout
        stopped = vmtop(folder, "stop", name, "--yes")
        assert (stopped.returncode, "was stopped" in stopped.stdout) == (0, True), stopped.stderr
        assert f"{manager.command} {manager.shutdown}" in (folder / "asked").read_text().splitlines()
    finally:
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int((folder / "pid").read_text()), 9)


def test_a_stand_in_for_a_jailed_firecracker_is_reached_within_its_own_root(lab: VmmLab) -> None:
    folder = lab.folder / "jail"
    (inside := folder / "run").mkdir(parents=True)
    python = folder / "firecracker"
    shutil.copy(Path(sys.executable).resolve(), python)
    (private := folder / "private").mkdir()
    socket = f"{inside}/api.socket"
    (private / "api.socket.answer").write_text('{"state": "Paused"}')
    jailed = Daemon(
        in_private_mounts(
            [f"mount --bind {private} {inside}"],
            [str(python), "-c", HTTP, socket, "--id", "lab-jailed", "--api-sock", socket],
        ),
        folder / "log",
        {"PYTHONHOME": sys.base_prefix},
    )
    try:
        jailed.wait_until((private / "api.socket").exists, 20, "its API")
        assert not Path(socket).exists()
        assert states(folder, "lab-jailed") == [("firecracker", "paused")]
        (private / "api.socket.answer").write_text('{"state": "Running"}')
        vmtop(folder, "stop", "lab-jailed", "--yes", "--timeout", "0", "--then", "leave")
        assert 'PUT /actions {"action_type": "SendCtrlAltDel"}' in (private / "api.socket.asked").read_text()
    finally:
        jailed.kill()
