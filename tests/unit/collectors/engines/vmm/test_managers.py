"""Managers that are asked by their own command: stand-ins for `qm`, `VBoxManage`, `vmrun`, `multipass`, `limactl`."""

from __future__ import annotations

import os
import pwd
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.lima import registry as lima
from collectors.engines.multipass import registry as multipass
from collectors.engines.proxmox import registry as proxmox
from collectors.engines.registry import ENGINES
from collectors.engines.virtualbox import registry as virtualbox
from collectors.engines.vmm import managed_access, manager_command, registered, registry_source
from collectors.engines.vmm.managed import ManagedEngine
from collectors.engines.vmm.manager import Manager, equivalent, filled
from collectors.engines.vmm.manager_command import run
from collectors.engines.vmm.registered import OWNER_LABEL, Home, Registered, homes
from collectors.engines.vmm.registry_source import RegistrySource
from collectors.engines.vmware import registry as vmware
from collectors.kernel.vmm.families import FAMILIES
from collectors.kernel.vmm.machine_facts import MachineFacts
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.actions import ActionTimedOut, Request, Verb
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceError
from collectors.model.workloads import Kind, State, Workload, WorkloadId

MANAGED = [engine for engine in ENGINES if isinstance(engine, ManagedEngine)]
ME = os.geteuid()
UUID = "0f0e0d0c-1111-2222-3333-444455556666"


def machine(engine: ManagedEngine, identity: str = "101", owner: int = ME, kind: Kind = Kind.VM) -> Workload:
    return Workload(WorkloadId(engine.name, identity), kind, "web", State.STOPPED, labels=((OWNER_LABEL, str(owner)),))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which programs are found; each writes down its words and its environment."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for engine in MANAGED:
        for one in (engine.manager, getattr(engine, "containers", engine.manager)):
            program = folder / one.program
            program.write_text(
                f'#!/bin/sh\nprintf "%s\\n" "$0" "$@" > {folder}/asked\n/usr/bin/env > {folder}/environment\n'
            )
            program.chmod(0o755)
    monkeypatch.setattr(manager_command, "FOLDERS", (str(folder),))
    return folder


@pytest.mark.parametrize("engine", MANAGED, ids=lambda engine: engine.name)
def test_each_verb_is_one_command_of_the_manager(engine: ManagedEngine, programs: Path) -> None:
    identity = "/home/ann/My VMs/a;b $(id)/web.vmx"
    for verb in engine.verbs:
        request = Request(Verb(verb), machine(engine, identity), timeout_s=7)
        engine.connect([]).actions(request.workload).perform(request)
        program, *words = (programs / "asked").read_text().splitlines()
        assert program == str(programs / engine.manager.program)
        assert words == filled(engine.manager.arguments[verb], identity, 7)
        assert identity in words, "one word, whatever is in it"
        assert "'/home/ann/My VMs/a;b $(id)/web.vmx'" in engine.commands(request)[0]


def test_a_container_of_proxmox_has_its_own_command(programs: Path) -> None:
    engine = next(engine for engine in MANAGED if engine.name == "proxmox")
    request = Request(Verb.STOP, machine(engine, "103", kind=Kind.CONTAINER), timeout_s=9)
    engine.connect([]).actions(request.workload).perform(request)
    assert (programs / "asked").read_text().split()[1:] == ["shutdown", "103", "--timeout", "9"]
    assert engine.commands(request) == ("pct shutdown 103 --timeout 9",)


def test_pausing_is_refused_where_nothing_shows_its_effect() -> None:
    vmware, proxmox = (next(one for one in MANAGED if one.name == name) for name in ("vmware", "proxmox"))
    reason = vmware.forbids(Verb.RESUME, machine(vmware, "/h/my db.vmx"))
    assert reason.endswith("vmrun -T ws unpause '/h/my db.vmx'")
    assert "experiment" in proxmox.forbids(Verb.PAUSE, machine(proxmox, kind=Kind.CONTAINER))
    assert not proxmox.forbids(Verb.PAUSE, machine(proxmox))


def test_a_machine_is_not_taken_for_an_option(programs: Path) -> None:
    engine = next(engine for engine in MANAGED if engine.name == "lima")
    request = Request(Verb.START, machine(engine, "--help"))
    with pytest.raises(SourceError, match="--help would be taken for an option"):
        engine.connect([]).actions(request.workload).perform(request)
    assert not (programs / "asked").exists()


