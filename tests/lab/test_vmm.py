"""Virtual machines that no manager runs, found by their processes: real QEMUs, and stand-ins for other VMMs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from collectors.analysis.rates import Deriver, Moment, Reading
from collectors.engines.registry import load_source
from collectors.kernel.vmm.process import find
from collectors.kernel.vmm.scan import shared_scan
from collectors.model.workloads import Kind, WorkloadId
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceSpec
from tests.helpers import vmm_commands as commands
from tests.helpers.checkout import ROOT
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.hugepages import hugepages
from tests.helpers.lab.process import Daemon, find_program, wait_until
from tests.helpers.lab.vmm import VmmLab, has_kvm, vmm_lab
from tests.helpers.vmm_commands import COMMANDS

pytestmark = pytest.mark.lab

UUID = str(uuid4())
DOCKER = uuid4().hex * 2
TAG = f"-{os.getpid()}"
"""Ends the names of all machines: another run of these tests may have the same ones."""
SANDBOX = uuid4().hex * 2
FRESH = {
    commands.UUID: str(uuid4()),
    commands.SANDBOX: SANDBOX,
    commands.SANDBOX[:12]: SANDBOX[:12],
    **{word: f"{word}{os.getpid()}" for word in ("vm-7", "primary", "default", "build", "/home/u", "/run/ch")},
}
"""What replaces ids and names in the command lines of stand-ins."""


def fresh(text: str) -> str:
    for old, new in FRESH.items():
        text = text.replace(old, new)
    return text


CPU_TOLERANCE = 0.15
"""Of a core: psutil reads a moment before and after vmtop does, and counts in ticks of 10 ms."""
MEMORY_TOLERANCE = 0.05
"""Of the process's resident size."""


@pytest.fixture
def lab(lab_root: Path) -> Iterator[VmmLab]:
    with skip_or_fail(), vmm_lab(lab_root / f"vmm-{time.monotonic_ns()}") as lab:
        yield lab


class Watch:
    """vmtop's own sources of the kernel, read when asked."""

    def __init__(self) -> None:
        self._sampler: Sampler | None = None
        self._deriver = Deriver()

    def look(self) -> Moment:
        """Read everything. The first look starts the sources: they look for new machines every two seconds."""
        if self._sampler is None:
            shared_scan().update(is_due=True)
            self._sampler = Sampler([SourceSpec("host"), SourceSpec("cgroup")], load_source)
            for worker in self._sampler.workers:
                worker.start()
        return self._deriver.feed(self._sampler.tick(time.monotonic() + 10))

    def close(self) -> None:
        if self._sampler is not None:
            self._sampler.stop()


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.close()


def row(moment: Moment, engine: str, identity: str) -> Reading:
    return moment.readings[WorkloadId(engine, identity)]


def machines(moment: Moment, name: str) -> list[Reading]:
    readings = moment.readings.values()
    return [reading for reading in readings if (reading.workload.name, reading.workload.kind) == (name + TAG, Kind.VM)]


def named(moment: Moment, name: str) -> Reading:
    found = machines(moment, name)
    assert len(found) == 1, f"{name} is shown {len(found)} times"
    return found[0]


def measured(watch: Watch, daemons: dict[str, Daemon], span_s: float = 2.0) -> tuple[Moment, dict[str, float]]:
    """Return a moment, and how many cores each process used over the same span by psutil."""
    processes = {name: psutil.Process(daemon.pid) for name, daemon in daemons.items()}
    watch.look()
    before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    began = time.monotonic()
    time.sleep(span_s)
    moment = watch.look()
    elapsed = time.monotonic() - began
    return moment, {name: (sum(one.cpu_times()[:2]) - before[name]) / elapsed for name, one in processes.items()}


def check_use(reading: Reading, pid: int, cores: float) -> None:
    """Compare a machine's CPU and memory with those of its process."""
    cpu, memory = reading.value("cpu_percent"), reading.value("memory_host_bytes")
    assert cpu is not None
    assert memory is not None
    assert cpu / 100 == pytest.approx(cores, abs=CPU_TOLERANCE)
    if reading.workload.cgroup is None:
        resident = psutil.Process(pid).memory_info().rss
        assert memory == pytest.approx(resident, rel=MEMORY_TOLERANCE, abs=1 << 20)


def check_ledger(moment: Moment) -> None:
    for shares in moment.ledger:
        assert shares is not None
        parts = [part for part in (shares.vm, shares.container, shares.service, shares.rest) if part is not None]
        assert sum(parts) == pytest.approx(shares.host)


