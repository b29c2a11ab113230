"""Machines found by their processes are joined with the cgroups around them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from collectors.kernel.cgroup.discovery import Cgroup, classify_path
from collectors.kernel.cgroup.hierarchy import Hierarchy, Mode
from collectors.kernel.vmm.join import join_machines
from collectors.kernel.vmm.machines import Machines
from collectors.kernel.vmm.scan import VmmScan
from collectors.model.workloads import Kind, Sample, State, Workload, WorkloadId
from tests.helpers.process_tree import capture
from tests.helpers.vmm_commands import COMMANDS, QEMU, UUID, VmmCommand

PROXMOX = "/qemu.slice/101.scope"
LIBVIRT = "/machine/qemu-1-db.libvirt-qemu"


class Host:
    """A procfs of the test's own, and the machines in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 0.0
        self.scan = VmmScan(str(folder), lambda: self.now)
        self.machines = Machines(Hierarchy(Mode.V2, {"unified": str(folder / "cg")}), str(folder), "", self.scan)
        self.cgroups: dict[str, Cgroup] = {}

    def start(self, pid: int, command: VmmCommand, cgroup: str = "/", start: int = 500) -> None:
        words = "".join(f"{word}\0" for word in command.words).encode()
        folder = capture(self.folder, pid, "vmm", command=words, cgroup=cgroup, start=start)
        (folder / "exe").symlink_to(command.program)
        for each in ("task", "fd"):
            (folder / each).mkdir()
        if cgroup != "/":
            self.cgroups[cgroup] = classify_path(cgroup)
            procs = self.folder / f"cg{cgroup}/cgroup.procs"
            procs.parent.mkdir(parents=True, exist_ok=True)
            procs.write_text((procs.read_text() if procs.exists() else "") + f"{pid}\n")

    def look(self, taken: Collection[WorkloadId] = ()) -> dict[WorkloadId, tuple[Workload, tuple[Sample, ...]]]:
        """Return the rows of the cgroups and the machines, with their samples."""
        self.now += 10
        self.machines.follow(self.cgroups, lambda: taken)
        workloads: dict[WorkloadId, Workload] = {}
        samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        by_path = {}
        for path, cgroup in {**self.cgroups, **self.machines.adopted}.items():
            assert cgroup.workload is not None
            identity = by_path[path] = WorkloadId(cgroup.workload.engine, cgroup.workload.id)
            row = Workload(identity, cgroup.workload.kind, cgroup.workload.name, State.RUNNING, cgroup=path)
            workloads[identity], samples[identity] = row, (Sample("cgroup", 1),)
        join_machines(workloads, samples, self.machines.read(), by_path)
        return {identity: (workload, samples[identity]) for identity, workload in workloads.items()}


def sources(samples: tuple[Sample, ...]) -> list[str]:
    return [sample.source for sample in samples]


def test_a_machine_of_proxmox_gets_what_its_process_shows(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, COMMANDS["Proxmox VE"], PROXMOX)
    ((identity, (workload, samples)),) = host.look().items()
    assert (identity, workload.kind) == (WorkloadId("proxmox", "101"), Kind.VM)
    assert sources(samples) == ["cgroup", "vmm-process", "vmm"]
    assert (samples[2].vcpus, samples[2].memory_limit_bytes) == (2, 2 << 30)


def test_a_domain_of_libvirt_is_left_to_libvirt(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, COMMANDS["libvirt"], LIBVIRT)
    ((_, (workload, samples)),) = host.look().items()
    assert workload.cgroup == LIBVIRT
    assert sources(samples) == ["cgroup"]


def test_a_domain_of_libvirt_without_a_cgroup_is_the_same_machine(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, COMMANDS["libvirt"])
    assert list(host.look()) == [WorkloadId("qemu", UUID)]


def test_of_two_machines_that_claim_the_same_id_the_older_one_has_it(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, COMMANDS["plain QEMU"], start=700)
    host.start(43, COMMANDS["plain QEMU"], start=600)
    assert set(host.look()) == {WorkloadId("vmm", UUID), WorkloadId("vmm", "42-700")}


def test_nobody_takes_the_id_of_a_machine_that_a_cgroup_identifies(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, COMMANDS["libvirt"])
    assert list(host.look({WorkloadId("qemu", UUID)})) == [WorkloadId("vmm", "42-500")]


def test_a_unit_becomes_the_machine_and_a_unit_again(tmp_path: Path) -> None:
    host = Host(tmp_path)
    unit = "/system.slice/web.service"
    host.start(42, COMMANDS["VirtualBox headless by hand"], unit)
    assert list(host.look()) == [WorkloadId("virtualbox", "ci")]
    (tmp_path / "42/stat").unlink()
    (tmp_path / "42/exe").unlink()
    host.scan.forget(42)
    assert list(host.look()) == [WorkloadId("systemd", unit)]
    assert host.machines.adopted == {}


def test_a_machine_inside_a_container_is_named_by_the_container(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, COMMANDS["plain QEMU"], f"/docker/{'ab' * 32}")
    ((identity, (workload, samples)),) = host.look().items()
    assert (identity.engine, workload.kind, workload.description) == (
        "docker",
        Kind.CONTAINER,
        "runs the VM web (QEMU)",
    )
    assert sources(samples) == ["cgroup"]


def test_a_helper_does_not_share_a_unit_and_another_service_does(tmp_path: Path) -> None:
    host = Host(tmp_path)
    unit = "/system.slice/web.service"
    host.start(42, COMMANDS["plain QEMU"], unit)
    host.start(50, VmmCommand("/usr/bin/swtpm", "socket", "", "", ""), unit)
    (tmp_path / "50/comm").write_text("swtpm\n")
    assert list(host.look()) == [WorkloadId("vmm", UUID)]
    (tmp_path / "50/comm").write_text("nginx\n")
    for _ in range(5):  # it is judged again from time to time
        rows = host.look()
    assert set(rows) == {WorkloadId("systemd", unit), WorkloadId("vmm", UUID)}
    assert rows[WorkloadId("vmm", UUID)][0].parent == WorkloadId("systemd", unit)


def test_a_second_machine_in_a_unit_is_noticed_at_once(tmp_path: Path) -> None:
    host = Host(tmp_path)
    unit = "/system.slice/web.service"
    host.start(42, COMMANDS["plain QEMU"], unit)
    assert list(host.look()) == [WorkloadId("vmm", UUID)]
    host.start(43, COMMANDS["QEMU without a name"], unit)
    rows = host.look()
    assert set(rows) == {WorkloadId("systemd", unit), WorkloadId("vmm", UUID), WorkloadId("vmm", "43-500")}
    assert sources(rows[WorkloadId("vmm", UUID)][1]) == ["vmm-process", "vmm"]


def test_hostile_names_are_inert(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.start(42, VmmCommand(QEMU, "-name \x1b[31mred\u202e -hda x.img", "", "", ""))
    ((_, (workload, _)),) = host.look().items()
    assert workload.name.isprintable()
