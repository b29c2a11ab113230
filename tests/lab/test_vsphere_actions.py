"""What is done with machines of vSphere's simulator on demand, and libvirt's own driver as the fallback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collectors.actions.log import ActionLog
from collectors.actions.rules import engine_forbids
from collectors.actions.runner import Runner
from collectors.engines.connections import EngineConnections
from collectors.engines.libvirt.access import LibvirtAccess
from collectors.engines.libvirt.source import LibvirtSource
from collectors.engines.vsphere.access import VsphereAccess
from collectors.engines.vsphere.source import VsphereSource
from collectors.model.actions import AfterTimeout, Outcome, Request, Result, Verb
from collectors.model.details import Table
from collectors.model.errors import SourceAbsent, SourceError
from collectors.model.workloads import State, Workload
from collectors.sampling.source import SourceSpec
from tests.helpers.checkout import ROOT
from tests.helpers.lab.process import wait_until
from tests.helpers.lab.vcsim import Simulator, front, typed_arrays, write_password
from tests.helpers.patience import EXTERNAL_S

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("credentials")]


@pytest.fixture
def runner(esxi: Simulator, tmp_path: Path) -> Runner:
    connections = EngineConnections([SourceSpec("vsphere", {"url": esxi.url()})])
    return Runner(connections.actions, ActionLog(tmp_path / "actions.log"), "tester")


def listed(server: Simulator, name: str) -> Workload:
    source = VsphereSource(server.url())
    source.open(lambda: None)
    try:
        return next(one for one in source.read().workloads.values() if one.name == name)
    finally:
        source.close()


def act(runner: Runner, workload: Workload, verb: Verb) -> Outcome:
    action = runner.submit(Request(verb, workload, after=AfterTimeout.LEAVE))
    wait_until(lambda: action.outcome is not None, 30, f"{verb}")
    assert action.outcome is not None
    return action.outcome


def set_tools(machine: Any, status: str) -> None:
    from pyVmomi import vim

    option = vim.option.OptionValue(key="SET.guest.toolsRunningStatus", value=status)
    machine.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=[option]))


def test_power_is_cut_and_given_and_a_machine_is_suspended_and_resumed(esxi: Simulator, runner: Runner) -> None:
    steps = [
        (Verb.KILL, State.RUNNING, "poweredOff"),
        (Verb.START, State.STOPPED, "poweredOn"),
        (Verb.PAUSE, State.RUNNING, "suspended"),
        (Verb.RESUME, State.PAUSED, "poweredOn"),
    ]
    for verb, before, after in steps:
        workload = listed(esxi, "ha-host_VM1")
        assert workload.state is before
        assert act(runner, workload, verb).result is Result.DONE
        with esxi.machines() as machines:
            assert machines["ha-host_VM1"].runtime.powerState == after


def test_a_guest_with_tools_is_shut_down(esxi: Simulator, runner: Runner) -> None:
    with esxi.machines() as machines:
        machine = machines["ha-host_VM1"]
        set_tools(machine, "guestToolsRunning")
        assert act(runner, listed(esxi, "ha-host_VM1"), Verb.STOP).result is Result.DONE
        assert machine.runtime.powerState == "poweredOff"
        machine.PowerOnVM_Task()


@pytest.mark.parametrize("verb", [Verb.STOP, Verb.RESTART])
def test_a_guest_without_tools_is_not_asked_and_the_reason_is_given(
    esxi: Simulator, runner: Runner, verb: Verb
) -> None:
    with esxi.machines() as machines:
        set_tools(machines["ha-host_VM2"], "guestToolsNotRunning")
        workload = listed(esxi, "ha-host_VM2")
        assert "VMware Tools do not run" in engine_forbids(verb, workload)
        outcome = act(runner, workload, verb)  # as from an older screen
        assert machines["ha-host_VM2"].runtime.powerState == "poweredOn"
    assert outcome.result is Result.FAILED
    assert "VMware Tools do not run in its guest" in outcome.sentence


def test_what_the_server_refuses_is_passed_on(esxi: Simulator) -> None:
    access = VsphereAccess([SourceSpec("vsphere", {"url": esxi.url()})])
    workload = listed(esxi, "ha-host_VM0")
    with pytest.raises(SourceError, match=r"vSphere refused: .*InvalidPowerState"):
        access.actions(workload).perform(Request(Verb.RESUME, workload))


def test_hosts_are_not_acted_on(esxi: Simulator) -> None:
    host = listed(esxi, "localhost.localdomain")
    assert engine_forbids(Verb.KILL, host) == "vmtop does not act on hosts"
    with pytest.raises(SourceAbsent):
        VsphereAccess([SourceSpec("vsphere", {"url": esxi.url()})]).actions(host)


def test_details_have_devices_and_snapshots(esxi: Simulator) -> None:
    with esxi.machines() as machines:
        machines["ha-host_VM0"].CreateSnapshot_Task("before the upgrade", "of today", False, False)
        access = VsphereAccess([SourceSpec("vsphere", {"url": esxi.url()})])
        workload = listed(esxi, "ha-host_VM0")
        tables = {table.title: table for table in access.details()(workload)}
        path = machines["ha-host_VM0"].config.files.vmPathName
        machines["ha-host_VM0"].RemoveAllSnapshots_Task()
    facts = {fact.label: fact.value for fact in tables["Machine"].facts}
    assert (facts["instance UUID"], facts["definition"], facts["memory"]) == (workload.id.id, path, 32 << 20)
    assert tables["Snapshots"].rows[0][0] == "before the upgrade"
    assert str(tables["Disks"].rows[0][-1]).endswith("disk1.vmdk")
    assert str(tables["Network interfaces"].rows[0][1]).startswith("00:0c:29:")
    description = access.raw_description(workload)
    assert description is not None
    assert path in description.text
    with access.facts(False) as read:
        assert read(workload)["isolation"].value == "hardware (vmware, type 1)"
    with pytest.raises(SourceAbsent, match="in a browser") as refusal:
        access.open_console(workload)
    assert refusal.value.remedy == f"http://{esxi.address}/ui"


def test_the_ledger_of_a_host_adds_up(vcenter: Simulator) -> None:
    access = VsphereAccess([SourceSpec("vsphere", {"url": vcenter.url()})])
    ledger = next(table for table in access.details()(listed(vcenter, "DC0_H0")) if table.title == "Ledger")
    rows = {str(row[0]): row[1:] for row in ledger.rows}
    for machines, rest, host in zip(*(rows[name] for name in list(rows)[:3]), strict=True):
        assert isinstance(machines, float)
        assert isinstance(rest, float)
        assert machines > 0
        assert machines + rest == pytest.approx(host)
    assert rows["capacity"] == (2, 4_294_430_720)


def test_commands_end_and_list_the_machines(esxi: Simulator, credentials: Path) -> None:
    environment = {**os.environ, "XDG_CONFIG_HOME": str(credentials.parent.parent)}
    result = subprocess.run(
        [*vmtop("list"), "--only", "vm", "--columns", "name,cpu,mem", "--vsphere", esxi.url()],
        env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    row = next(line.split() for line in result.stdout.splitlines() if line.startswith("ha-host_VM1"))
    assert float(row[1]) > 0


def vmtop(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')", *arguments]


@pytest.fixture
def esx_uri(esxi: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The simulator for libvirt's own driver, whose answers get the types that it asks for."""
    pytest.importorskip("libvirt")
    path = tmp_path / "libvirt-auth.conf"
    write_password(path, "pass")
    path.write_text(path.read_text().replace("auth-vsphere", "auth-esx"))
    monkeypatch.setenv("LIBVIRT_AUTH_FILE", str(path))
    with front(esxi.address, typed_arrays) as between:
        yield f"esx://user@{between.address}/?transport=http&no_verify=1"