def test_a_command_gets_nothing_of_vmtops_environment(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD_SECRET", "x")
    run(Manager("qm", {}), ("start", "1"), ME, 5, "")
    environment = dict(line.partition("=")[::2] for line in (programs / "environment").read_text().splitlines())
    assert "LD_PRELOAD_SECRET" not in environment
    assert environment["HOME"] == pwd.getpwuid(ME).pw_dir


@pytest.mark.skipif(ME != 0, reason="only root may become another user")
def test_as_root_it_runs_as_the_machines_owner_with_none_of_roots_groups(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = pwd.getpwnam("nobody")
    output = tmp_path / "out"
    output.mkdir()
    output.chmod(0o777)
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o055)
    (programs / "VBoxManage").write_text(
        f"#!/bin/sh\n/usr/bin/id -u > {output}/uid; /usr/bin/id -G > {output}/groups\n"
    )
    monkeypatch.setattr(manager_command, "FOLDERS", (str(programs), "/usr/bin"))
    run(Manager("VBoxManage", {}), ("startvm", UUID), nobody.pw_uid, 5, "")
    assert (output / "uid").read_text().strip() == str(nobody.pw_uid)
    assert "0" not in (output / "groups").read_text().split()


def test_another_users_machine_is_refused_with_the_command_that_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = next(engine for engine in MANAGED if engine.name == "virtualbox")
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    request = Request(Verb.STOP, machine(engine, UUID, owner=0))
    with pytest.raises(AccessDenied, match="root runs it") as refused:
        engine.connect([]).actions(request.workload).perform(request)
    assert refused.value.remedy == f"sudo VBoxManage controlvm {UUID} acpipowerbutton"


def test_a_command_that_hangs_is_killed_and_one_that_fails_tells_why(programs: Path) -> None:
    (programs / "qm").write_text("#!/bin/sh\nexec /bin/sleep 100\n")
    with pytest.raises(NotInTime, match="did not end"):
        run(Manager("qm", {}), ("start", "1"), ME, 0.3, "")
    (programs / "qm").write_text("#!/bin/sh\nprintf 'VM 1 \\033[31mlocked\\n' >&2; exit 255\n")
    with pytest.raises(SourceError, match=r"qm refused: VM 1 .*locked") as refused:
        run(Manager("qm", {}), ("start", "1"), ME, 5, "")
    assert "\x1b" not in refused.value.reason
    (programs / "qm").unlink()
    with pytest.raises(SourceAbsent, match="qm is not installed"):
        run(Manager("qm", {}), ("start", "1"), ME, 5, "")


@pytest.mark.parametrize(
    ("verb", "script", "error"),
    [
        (Verb.STOP, "/bin/sleep 1; echo got timeout >&2; exit 255", ActionTimedOut),
        (Verb.STOP, "echo locked >&2; exit 255", SourceError),
        (Verb.RESTART, "exec /bin/sleep 60", ActionTimedOut),
        (Verb.START, "exec /bin/sleep 60", NotInTime),
    ],
)
def test_a_guest_that_does_not_comply_is_told_from_a_manager_that_refuses(
    programs: Path, monkeypatch: pytest.MonkeyPatch, verb: Verb, script: str, error: type[Exception]
) -> None:
    monkeypatch.setattr(managed_access, "_GRACE_S", 1.0)
    (programs / "qm").write_text(f"#!/bin/sh\n{script}\n")
    engine = next(engine for engine in MANAGED if engine.name == "proxmox")
    request = Request(verb, machine(engine), timeout_s=0.5)
    with pytest.raises(error) as raised:
        engine.connect([]).actions(request.workload).perform(request)
    assert raised.type is error


def test_a_machine_that_keeps_the_output_of_its_command_open_does_not_hold_it_up(programs: Path) -> None:
    (programs / "qm").write_text("#!/bin/sh\necho started\n/bin/sleep 60 & echo $! > $0.pid\n")
    assert run(Manager("qm", {}), ("start", "1"), ME, 20, "") == "started\n"
    os.kill(int((programs / "qm.pid").read_text()), signal.SIGKILL)


def test_a_command_has_a_session_of_its_own_and_no_way_to_the_terminal(programs: Path) -> None:
    (programs / "qm").write_text("#!/bin/sh\n/usr/bin/cut -d' ' -f1,6 /proc/$$/stat\n")
    pid, session = run(Manager("qm", {}), ("start", "1"), ME, 5, "").split()
    assert pid == session


def test_a_stopped_machine_that_the_manager_lists_is_observed_as_stopped(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = next(engine for engine in MANAGED if engine.name == "virtualbox")
    monkeypatch.setattr(type(engine), "registered", lambda _: iter([Registered(UUID, "web", ME)]))
    assert engine.connect([]).actions(machine(engine)).observe(machine(engine, UUID)).state is State.STOPPED
    with pytest.raises(SourceError, match="does not list"):
        engine.connect([]).actions(machine(engine)).observe(machine(engine, "gone"))
    assert managed_access.owner_of(machine(engine, UUID, owner=77)) == 77


def test_the_source_lists_what_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = next(engine for engine in MANAGED if engine.name == "virtualbox")
    listed = [Registered(UUID, "web\x1b[31m", ME), Registered("other", "db", ME)]
    monkeypatch.setattr(type(engine), "registered", lambda _: iter(listed))
    source = engine.load_source()()
    assert isinstance(source, RegistrySource)
    source.open(lambda: None)
    workloads = source.read().workloads
    assert {(one.id.id, one.state) for one in workloads.values()} == {(UUID, State.STOPPED), ("other", State.STOPPED)}
    assert not any("\x1b" in one.name for one in workloads.values())


def stand_in_process(engine: str, identity: str, uid: int) -> VmmProcess:
    facts = MachineFacts(engine, identity, identity)
    return VmmProcess(1, 1, uid, ("/",), facts, FAMILIES[1], "/usr/lib/virtualbox/VBoxHeadless", 1)


def test_a_machine_that_was_started_by_its_name_has_no_second_row(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = next(engine for engine in MANAGED if engine.name == "virtualbox")
    listed = [Registered(UUID, "web", 1000), Registered("other", "web", 1001)]
    monkeypatch.setattr(type(engine), "registered", lambda _: iter(listed))
    monkeypatch.setattr(registry_source, "running_machines", lambda: [stand_in_process("virtualbox", "web", 1000)])
    assert [identity.id for identity in engine.load_source()().read().workloads] == ["other"]


def test_a_machine_that_runs_has_its_state_from_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = next(engine for engine in MANAGED if engine.name == "virtualbox")
    monkeypatch.setattr(type(engine), "registered", lambda _: iter([Registered(UUID, "web", 1000)]))
    monkeypatch.setattr(registry_source, "running_machines", lambda: [stand_in_process("virtualbox", UUID, 1000)])
    assert [one.state for one in engine.load_source()().read().workloads.values()] == [State.UNKNOWN]


@pytest.mark.skipif(ME != 0, reason="only root looks into other users' homes")
def test_root_also_looks_into_the_homes_of_those_who_run_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passwd").write_text("a:x:4001:1::/home/a:/bin/sh\nb:x:4002:1::/home/b:/bin/sh\n")
    monkeypatch.setattr(registered, "running_machines", lambda: [stand_in_process("vmware", "/a.vmx", 4002)])
    found = list(registered.homes("vmware", str(tmp_path / "passwd"), str(tmp_path / "none")))
    assert found == [Home(4002, "/home/b")]


def test_guests_of_proxmox_are_read_from_its_files_and_snapshots_are_not(tmp_path: Path) -> None:
    for folder in ("qemu-server", "lxc"):
        (tmp_path / folder).mkdir()
    (tmp_path / "qemu-server" / "101.conf").write_text("cores: 2\nname: web\n\n[before]\nname: old\n")
    (tmp_path / "qemu-server" / "900.conf").write_text("name: debian\ntemplate: 1\n")
    (tmp_path / "qemu-server" / "x.conf").write_text("name: no\n")
    (tmp_path / "qemu-server" / "102.conf").symlink_to("/etc/passwd")
    (tmp_path / "lxc" / "103.conf").write_text("hostname: db\n")
    found = {(one.id, one.name, one.kind) for one in proxmox.guests(str(tmp_path))}
    assert found == {("101", "web", Kind.VM), ("102", "102", Kind.VM), ("103", "db", Kind.CONTAINER)}
    with pytest.raises(SourceAbsent):
        list(proxmox.guests(str(tmp_path / "none")))


def test_machines_of_virtualbox_and_vmware_are_read_from_their_owners_files_alone(tmp_path: Path) -> None:
    home = Home(ME, str(tmp_path))
    (tmp_path / ".config/VirtualBox").mkdir(parents=True)
    (tmp_path / ".config/VirtualBox/VirtualBox.xml").write_text(
        f'<VirtualBox><MachineRegistry><MachineEntry uuid="{{{UUID.upper()}}}" src="/h/My &amp; VMs/web.vbox"/>\n'
        '<MachineEntry uuid="{nonsense}" src="/x.vbox"/></MachineRegistry></VirtualBox>'
    )
    (tmp_path / ".vmware").mkdir()
    (tmp_path / ".vmware/inventory.vmls").write_text(
        'vmlist1.config = "/h/db/db.vmx"\nvmlist1.DisplayName = "the db"\nvmlist2.config = "relative.vmx"\n'
        'vmlist3.config = "/h/m/m.vmx"\nindex0.id = "1"\n'
    )
    assert list(virtualbox.machines([home])) == [Registered(UUID, "web", ME)]
    assert list(vmware.machines([home])) == [
        Registered("/h/db/db.vmx", "the db", ME),
        Registered("/h/m/m.vmx", "m", ME),
    ]
    stranger = Home(ME + 1, str(tmp_path))
    for module in (virtualbox, vmware):
        with pytest.raises(SourceAbsent):
            list(module.machines([stranger]))


def test_instances_of_lima_are_folders_of_their_owner_with_a_description(tmp_path: Path) -> None:
    for name in ("default", "k8s", "_config", "empty", "linked"):
        (tmp_path / ".lima" / name).mkdir(parents=True)
    for name in ("default", "k8s", "_config"):
        (tmp_path / ".lima" / name / "lima.yaml").write_text("cpus: 4\n")
    (tmp_path / ".lima/linked/lima.yaml").symlink_to("/etc/passwd")
    assert [one.id for one in lima.machines([Home(ME, str(tmp_path))])] == ["default", "k8s"]
    with pytest.raises(SourceAbsent):
        list(lima.machines([Home(ME + 1, str(tmp_path))]))
    (tmp_path / "other").mkdir()
    (tmp_path / "other/.lima").symlink_to(tmp_path / ".lima")
    with pytest.raises(SourceAbsent):
        list(lima.machines([Home(ME, str(tmp_path / "other"))]))


@pytest.mark.skipif(ME != 0, reason="the list has to be root's")
def test_instances_of_multipass_are_those_that_are_not_deleted(tmp_path: Path) -> None:
    file = tmp_path / "multipassd-vm-instances.json"
    with pytest.raises(SourceAbsent):
        list(multipass.instances(str(tmp_path)))
    file.write_text('{"primary": {"deleted": false, "state": 4, "mem_size": "1G"}, "old": {"deleted": true}}')
    assert list(multipass.instances(str(tmp_path))) == [Registered("primary", "primary", 0)]
    for odd in ("[]", '{"a": 1}', "[" * 100_000, "\x00", '{"a": {"deleted": "x"}}'):
        file.write_text(odd)
        assert list(multipass.instances(str(tmp_path))) == []


def test_of_two_users_instances_with_one_name_the_one_that_runs_has_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = next(engine for engine in MANAGED if engine.name == "lima")
    listed = [Registered("default", "default", 1000), Registered("default", "default", 1001)]
    monkeypatch.setattr(type(engine), "registered", lambda _: iter(listed))
    running: list[VmmProcess] = [stand_in_process("lima", "default", 1001)]
    monkeypatch.setattr(registry_source, "running_machines", lambda: running)
    source = engine.load_source()()
    (row,) = source.read().workloads.values()
    assert (row.state, row.labels) == (State.UNKNOWN, ((OWNER_LABEL, "1001"),))
    running.clear()
    (row,) = source.read().workloads.values()
    assert (row.state, row.labels) == (State.STOPPED, ((OWNER_LABEL, "1000"),))


@given(st.binary(max_size=400))
def test_whatever_is_in_an_inventory_is_read_or_left_out(text: bytes) -> None:
    for pattern in (virtualbox._ENTRY, vmware._LINE):
        assert isinstance(pattern.findall(text.decode("utf-8", "replace")), list)


def test_only_homes_of_those_who_are_logged_in_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text(
        "a:x:4001:1::/home/a:/bin/sh\nb:x:4002:1::/home/b:/bin/sh\nc:x:4003:1::rel:/x\nbad\n"
    )
    for uid in ("4001", "4003", "x"):
        (tmp_path / "run" / uid).mkdir(parents=True)
    found = list(homes("vmware", str(tmp_path / "passwd"), str(tmp_path / "run")))
    assert found == ([Home(4001, "/home/a")] if ME == 0 else [])


@given(st.text(max_size=30), st.sampled_from(["", "root", "ann"]))
def test_an_equivalent_command_keeps_the_machine_in_one_word(identity: str, user: str) -> None:
    import shlex

    manager = Manager("qm", {"start": ("start", "{id}")})
    words = shlex.split(equivalent(manager, "start", identity, 1, user))
    assert words[-3:] == ["qm", "start", identity]