def test_a_qemu_is_a_machine_wherever_it_was_started(lab: VmmLab, watch: Watch) -> None:
    session, unit = lab.group("session-4.scope"), lab.group("web.service")
    shared, container = lab.group("two.service"), lab.group(f"docker/{DOCKER}")
    lab.start(["/bin/sleep", "600"], session)
    daemons = {
        "by-hand": lab.qemu("by-hand", "-name", f"by-hand{TAG},debug-threads=on", "-smp", "2", sector=BootSector.BUSY),
        "in-session": lab.qemu("in-session", "-name", f"in-session{TAG}", group=session),
        "as-unit": lab.qemu("as-unit", "-name", f"as-unit{TAG},debug-threads=on", "-uuid", UUID, group=unit),
        "first": lab.qemu("first", "-name", f"first{TAG}", group=shared),
        "second": lab.qemu(f"second{TAG}", group=shared),
        "inside": lab.qemu("inside", "-name", f"inside{TAG}", group=container),
    }
    moment, cores = measured(watch, daemons)
    for name in ("by-hand", "in-session", "first", "second"):
        reading = named(moment, name)
        assert (reading.workload.kind, reading.workload.id.engine) == (Kind.VM, "vmm")
        assert reading.workload.cgroup is None
        check_use(reading, daemons[name].pid, cores[name])
    as_unit = row(moment, "vmm", UUID)
    assert (as_unit.workload.name, as_unit.workload.cgroup) == (f"as-unit{TAG}", unit)
    assert WorkloadId("systemd", unit) not in moment.readings
    check_use(as_unit, daemons["as-unit"].pid, cores["as-unit"])
    for name, path in (("in-session", session), ("first", shared), ("second", shared)):
        assert named(moment, name).workload.parent == WorkloadId("systemd", path)
    assert not machines(moment, "inside")
    assert f"runs the VM inside{TAG}" in (row(moment, "docker", DOCKER).workload.description or "")
    check_ledger(moment)


def test_a_real_qemu_in_a_real_container_is_the_containers(docker_lab: DockerLab, watch: Watch) -> None:
    client = docker_lab.client
    program = find_program("qemu-system-x86_64")
    binds = [f"{path}:{path}:ro" for path in ("/usr", "/lib", "/lib64")]
    made = client.create_container(
        "busybox:lab",
        [program, "-accel", "tcg", "-m", "64", "-display", "none", "-nodefaults", "-name", "inner", "-net", "none"],
        name="vm-inside",
        host_config=client.create_host_config(binds=binds, network_mode="none"),
    )
    try:
        client.start(made["Id"])
        state = client.inspect_container(made["Id"])["State"]
        wait_until(lambda: (find(state["Pid"]) or 0) != 0, 20, "QEMU in the container")
        moment = watch.look()
        container = row(moment, "docker", made["Id"])
        assert "runs the VM inner (QEMU)" in (container.workload.description or "")
        assert (container.value("memory_host_bytes") or 0) > 1 << 20
        assert not machines(moment, "inner")
    finally:
        client.remove_container(made["Id"], force=True)


def test_the_virtual_cpus_and_what_a_machine_was_given_are_known(lab: VmmLab, watch: Watch) -> None:
    daemon = lab.qemu("busy", "-name", f"busy{TAG},debug-threads=on", "-smp", "2", sector=BootSector.BUSY)
    unnamed = lab.qemu("unnamed", "-name", f"unnamed{TAG}")
    moment, cores = measured(watch, {"busy": daemon, "unnamed": unnamed})
    busy = named(moment, "busy")
    assert busy.value("vcpus") == 2
    assert busy.value("memory_limit_bytes") == 64 << 20
    vcpus = busy.value("vcpu_percent")
    assert vcpus is not None
    assert vcpus / 100 * 2 == pytest.approx(cores["busy"], abs=CPU_TOLERANCE)
    assert busy.value("cpu_steal_percent") is not None
    reading = named(moment, "unnamed")
    assert (reading.value("vcpus"), reading.value("vcpu_percent")) == (1, None)
    assert ("vcpus", "unnamed threads") in [(note.topic, note.cause) for note in reading.workload.unmeasured]


def test_a_machine_that_runs_by_kvm_is_measured_too(lab: VmmLab, watch: Watch) -> None:
    if not has_kvm():
        pytest.skip("this machine has no KVM")
    unit = lab.group("kvm.service")
    daemon = lab.qemu("kvm", "-name", f"kvm{TAG},debug-threads=on", group=unit, sector=BootSector.BUSY, is_kvm=True)
    moment, cores = measured(watch, {"kvm": daemon})
    reading = named(moment, "kvm")
    assert reading.workload.cgroup == unit
    check_use(reading, daemon.pid, cores["kvm"])
    assert (reading.value("vcpu_percent") or 0) > 0