def libvirt_machine(uri: str, name: str) -> Workload:
    source = LibvirtSource(uri)
    source.open(lambda: None)
    try:
        return next(one for one in source.read().workloads.values() if one.name == name)
    finally:
        source.close()


def test_libvirts_own_driver_shows_what_it_knows_of_a_machine_without_its_definition(esx_uri: str) -> None:
    workload = libvirt_machine(esx_uri, "ha-host_VM1")
    table: Table = LibvirtAccess([SourceSpec("libvirt", {"uri": esx_uri})]).details()(workload)[0]
    facts = {fact.label: fact.value for fact in table.facts}
    assert (facts["state"], facts["virtual CPUs"], facts["memory"]) == ("running", 1, 32 << 20)
    assert table.note.startswith("Its definition cannot be read: ")


def test_a_restart_by_libvirts_own_driver_asks_the_guest_without_events(esx_uri: str) -> None:
    workload = libvirt_machine(esx_uri, "ha-host_VM1")
    actions = LibvirtAccess([SourceSpec("libvirt", {"uri": esx_uri})]).actions(workload)
    with pytest.raises(SourceError, match="'RebootGuest'"):  # which this simulator does not have
        actions.perform(Request(Verb.RESTART, workload))


def test_libvirts_own_driver_writes_nothing_to_the_terminal(esx_uri: str) -> None:
    program = (
        "import sys; from collectors.engines.libvirt.source import LibvirtSource\n"
        "source = LibvirtSource(sys.argv[1]); source.open(lambda: None)\n"
        "reading = source.read(); print(len(reading.workloads), reading.remedy.split()[-1]); source.close()"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, esx_uri],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=EXTERNAL_S,
        check=True,
    )
    assert (result.stdout, result.stderr) == ("3 pyvmomi\n", "")
