"""Every VMM process is counted once: by a cgroup, by itself, or with the container around it."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.rates import Deriver, Moment
from collectors.kernel.cgroup.discovery import Cgroup, classify_path
from collectors.kernel.vmm.families import FAMILIES
from collectors.kernel.vmm.join import join_machines
from collectors.kernel.vmm.machine_facts import MachineFacts
from collectors.kernel.vmm.machines import Machine
from collectors.kernel.vmm.placement import Place, Placement, as_machine, place
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.workloads import Frame, Kind, Sample, Workload, WorkloadId

SECOND = 10**9
GROUPS = (
    "/", "/system.slice", "/system.slice/web.service", "/system.slice/multipassd.service", "/qemu.slice/101.scope",
    "/user.slice/user-1000.slice/session-4.scope", "/user.slice/user-1000.slice/user@1000.service",
    "/user.slice/user-1000.slice/user@1000.service/app.slice/vm.service", "/firecracker/vm-7", "/firecracker",
    f"/docker/{'ab' * 32}", f"/docker/{'ab' * 32}/inner", "/machine/qemu-1-db.libvirt-qemu", "/a/b/c", "/a/b",
)  # fmt: skip


class Running(NamedTuple):
    """A process of the model: where it is, and how much of one core and of memory it uses."""

    group: str
    is_vmm: bool
    use: int


_UNMANAGED = MachineFacts("vmm")
_PROCESSES = st.lists(st.builds(Running, st.sampled_from(GROUPS), st.booleans(), st.integers(0, 1000)), max_size=12)


def vmm(pid: int, group: str, facts: MachineFacts = _UNMANAGED) -> VmmProcess:
    return VmmProcess(pid, 500 + pid, 0, (group,), facts, FAMILIES[0], "/usr/bin/qemu-system-x86_64", 1)


class Model:
    """A host with some processes, and what vmtop makes of it."""

    def __init__(self, processes: list[Running]) -> None:
        self.processes = dict(enumerate(processes, 1))
        paths = {process.group for process in processes}
        above = {path[:end] for path in paths for end in range(2, len(path) + 1) if path[end : end + 1] in ("", "/")}
        classified = {path: classify_path(path) for path in above}
        self.cgroups = {path: one for path, one in classified.items() if one.path == path and one.workload}
        machines = {pid: vmm(pid, one.group) for pid, one in self.processes.items() if one.is_vmm}
        self.placements = {pid: place(one, self.cgroups, self._is_alone) for pid, one in machines.items()}
        adopted = {
            placement.path: as_machine(placement.path, machines[pid], ("vmm", machines[pid].id), None)
            for pid, placement in self.placements.items()
            if placement.place is Place.WHOLE_GROUP and placement.path is not None
        }
        self.groups: dict[str, Cgroup] = {**self.cgroups, **adopted}
        self.machines = {
            pid: Machine(one, self.placements[pid], None, WorkloadId("vmm", one.id)) for pid, one in machines.items()
        }

    def _is_alone(self, path: str, process: VmmProcess) -> bool:
        return set(self.inside(path)) == {process.pid}

    def inside(self, path: str) -> list[int]:
        return [pid for pid, one in self.processes.items() if f"{one.group}/".startswith(f"{path}/")]

    def moment(self) -> Moment:
        deriver = Deriver()
        deriver.feed(self._frame(0))
        return deriver.feed(self._frame(1))

    def _frame(self, second: int) -> Frame:
        workloads: dict[WorkloadId, Workload] = {}
        samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        by_path: dict[str, WorkloadId] = {}
        for path, cgroup in self.groups.items():
            assert cgroup.workload is not None
            identity = WorkloadId(cgroup.workload.engine, cgroup.workload.id)
            encloser = self.groups.get(cgroup.encloser or "")
            parent = None if encloser is None or encloser.workload is None else WorkloadId(*encloser.workload[:2])
            by_path[path] = identity
            workloads[identity] = Workload(identity, cgroup.workload.kind, path, cgroup=path, parent=parent)
            samples[identity] = (self._sample("cgroup", self.inside(path), second),)
        readings = [(one, (self._sample("vmm-process", [pid], second),)) for pid, one in self.machines.items()]
        join_machines(workloads, samples, readings, by_path)
        host = Workload(WorkloadId("host", "h"), Kind.HOST, "h")
        samples[host.id] = (self._sample("host", list(self.processes), second),)
        at_ns = second * SECOND
        return Frame(at_ns, 0.0, at_ns, host, workloads, samples, (), cpus=64, memory_bytes=1 << 40)

    def _sample(self, source: str, pids: list[int], second: int) -> Sample:
        use = sum(self.processes[pid].use for pid in pids)
        return Sample(
            source,
            second * SECOND,
            cpu_total_ns=use * 10**6 * second,
            memory_charged_bytes=use if source != "vmm-process" else None,
            memory_rss_bytes=use if source == "vmm-process" else None,
        )

    def expected(self) -> dict[Kind | None, int]:
        """Return how much is used by kind; `None` is outside every workload."""
        found: dict[Kind | None, int] = {}
        for pid, process in self.processes.items():
            kind = self._kind(pid, process)
            found[kind] = found.get(kind, 0) + process.use
        return found

    def _kind(self, pid: int, process: Running) -> Kind | None:
        placement = self.placements.get(pid)
        if placement is not None and placement.place in (Place.WHOLE_GROUP, Place.BY_PROCESS):
            return Kind.VM
        around = [path for path in self.groups if f"{process.group}/".startswith(f"{path}/")]
        workload = self.groups[max(around, key=len)].workload if around else None
        return None if workload is None else workload.kind


@given(_PROCESSES)
def test_the_ledger_adds_up_and_counts_every_process_once(processes: list[Running]) -> None:
    model = Model(processes)
    ledger, expected = model.moment().ledger, model.expected()
    for shares, scale in ((ledger.cpu_cores, 1000), (ledger.memory_bytes, 1)):
        if shares is None:  # memory of a host without any
            continue
        for kind, share in ((Kind.VM, shares.vm), (Kind.CONTAINER, shares.container), (Kind.SERVICE, shares.service)):
            assert share is not None
            assert share * scale == pytest.approx(expected.get(kind, 0), abs=1e-6)
        assert shares.rest * scale == pytest.approx(expected.get(None, 0), abs=1e-6)


@given(_PROCESSES)
def test_every_vmm_is_a_machine_once_or_part_of_a_container(processes: list[Running]) -> None:
    model = Model(processes)
    readings = model.moment().readings
    rows = sum(reading.workload.kind is Kind.VM for reading in readings.values())
    places = [placement.place for placement in model.placements.values()]
    by_path = [cgroup for cgroup in model.cgroups.values() if cgroup.workload and cgroup.workload.kind is Kind.VM]
    assert rows == places.count(Place.WHOLE_GROUP) + places.count(Place.BY_PROCESS) + len(by_path)
    inside = [pid for pid, placement in model.placements.items() if placement.place is Place.OF_CONTAINER]
    assert all(model.processes[pid].group.startswith("/docker/") for pid in inside)


@pytest.mark.parametrize(
    ("groups", "places"),
    [
        ([("/", True)], [Placement(Place.BY_PROCESS, None)]),
        ([(GROUPS[2], True)], [Placement(Place.WHOLE_GROUP, GROUPS[2])]),
        ([(GROUPS[2], True), (GROUPS[2], True)], [Placement(Place.BY_PROCESS, GROUPS[2])] * 2),
        ([(GROUPS[5], True), (GROUPS[5], False)], [Placement(Place.BY_PROCESS, GROUPS[5])]),
        ([(GROUPS[8], True)], [Placement(Place.WHOLE_GROUP, GROUPS[8])]),
        ([(GROUPS[4], True)], [Placement(Place.OF_MACHINE, GROUPS[4])]),
        ([(GROUPS[11], True)], [Placement(Place.OF_CONTAINER, GROUPS[10])]),
        ([(GROUPS[12], True)], [Placement(Place.OF_MACHINE, GROUPS[12])]),
    ],
    ids=["root", "unit", "two in a unit", "session", "jail", "Proxmox", "inside a container", "libvirt"],
)
def test_where_a_machine_is_counted(groups: list[tuple[str, bool]], places: list[Placement]) -> None:
    model = Model([Running(group, is_vmm, 1) for group, is_vmm in groups])
    assert list(model.placements.values()) == places