def test_the_traffic_of_a_tap_is_the_machines_seen_from_inside(lab: VmmLab, watch: Watch) -> None:
    name = f"vmt{os.getpid() % 10**9}"
    lab.tap(name)
    lab.qemu("net", "-name", f"net{TAG}", "-nic", f"tap,ifname={name},script=no,downscript=no")
    watch.look()
    statistics = Path(f"/sys/class/net/{name}/statistics")
    reading = named(watch.look(), "net")
    sent, received = (int((statistics / f"{way}_bytes").read_text()) for way in ("rx", "tx"))
    assert reading.gauge("net_tx_total_bytes") == sent
    assert reading.gauge("net_rx_total_bytes") == received


STAND_INS = {
    "VirtualBox": "EMT-%d",
    "VMware": "vmx-vcpu-%d",
    "Firecracker": "fc_vcpu %d",
    "Cloud Hypervisor": "vcpu%d",
    "Multipass": "",
    "Lima": "",
    "Incus": "CPU %d/KVM",
    "Kata with QEMU": "CPU %d/KVM",
}


def test_machines_of_other_hypervisors_and_managers_are_rows(lab: VmmLab, watch: Watch) -> None:
    session = lab.group("session-3.scope")
    lab.start(["/bin/sleep", "600"], session)
    daemons = {}
    for name, threads in STAND_INS.items():
        command = COMMANDS[name]
        words = [fresh(word) for word in command.words[1:]]
        daemons[name] = lab.stand_in(command.program.rpartition("/")[2], words, session, threads)
    moment, cores = measured(watch, daemons)
    for name, daemon in daemons.items():
        command = COMMANDS[name]
        reading = row(moment, command.engine, fresh(command.id))
        assert (reading.workload.name, reading.workload.kind) == (fresh(command.name), Kind.VM)
        assert reading.workload.parent == WorkloadId("systemd", session)
        check_use(reading, daemon.pid, cores[name])
        if STAND_INS[name]:
            assert reading.value("vcpus") == 2
            assert (reading.value("vcpu_percent") or 0) > 0
    check_ledger(moment)


def test_a_jail_or_a_sandbox_with_a_cgroup_of_its_own_is_measured_by_it(lab: VmmLab, watch: Watch) -> None:
    jails = {f"vm-{number}{TAG}": lab.group(f"firecracker/vm-{number}") for number in (7, 8)}
    for name, group in jails.items():
        lab.stand_in("firecracker", ["--id", name], group, "fc_vcpu %d")
    kata = [fresh(word) for word in COMMANDS["Kata with QEMU"].words[1:]]
    other = uuid4().hex * 2
    pod = lab.group(f"kubepods/burstable/pod2c48913c-b29f-11e7-9350-020968147796/kata_{SANDBOX}")
    overhead = lab.group(f"kata_overhead/{other}")
    lab.stand_in("qemu-system-x86_64", kata, pod)
    lab.stand_in("cloud-hypervisor", ["--api-socket", f"/run/vc/vm/{other}/clh-api.sock"], overhead)
    watch.look()
    time.sleep(1)
    moment = watch.look()
    for name, group in jails.items():
        assert row(moment, "firecracker", name).workload.cgroup == group
        assert (row(moment, "firecracker", name).value("cpu_percent") or 0) > 0
    assert not [one for one in moment.readings.values() if one.workload.name == "firecracker"]
    machine = row(moment, "kata", SANDBOX).workload
    assert (machine.cgroup, machine.project) == (pod, "pod 2c48913c-b29f-11e7-9350-020968147796")
    assert row(moment, "kata", other).workload.cgroup == overhead
    assert WorkloadId("docker", other) not in moment.readings
    check_ledger(moment)


def test_a_machine_that_ends_and_one_that_begins_are_noticed(lab: VmmLab, watch: Watch) -> None:
    unit = lab.group("web.service")
    daemon = lab.qemu("web", "-name", f"web{TAG}", group=unit)
    assert named(watch.look(), "web").workload.cgroup == unit
    daemon.kill()
    time.sleep(2.1)
    assert not machines(watch.look(), "web")
    lab.qemu("web", "-name", f"web-again{TAG}", group=unit)
    time.sleep(2.1)
    assert named(watch.look(), "web-again").workload.cgroup == unit


def test_the_traffic_of_a_machines_disk_is_that_of_its_process(lab: VmmLab, watch: Watch) -> None:
    daemon = lab.qemu("disk", "-name", f"disk{TAG}", sector=BootSector.DISK)
    counters = psutil.Process(daemon.pid).io_counters
    daemon.wait_until(lambda: counters().write_bytes > 0, 90, "the guest's first write")
    before = counters()
    reading = named(watch.look(), "disk")
    read, written = reading.gauge("disk_read_total_bytes"), reading.gauge("disk_write_total_bytes")
    assert read is not None
    assert written is not None
    assert before.read_bytes <= read <= counters().read_bytes
    assert before.write_bytes <= written <= counters().write_bytes


def test_a_machine_is_in_lists_in_recordings_and_in_what_is_exported(lab: VmmLab, tmp_path: Path) -> None:
    lab.qemu("recorded", "-name", f"recorded{TAG}", "-uuid", UUID)
    (listed,) = json.loads(vmtop("list", f"recorded{TAG}", "--json"))["workloads"]
    assert (listed["kind"], listed["engine"], listed["id"]) == ("vm", "vmm", UUID)
    session = tmp_path / "machines.vmtop.gz"
    vmtop("record", str(session), "--duration", "3s")
    rows = [
        json.loads(line) for line in vmtop("export", str(session), "--format", "jsonl", "--workload", UUID).splitlines()
    ]
    assert {(row["name"], row["kind"]) for row in rows} == {(f"recorded{TAG}", "vm")}
    live, replayed = listed["metrics"], rows[-1]["metrics"]
    assert replayed["memory_host_bytes"] == pytest.approx(live["memory_host_bytes"], rel=0.2)
    assert replayed["cpu_percent"] is not None


def vmtop(*words: str) -> str:
    program = [sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')"]
    return subprocess.run([*program, *words], capture_output=True, text=True, check=True, timeout=120).stdout


def test_hugepages_are_memory_of_the_machine(lab: VmmLab, watch: Watch) -> None:
    backend = "memory-backend-memfd,id=mem,size=64M,hugetlb=on,prealloc=on,share=on"
    with skip_or_fail(), hugepages(32):
        daemon = lab.qemu("huge", "-name", f"huge{TAG}", "-object", backend, "-machine", "memory-backend=mem")
        status = Path(f"/proc/{daemon.pid}/status")
        daemon.wait_until(lambda: "HugetlbPages:\t   65536 kB" in status.read_text(), 10, "all pages being taken")
        reading = named(watch.look(), "huge")
        huge, memory = reading.value("memory_hugetlb_bytes"), reading.value("memory_host_bytes")
        assert huge == 64 << 20
        assert memory is not None
        assert memory > 64 << 20
        lab.end()


def test_three_hundred_machines_among_many_processes_are_all_found(lab: VmmLab, watch: Watch) -> None:
    session = lab.group("session-9.scope")
    lab.start(["/bin/sleep", "600"], session)
    pids = lab.many(300, session)
    lab.many(200, session, "sleep")
    moment = watch.look()
    found = [
        reading for reading in moment.readings.values() if reading.workload.parent == WorkloadId("systemd", session)
    ]
    assert {int(reading.workload.id.id.partition("-")[0]) for reading in found} == set(pids)
    os.kill(pids[0], 9)
    os.waitpid(pids[0], 0)
    assert len([one for one in watch.look().readings if one.id.startswith(f"{pids[0]}-")]) == 0
    check_ledger(watch.look())


def test_a_pid_that_another_machine_gets_is_another_machine(lab: VmmLab, watch: Watch) -> None:
    session = lab.group("session-8.scope")
    lab.start(["/bin/sleep", "600"], session)
    (pid,) = lab.many(1, session)
    (old,) = machines_of(watch.look(), pid)
    lab.end()
    again = next((pid for _ in range(50) if lab.start_as(pid, session)), None)
    if again is None:
        pytest.skip("other processes took the pid")
    assert old not in watch.look().readings
    time.sleep(2.1)
    (new,) = machines_of(watch.look(), pid)
    assert new != old


def machines_of(moment: Moment, pid: int) -> list[WorkloadId]:
    return [identity for identity in moment.readings if identity.engine == "vmm" and identity.id.startswith(f"{pid}-")]


def test_without_root_a_machine_of_another_user_is_known_by_its_two_names(lab: VmmLab) -> None:
    daemon = lab.qemu("others", "-name", f"others{TAG},debug-threads=on")
    assert find(daemon.pid) is not None
    found = as_nobody(f"from collectors.kernel.vmm.process import find; print(find({daemon.pid}))")
    assert "others" in found
    assert "executable=None" in found


def as_nobody(program: str) -> str:
    """Run a Python program as a user without any right, and return what it prints."""
    code = f"import os, sys; import collectors.kernel.vmm.process; os.setgid(65534); os.setuid(65534); {program}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
